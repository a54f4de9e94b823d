"""What the head of a section (科长) may do to a task that a colleague has claimed: give it to another of the office, or
put it back into the inbox. With a reason, which stays in the history; the office and both colleagues are told."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.database import new_id
from engine.errors import Conflict, Invalid, NotFound
from engine.levers.interventions import number_of
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.people.tables import Account, Organisation
from engine.runtime import history
from engine.runtime.history import INTERVENTION, intervention_hash, moment_in
from engine.runtime.instances import own_task, refuse_closed
from engine.runtime.reasons import checked
from engine.runtime.rows import locked_rows
from engine.runtime.runtime import Runtime
from engine.runtime.suspension import refuse_suspended
from engine.runtime.tables import EventKind, Instance, Intervention, Task, TaskState
from engine.telling.letters import write_letter
from engine.telling.telling import tell
from engine.text import Text


class NobodyHasIt(Conflict):
    sentence = Text(
        "该任务已不在原同事手中，没有改动；请刷新页面查看。",
        "Your colleague no longer has this task; nothing was changed. Refresh the page.",
    )


class NoColleague(Invalid):
    sentence = Text("请选择接手的同事，或退回待办。", "Choose the colleague who takes it over, or put it back.")


@dataclass(frozen=True, slots=True)
class Colleague:
    account_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Held:
    """A task as the head of the section sees it that a colleague has claimed."""

    by: str  # account id
    colleagues: tuple[Colleague, ...]  # who could take it over, by name


def held(session: Session, task_id: str, actor: Actor) -> Held | None:
    """None where nobody has claimed the open task, or the actor may not reassign it."""
    if not access.may(actor, Action.REASSIGN_TASKS):
        return None
    task = session.scalar(own_task(task_id, actor).where(Task.state == TaskState.OPEN))
    return Held(task.claimed_by, _colleagues(session, actor, task.claimed_by)) if task and task.claimed_by else None


def _colleagues(session: Session, actor: Actor, but: str) -> tuple[Colleague, ...]:
    own = access.own_organisation(actor, Account.organisation_id)
    query = select(Account).where(own, Account.active, Account.role == actor.role, Account.id != but)
    return tuple(Colleague(each.id, each.name) for each in session.scalars(query.order_by(Account.name, Account.id)))


def hand_over(
    runtime: Runtime,
    task_id: str,
    reason: str,
    actor: Actor,
    *,
    of: str,
    to: str | None,
    now: datetime,
    real_now: datetime,
) -> None:
    """Take a task from the account `of`, who had it when the head looked, and give it to the account `to`; without one
    it goes back into the inbox. `now` is process time; letters to persons go by `real_now`.

    Raises NotAllowed, NotFound, ReasonMissing, NoColleague, NobodyHasIt, TaskDone, TaskCancelled.
    """
    access.require(actor, Action.REASSIGN_TASKS)
    reason = checked(reason)
    own = own_task(task_id, actor)
    of_task = own.with_only_columns(Task.instance_id).scalar_subquery()
    with runtime.database.write() as session:
        # The instance before its task, as whoever else locks both.
        instance = session.scalar(locked_rows(Instance.id == of_task))
        if instance is None:
            raise NotFound()
        task = session.scalars(own).one()
        refuse_closed(runtime, session, task)
        refuse_suspended(session, instance)
        if task.claimed_by is None or task.claimed_by != of:
            raise NobodyHasIt()
        before = session.get_one(Account, of)
        after = _chosen(session, actor, to, of) if to else None
        at = moment_in(instance, now)
        task.claimed_by, task.claimed_at = (after.id, at) if after else (None, None)
        row = _kept(session, instance, task, reason, actor, at, taken_from=of, given_to=to)
        details = {"task_id": task.id, INTERVENTION: {"id": row.id, "sha256": intervention_hash(row)}}
        kind, element = EventKind(row.kind), task.element_id
        history.append(session, instance, kind, at=at, element_id=element, actor_id=actor.account_id, **details)
        facts = {
            "head": actor.name,
            "step": Text(task.name, task.name_en),
            "number": number_of(instance),
            "before": before.name,
            "after": after.name if after else "",
            "reason": reason,
        }
        text = (_HANDED_OVER if after else _PUT_BACK).filled(**facts)
        office = session.get_one(Organisation, task.organisation_id)
        tell(session, instance, [office], text, element_id=element, at=at)
        for person in (before, after):
            if person and person.email and person.id != actor.account_id:
                _write(runtime, session, person.email, text, task.id, real_now)


def _chosen(session: Session, actor: Actor, to: str, of: str) -> Account:
    if to not in {each.account_id for each in _colleagues(session, actor, of)}:
        raise NoColleague()
    return session.get_one(Account, to)


def _kept(
    session: Session,
    instance: Instance,
    task: Task,
    reason: str,
    actor: Actor,
    at: datetime,
    *,
    taken_from: str,
    given_to: str | None,
) -> Intervention:
    row = Intervention(
        id=new_id(),
        instance_id=instance.id,
        kind=EventKind.TASK_HANDED_OVER if given_to else EventKind.TASK_TAKEN_BACK,
        element_id=task.element_id,
        reason=reason,
        details={"from": taken_from, "to": given_to},
        by=actor.account_id,
        at=at,
        salt=new_id(),
    )
    session.add(row)
    session.flush()
    return row


def _write(runtime: Runtime, session: Session, to: str, text: Text, task_id: str, now: datetime) -> None:
    subject = Text("任务交接", "A task changed hands")
    write_letter(session, runtime.keyring, to=to, subject=subject, text=text, path=f"/tasks/{task_id}", now=now)


_HANDED_OVER = Text(
    "{head}将申请 {number} 的“{step}”由{before}转交{after}办理。理由：{reason}",
    "{head} handed “{step}” of application {number} over from {before} to {after}. Reason: {reason}",
)
_PUT_BACK = Text(
    "{head}将{before}签收的申请 {number} 的“{step}”退回待办。理由：{reason}",
    "{head} put “{step}” of application {number}, which {before} had claimed, back into the inbox. Reason: {reason}",
)
