"""The history of an instance as sentences, in both languages, for one reader."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.diagrams import Diagram
from engine.limits.time_left import ends_at
from engine.people.accounts import Actor
from engine.people.tables import Account, Organisation
from engine.runtime.history import INTERVENTION
from engine.runtime.tables import Event, EventKind, Intervention
from engine.runtime.wording import cause, element_name, outcome
from engine.text import Text

SENTENCES = MappingProxyType(
    {
        EventKind.STARTED: Text("{who}发起申请", "{who} started the application"),
        EventKind.TASK_OPENED: Text("“{step}”交由{who}办理", "“{step}” was passed to {who}"),
        EventKind.TASK_CLAIMED: Text("{who}签收“{step}”", "{who} claimed “{step}”"),
        EventKind.TASK_RELEASED: Text("{who}退回“{step}”，由同事签收", "{who} put “{step}” back for colleagues"),
        EventKind.TASK_COMPLETED: Text("{who}办结“{step}”", "{who} completed “{step}”"),
        EventKind.TASK_CANCELLED: Text("“{step}”因“{cause}”中止", "“{step}” was interrupted by “{cause}”"),
        EventKind.TIMER_FIRED: Text("期限届满：{step}", "A time limit ran out: {step}"),
        EventKind.MESSAGE_RECEIVED: Text("{who}提交“{message}”", "{who} filed “{message}”"),
        EventKind.SERVICE_DONE: Text("平台自动办理“{step}”", "The platform carried out “{step}”"),
        EventKind.KEY_REVEALED: Text("{who}查看了测试密钥", "{who} had the test key shown"),
        EventKind.OUTCOME: Text("办理结果：{outcome}", "Outcome: {outcome}"),
        EventKind.CLOSED: Text("流程结束", "The process ended"),
        EventKind.LIMIT_RECOMPUTED: Text(
            "按新的工作日历核定“{step}”的期限：{before} → {until}",
            "The limit “{step}” was counted by a newer calendar: {before} → {until}",
        ),
        EventKind.LIMIT_MAY_SHORTEN: Text(
            "工作日历更新，“{step}”按新日历应于 {until} 截止，待主管部门确认；确认前仍为 {before}",
            "The calendar was updated: “{step}” would end at {until}; until the authority confirms it, {before} stands",
        ),
        EventKind.LIMIT_SHORTENED: Text(
            "{who}确认“{step}”的期限由 {before} 提前至 {until}",
            "{who} confirmed that “{step}” ends at {until} instead of {before}",
        ),
        EventKind.LIMIT_KEPT: Text("{who}保留“{step}”的期限 {until}", "{who} kept the end of “{step}” at {until}"),
        EventKind.SUSPENDED: Text("{who}暂停办理，理由：{reason}", "{who} suspended the application. Reason: {reason}"),
        EventKind.RESUMED: Text("{who}恢复办理，理由：{reason}", "{who} resumed the application. Reason: {reason}"),
        EventKind.CANCELLED: Text("{who}终止申请，理由：{reason}", "{who} cancelled the application. Reason: {reason}"),
        EventKind.WITHDRAWN: Text("{who}撤回申请，理由：{reason}", "{who} withdrew the application. Reason: {reason}"),
        EventKind.MOVED: Text(
            "{who}将流程从“{step}”转到“{to}”，理由：{reason}",
            "{who} moved it from “{step}” to “{to}”. Reason: {reason}",
        ),
        EventKind.DEADLINE_CHANGED: Text(
            "{who}将“{step}”的期限改至 {until}，理由：{reason}",
            "{who} set the limit “{step}” to end at {until}. Reason: {reason}",
        ),
        EventKind.DEADLINE_PAUSED: Text(
            "{who}暂停计算“{step}”的期限，理由：{reason}", "{who} paused the limit “{step}”. Reason: {reason}"
        ),
        EventKind.DEADLINE_RESUMED: Text(
            "{who}恢复计算“{step}”的期限，理由：{reason}", "{who} let the limit “{step}” run on. Reason: {reason}"
        ),
        EventKind.DEADLINE_EXTENDED: Text(
            "{who}将“{step}”的期限延长 {days} 个工作日，至 {until}，理由：{reason}",
            "{who} extended the limit “{step}” by {days} working days, to {until}. Reason: {reason}",
        ),
        # Why is the office's own affair: the reason stands in its notices, and the other side reads this too.
        EventKind.TASK_HANDED_OVER: Text(
            "{who}将“{step}”转交同事办理", "{who} handed “{step}” over to another colleague"
        ),
        EventKind.TASK_TAKEN_BACK: Text(
            "{who}将“{step}”退回待办，由同事签收", "{who} put “{step}” back for colleagues to claim"
        ),
        EventKind.VARIABLE_CORRECTED: Text(
            "{who}更正了办理数据“{variable}”，理由：{reason}",
            "{who} corrected the case's data, “{variable}”. Reason: {reason}",
        ),
        EventKind.KEY_REVOKED: Text(
            "{who}作废了测试密钥，理由：{reason}", "{who} revoked the test key. Reason: {reason}"
        ),
        EventKind.HELD: Text(
            "{who}要求保留申请内容，不按保存期限删除，理由：{reason}",
            "{who} had the content kept beyond its retention period. Reason: {reason}",
        ),
        EventKind.HOLD_LIFTED: Text(
            "{who}解除保留，理由：{reason}", "{who} lifted the hold on the content. Reason: {reason}"
        ),
        EventKind.CONTENT_REMOVED: Text(
            "保存期限届满，填报内容和附件已删除",
            "The retention period is over; what was filled in and its files were removed",
        ),
        EventKind.PERSON_ERASED: Text(
            "一名填报人的个人信息已删除", "The personal data of somebody who filled in forms was erased"
        ),
    }
)

# What the token went through, as opposed to what was merely offered or taken back.
_PASSED = frozenset(
    {
        EventKind.PASSED,
        EventKind.TASK_COMPLETED,
        EventKind.TIMER_FIRED,
        EventKind.MESSAGE_RECEIVED,
        EventKind.SERVICE_DONE,
        EventKind.OUTCOME,
    }
)

PLATFORM = Text("平台", "The platform")


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    at: datetime
    kind: EventKind
    sentence: Text


@dataclass(frozen=True, slots=True)
class History:
    entries: tuple[TimelineEntry, ...]  # oldest first
    passed: frozenset[str]  # ids of the elements the instance has been through, for the drawing


def who(actor: Actor, organisation_id: str, organisation: Text, person: str | None) -> Text:
    """How the reader sees somebody: the own side by name, another organisation only as an organisation."""
    if person is None or organisation_id != actor.organisation_id:
        return organisation
    return Text("{organisation}（{person}）", "{organisation} ({person})").filled(
        organisation=organisation, person=person
    )


def history(
    session: Session, instance_id: str, diagram: Diagram, actor: Actor, task_organisations: Mapping[str, Text]
) -> History:
    """Everything that happened; `task_organisations` says by task id whose inbox it went to. One statement, and one
    more where somebody intervened."""
    rows = session.execute(
        select(Event, Account.name, Organisation.id, Organisation.name, Organisation.name_en)
        .outerjoin(Account, Account.id == Event.actor_id)
        .outerjoin(Organisation, Organisation.id == Account.organisation_id)
        .where(Event.instance_id == instance_id, Event.kind != EventKind.KEY_USED)  # thousands, for auditors
        .order_by(Event.sequence)
    ).all()
    entries, passed = [], set()
    interventions = [event.details[INTERVENTION]["id"] for event, *_ in rows if INTERVENTION in event.details]
    reasons = _reasons(session, interventions)
    for event, person, organisation_id, name, name_en in rows:
        kind, details = EventKind(event.kind), event.details
        if kind in _PASSED and event.element_id:
            passed.add(event.element_id)
        if kind not in SENTENCES:
            continue
        if kind is EventKind.TASK_OPENED:
            subject = task_organisations.get(details.get("task_id", ""), PLATFORM)
        elif organisation_id is None:
            subject = PLATFORM
        else:
            subject = who(actor, organisation_id, Text(name, name_en), person)
        message = diagram.messages.get(details.get("message", ""))
        step = element_name(diagram, event.element_id)
        sentence = SENTENCES[kind].filled(
            who=subject,
            step=step,
            cause=cause(diagram, details.get("by")),
            message=message.menu if message else step,
            outcome=outcome(diagram, details.get("outcome")) or step,
            to=element_name(diagram, details.get("to")),
            until=_until(details.get("due_at")),
            before=_until(details.get("before")),
            variable=details.get("variable"),
            days=details.get("days"),
            reason=reasons[details[INTERVENTION]["id"]] if INTERVENTION in details else "",
        )
        entries.append(TimelineEntry(event.at, kind, sentence))
    return History(tuple(entries), frozenset(passed))


def _reasons(session: Session, intervention_ids: Sequence[str]) -> dict[str, str]:
    if not intervention_ids:
        return {}
    found = select(Intervention).where(Intervention.id.in_(intervention_ids))
    return {row.id: row.reason for row in session.scalars(found)}


def _until(due_at: str | None) -> str:
    """The end of a limit as people say it: 24:00 of its last day, rather than 0:00 of the next."""
    return ends_at(datetime.fromisoformat(due_at)) if due_at else ""
