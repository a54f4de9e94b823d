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

Column = InstrumentedAttribute[Any]


class Action(StrEnum):
    START_APPLICATION = "start_application"
    WORK_ON_TASKS = "work_on_tasks"  # claim, release, complete those of the own organisation
    SEND_MESSAGES = "send_messages"  # those the diagram waits for from the own organisation
    SEE_INSTANCES = "see_instances"  # which ones: `sees_instance`
    SEE_ALL_INSTANCES = "see_all_instances"  # read-only
    SEE_PERSONAL_DATA = "see_personal_data"  # in clear, of instances and tasks one works on; others see it masked
    SEE_KEYS = "see_keys"  # a test key in clear, once
    SEE_NOTICES = "see_notices"  # which ones: `sees_notice`
    SEE_ALL_WARNINGS = "see_all_warnings"  # 预警 of the whole province
    SEE_VERSIONS = "see_versions"  # the definitions, and which version an instance runs on
    DEPLOY = "deploy"
    ADMINISTER = "administer"  # organisations, accounts, incidents
    INTERVENE = "intervene"  # suspend, cancel, move or correct an instance; see where it stands, but no answers
    WITHDRAW = "withdraw"  # an application the own organisation has started
    MANAGE_ACCOUNTS = "manage_accounts"  # which ones: `manages_account`
    MANAGE_SYSTEMS = "manage_systems"  # credentials of a city's machines; which ones: `manages_system`
    MOVE_TRIAL_CLOCK = "move_trial_clock"
    CONFIRM_SHORTENING = "confirm_shortening"  # that a newer calendar ends a limit of an own case earlier
    PAUSE_LIMIT = "pause_limit"  # on an own task, where the diagram allows it; and let it run on
    EXTEND_LIMIT = "extend_limit"  # likewise


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


def may(actor: Actor, action: Action) -> bool:
    managers_may = CITY_MANAGERS_MAY if actor.role is Role.AUTHORITY else MANAGERS_MAY
    return action in ALLOWED[actor.role] or (actor.manages and action in managers_may)


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


def sees_notice(actor: Actor, organisation_id: Column, *, is_warning: ColumnElement[bool]) -> ColumnElement[bool]:
    """Notices to the actor's organisation; the province also sees every 预警."""
    if not may(actor, Action.SEE_NOTICES):
        return false()
    own = own_organisation(actor, organisation_id)
    return or_(own, is_warning) if may(actor, Action.SEE_ALL_WARNINGS) else own
