"""Who may see or do what: the one place that decides it, from role and organisation.

What somebody may *do* is a table of roles and actions. What somebody may *see* is a condition for a query: the
functions below take the columns to hold it against, because this room lies under the rooms that own those tables.
Every query made for a person carries one of them, so that what is not theirs is not found, rather than forbidden.
"""

from collections.abc import Collection
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, false, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from engine.errors import NotAllowed
from engine.people.accounts import Actor
from engine.people.tables import Role
from engine.text import Text

Column = InstrumentedAttribute[Any]


class Action(StrEnum):
    """What can be done; `MEANING` says of each what that is, which `docs/access.md` is made of."""

    START_APPLICATION = "start_application"
    WORK_ON_TASKS = "work_on_tasks"  # which ones: `works_on_task`
    SEND_MESSAGES = "send_messages"
    SEE_INSTANCES = "see_instances"  # which ones: `sees_instance`
    SEE_ALL_INSTANCES = "see_all_instances"
    SEE_PERSONAL_DATA = "see_personal_data"  # of instances and tasks one works on
    SEE_KEYS = "see_keys"
    REVOKE_KEYS = "revoke_keys"  # of instances one sees
    SEE_NOTICES = "see_notices"  # which ones: `sees_notice`
    SEE_ALL_WARNINGS = "see_all_warnings"
    SEE_VERSIONS = "see_versions"
    DEPLOY = "deploy"
    ADMINISTER = "administer"
    INTERVENE = "intervene"
    WITHDRAW = "withdraw"
    MANAGE_ACCOUNTS = "manage_accounts"  # which ones: `manages_account`
    MANAGE_SYSTEMS = "manage_systems"  # which ones: `manages_system`
    REASSIGN_TASKS = "reassign_tasks"
    MOVE_TRIAL_CLOCK = "move_trial_clock"
    CONFIRM_SHORTENING = "confirm_shortening"
    PAUSE_LIMIT = "pause_limit"
    EXTEND_LIMIT = "extend_limit"


MEANING = MappingProxyType(
    {
        Action.START_APPLICATION: Text(
            "以本单位名义发起申请。",
            "Start an application in the name of the own organisation.",
        ),
        Action.WORK_ON_TASKS: Text(
            "查看、签收、退回和办理流程交给本单位的待办；别的单位的待办查不到。",
            "See, claim, put back and complete the tasks that the process gives to the own organisation; those of "
            "others are not found.",
        ),
        Action.SEND_MESSAGES: Text(
            "在流程等候时，以本单位名义提交投诉等消息。",
            "Send what the process waits for from the own organisation, such as a complaint.",
        ),
        Action.SEE_INSTANCES: Text(
            "查看本单位参与办理的申请：填写内容、附件、办理过程。企业看本企业的，主管部门看本市的。",
            "Read the applications the own organisation takes part in: answers, files, history. An enterprise reads "
            "its own, an authority those to its city.",
        ),
        Action.SEE_ALL_INSTANCES: Text(
            "查看全省所有申请，只读。",
            "Read every application of the province, and change none.",
        ),
        Action.SEE_PERSONAL_DATA: Text(
            "在本单位办理的申请和待办中看到电话、邮箱等个人信息的原文；没有这项权限的只看到掩码。",
            "Read personal data such as telephone numbers and addresses in clear, in what the own organisation works "
            "on; others see it masked.",
        ),
        Action.SEE_KEYS: Text(
            "一次性查看发给本企业的测试密钥明文；主管部门和平台人员都看不到。",
            "See, once, a test key issued to the own enterprise in clear; neither officials nor operators can.",
        ),
        Action.REVOKE_KEYS: Text(
            "在说明理由后作废本单位所办申请的测试密钥：发给哪家企业，哪家企业和该市主管部门都可以。双方都收到通知。",
            "Revoke a test key, with a reason: the enterprise it was issued to, and the authority of the application. "
            "Both sides are told.",
        ),
        Action.SEE_NOTICES: Text(
            "查看发给本单位的通知，并标为已读。",
            "Read the notices to the own organisation, and mark them as read.",
        ),
        Action.SEE_ALL_WARNINGS: Text(
            "查看全省所有预警。",
            "Read every 预警 of the province.",
        ),
        Action.SEE_VERSIONS: Text(
            "查看流程定义的各个版本，以及每个版本上有多少申请；看不到申请内容。",
            "See the versions of the process and how many applications run on each; not what is in them.",
        ),
        Action.DEPLOY: Text(
            "上传流程图并启用新版本；正在办理的申请不受影响。",
            "Upload a diagram and put a version in force; running applications stay on theirs.",
        ),
        Action.ADMINISTER: Text(
            "平台运维：审批企业注册，管理通知渠道和工作日历，处理故障，指定账号管理员。",
            "Run the platform: decide registrations, keep contacts and the calendar, deal with failures, name "
            "managers of accounts.",
        ),
        Action.INTERVENE: Text(
            "在说明理由后暂停、恢复、终止、转移申请，更改期限或更正数据；能看到办到哪一步，看不到填写内容和附件。双方都收到通知。",
            "Suspend, resume, cancel or move an application, change a limit or correct a value, with a reason; see "
            "where it stands, but neither answers nor files. Both sides are told.",
        ),
        Action.WITHDRAW: Text(
            "在出结果之前撤回本企业发起的申请。",
            "Withdraw an application of the own enterprise as long as it has no outcome.",
        ),
        Action.MANAGE_ACCOUNTS: Text(
            "新建、停用、启用账号，发放一次性设置密码的链接：账号管理员管本单位的，平台管理员管所有的。谁的密码都看不到。",
            "Make, deactivate and reactivate accounts and hand out links that set a password once: a manager those of "
            "the own organisation, an administrator all. Nobody learns anybody's password.",
        ),
        Action.MANAGE_SYSTEMS: Text(
            "为市级实名制系统发放和吊销查验测试密钥用的凭证：主管部门的账号管理员管本市的，平台管理员管所有的。",
            "Issue and revoke the credentials with which a city's system verifies test keys: an authority's manager "
            "those of the own city, an administrator all.",
        ),
        Action.REASSIGN_TASKS: Text(
            "在说明理由后把同事已签收的待办转交本单位其他人，或退回待办：主管部门和技术支持单位的科长。",
            "Give a task that a colleague has claimed to somebody else of the own office, or put it back, with a "
            "reason: heads of sections of authorities and support units.",
        ),
        Action.MOVE_TRIAL_CLOCK: Text(
            "把流程时间向前拨，仅限试用环境。",
            "Move the clock of the process ahead, in a trial only.",
        ),
        Action.CONFIRM_SHORTENING: Text(
            "决定本市申请的期限是否因日历变化而提前。",
            "Decide whether a limit of an application to the own city ends earlier because the calendar has changed.",
        ),
        Action.PAUSE_LIMIT: Text(
            "在流程图允许的步骤上，说明理由后暂停和恢复本单位待办的期限。",
            "Pause the limit of an own task and let it run on, with a reason, where the diagram allows it.",
        ),
        Action.EXTEND_LIMIT: Text(
            "在流程图允许的步骤上，说明理由后延长本单位待办的期限。",
            "Extend the limit of an own task, with a reason, where the diagram allows it.",
        ),
    }
)

ALLOWED = MappingProxyType(
    {
        Role.ENTERPRISE: frozenset(
            {
                Action.START_APPLICATION,
                Action.WORK_ON_TASKS,
                Action.SEND_MESSAGES,
                Action.SEE_INSTANCES,
                Action.SEE_PERSONAL_DATA,
                Action.SEE_KEYS,
                Action.REVOKE_KEYS,
                Action.SEE_NOTICES,
                Action.WITHDRAW,
            }
        ),
        Role.AUTHORITY: frozenset(
            {
                Action.WORK_ON_TASKS,
                Action.SEND_MESSAGES,
                Action.SEE_INSTANCES,
                Action.SEE_PERSONAL_DATA,
                Action.REVOKE_KEYS,
                Action.SEE_NOTICES,
                Action.CONFIRM_SHORTENING,
                Action.PAUSE_LIMIT,
                Action.EXTEND_LIMIT,
            }
        ),
        Role.SUPPORT: frozenset(
            {Action.WORK_ON_TASKS, Action.SEND_MESSAGES, Action.SEE_PERSONAL_DATA, Action.SEE_NOTICES}
        ),
        Role.PROVINCE: frozenset(
            {Action.SEE_INSTANCES, Action.SEE_ALL_INSTANCES, Action.SEE_NOTICES, Action.SEE_ALL_WARNINGS}
        ),
        Role.ANALYST: frozenset({Action.SEE_VERSIONS, Action.DEPLOY}),
        Role.ADMIN: frozenset(
            {
                Action.SEE_VERSIONS,
                Action.ADMINISTER,
                Action.INTERVENE,
                Action.MANAGE_ACCOUNTS,
                Action.MANAGE_SYSTEMS,
                Action.MOVE_TRIAL_CLOCK,
            }
        ),
    }
)
MANAGERS_MAY = frozenset({Action.MANAGE_ACCOUNTS})  # beside what their role may
CITY_MANAGERS_MAY = MANAGERS_MAY | {Action.MANAGE_SYSTEMS}  # those of an authority
HEADS_MAY = frozenset({Action.REASSIGN_TASKS})  # likewise the heads of sections (科长)
HAVE_HEADS = frozenset({Role.AUTHORITY, Role.SUPPORT})


def may(actor: Actor, action: Action) -> bool:
    heads = actor.heads and actor.role in HAVE_HEADS
    managers_may = CITY_MANAGERS_MAY if actor.role is Role.AUTHORITY else MANAGERS_MAY
    return (
        action in ALLOWED[actor.role] or (actor.manages and action in managers_may) or (heads and action in HEADS_MAY)
    )


def require(actor: Actor, action: Action) -> None:
    """Raises NotAllowed where the actor's role may not do this at all."""
    if not may(actor, action):
        raise NotAllowed()


def anybody(role: Role) -> Actor:
    """Stands for whoever has a role in a query that is built once: the conditions below then ask for the value
    `organisation_id`, which is said when the query is executed."""
    whose: Any = bindparam("organisation_id")
    return Actor("", "", "", role, whose)


def own_organisation(actor: Actor, organisation_id: Column) -> ColumnElement[bool]:
    """Rows of the actor's own organisation."""
    return organisation_id == actor.organisation_id


def sees_instance(
    actor: Actor, instance_id: Column, *, party_instance_id: Column, party_organisation_id: Column
) -> ColumnElement[bool]:
    """Instances whose content (answers, files, history) the actor may read.

    Enterprises and authorities: those their organisation is a party of. The province: all. A support unit sees no
    instance, only its tasks (`works_on_task`); an analyst sees no content, only versions.
    """
    if not may(actor, Action.SEE_INSTANCES):
        return false()
    if may(actor, Action.SEE_ALL_INSTANCES):
        return true()
    return instance_id.in_(select(party_instance_id).where(party_organisation_id == actor.organisation_id))


def sees_confidential(actor: Actor, *, sender: str, in_charge: Collection[tuple[str, str]]) -> bool:
    """What a message says that the diagram calls confidential (保密): the organisation that sent it, and those in
    charge of steps of the lane that the diagram names, as (organisation id, role).

    Never a support unit, whose own work a complaint may be about, and never who merely supervises.
    """
    if actor.organisation_id == sender:
        return True
    in_confidence = may(actor, Action.SEE_INSTANCES) and not may(actor, Action.SEE_ALL_INSTANCES)
    return in_confidence and (actor.organisation_id, actor.role) in in_charge


def may_export_person(actor: Actor, account_id: str) -> bool:
    """All that is kept of an account: for its person, and for administrators whom the person asked."""
    return actor.account_id == account_id or may(actor, Action.ADMINISTER)


def may_export_organisation(actor: Actor, organisation_id: str) -> bool:
    """All that an organisation's people handed in: for its account managers, and for administrators."""
    return may(actor, Action.ADMINISTER) or (actor.manages and actor.organisation_id == organisation_id)


def manages_account(actor: Actor, organisation_id: Column) -> ColumnElement[bool]:
    """Accounts the actor may make, deactivate and give a new password: all, or those of the own organisation."""
    if not may(actor, Action.MANAGE_ACCOUNTS):
        return false()
    return true() if may(actor, Action.ADMINISTER) else own_organisation(actor, organisation_id)


def manages_system(actor: Actor, organisation_id: Column) -> ColumnElement[bool]:
    """Credentials of machines the actor may issue and revoke: of every city, or of the own."""
    if not may(actor, Action.MANAGE_SYSTEMS):
        return false()
    return true() if may(actor, Action.ADMINISTER) else own_organisation(actor, organisation_id)


def works_on_task(actor: Actor, organisation_id: Column, role: Column) -> ColumnElement[bool]:
    """Tasks that are, or were, in the inbox of the actor's organisation."""
    if not may(actor, Action.WORK_ON_TASKS):
        return false()
    return and_(organisation_id == actor.organisation_id, role == actor.role)


def has_in_inbox(actor: Actor, organisation_id: str, role: str) -> bool:
    """The same of a row in hand."""
    return may(actor, Action.WORK_ON_TASKS) and (organisation_id, role) == (actor.organisation_id, actor.role)


def sees_notice(actor: Actor, organisation_id: Column, *, is_warning: ColumnElement[bool]) -> ColumnElement[bool]:
    """Notices to the actor's organisation; the province also sees every 预警."""
    if not may(actor, Action.SEE_NOTICES):
        return false()
    own = own_organisation(actor, organisation_id)
    return or_(own, is_warning) if may(actor, Action.SEE_ALL_WARNINGS) else own
