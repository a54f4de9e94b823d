"""Erasing a person (删除个人信息): the account stays for what refers to it by id, and says nothing of anybody any more.

Erased are the account's name, user name, address, password and second factor, who it is at an OpenID provider, its
sessions and letters, what its registration said of the person, and in closed applications whatever the forms mark as
personal among the answers this account handed in. Applications that still run need those answers, and held ones (保留)
must not be touched: either is a refusal that names them. The audit trail stays sound; it names ids only.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.definitions.masking import ERASED
from engine.errors import Conflict, NotFound
from engine.levers.leaving import deactivate
from engine.membership.tables import Registration
from engine.people import access, passwords
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.people.tables import (
    Account,
    AccountErasure,
    Contact,
    EmailConfirmation,
    Organisation,
    SecondFactor,
    SignOnLink,
)
from engine.privacy.tables import LegalHold, Removal
from engine.runtime.erasing import forget_state, record_erased, without_people
from engine.runtime.reasons import checked
from engine.runtime.runtime import Definitions, Runtime
from engine.runtime.tables import Answer, EventKind, Instance, Task, TaskState
from engine.telling.tables import OutboxMessage
from engine.text import Text

NAMED = 5  # applications that a refusal names


class AlreadyErased(Conflict):
    sentence = Text("该账号的个人信息已经删除。", "The personal data of this account was erased already.")


class StillRunning(Conflict):
    sentence = Text(
        "还有 {count} 件申请没有结束，需要其中的个人信息，结束后才能删除：{numbers}。",
        "{count} applications still run and need this personal data; it can be erased once they have ended: {numbers}.",
    )


class HeldBack(Conflict):
    sentence = Text(
        "有 {count} 件申请已设为保留，解除保留后才能删除：{numbers}。",
        "{count} applications are held; it can be erased once the hold is lifted: {numbers}.",
    )


class OwnPerson(Conflict):
    sentence = Text(
        "不能删除自己的账号，请由另一名管理员办理。", "You can't erase your own account; ask another administrator."
    )


@dataclass(frozen=True, slots=True)
class Preview:
    """What erasing a person would do, or what stands against it."""

    account_id: str
    username: str
    name: str
    email: str | None
    organisation: Text
    claimed: int  # open tasks that would be put back
    applications: int  # closed ones in which answers would lose what is personal
    answers: int
    refusal: Conflict | None


def preview(session: Session, definitions: Definitions, account_id: str, actor: Actor) -> Preview:
    """Changes nothing. Raises NotAllowed, NotFound."""
    account, organisation = _account(session, account_id, actor)
    marked = _marked(session, definitions, account_id)
    claimed = select(Task.id).where(Task.claimed_by == account_id, Task.state == TaskState.OPEN)
    return Preview(
        account_id=account_id,
        username=account.username,
        name=account.name,
        email=account.email,
        organisation=Text(organisation.name, organisation.name_en),
        claimed=len(session.scalars(claimed).all()),
        applications=len({answer.instance_id for answer, _ in marked}),
        answers=len(marked),
        refusal=_refusal(session, account_id, actor),
    )


def erase(
    runtime: Runtime, account_id: str, reason: str, actor: Actor, *, now: datetime, real_now: datetime
) -> Preview:
    """What was done. `now` is process time. Raises NotAllowed, NotFound, ReasonMissing, AlreadyErased, StillRunning,
    HeldBack, OwnPerson; nothing is changed then."""
    reason = checked(reason)
    with runtime.database.read() as session:
        done = preview(session, runtime.definitions, account_id, actor)
    if done.refusal:
        raise done.refusal
    deactivate(runtime, account_id, actor, now=now, real_now=real_now)  # from here on nothing new can be handed in
    with runtime.database.write() as session:
        if refusal := _refusal(session, account_id, actor):
            raise refusal
        account, _ = _account(session, account_id, actor)
        marked = _marked(session, runtime.definitions, account_id)
        _erase_answers(session, runtime.definitions, marked, actor, now)
        _erase_account(session, account)
        session.add(AccountErasure(account_id=account_id, at=real_now, by=actor.account_id, reason=reason))
        facts = {"account_id": account_id, "answers": len(marked)}
        record(session, SystemEventKind.ACCOUNT_ERASED, at=real_now, actor_id=actor.account_id, **facts)
    return done


def _account(session: Session, account_id: str, actor: Actor) -> tuple[Account, Organisation]:
    access.require(actor, Action.ADMINISTER)
    found = session.execute(
        select(Account, Organisation)
        .join(Organisation, Organisation.id == Account.organisation_id)
        .where(Account.id == account_id)
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found[0], found[1]


def _refusal(session: Session, account_id: str, actor: Actor) -> Conflict | None:
    if account_id == actor.account_id:
        return OwnPerson()
    if session.get(AccountErasure, account_id):
        return AlreadyErased()
    took_part = select(Answer.instance_id).where(Answer.by == account_id)
    concerned = select(Instance.id, Instance.number).where(
        or_(Instance.started_by == account_id, Instance.id.in_(took_part))
    )
    for refusal, stands in (
        (StillRunning, concerned.where(Instance.closed_at.is_(None))),
        (HeldBack, concerned.where(Instance.id.in_(select(LegalHold.instance_id)))),
    ):
        if rows := session.execute(stands.order_by(Instance.started_at, Instance.id)).all():
            named = "、".join(number or id_ for id_, number in rows[:NAMED])
            return refusal(count=len(rows), numbers=named + ("…" if len(rows) > NAMED else ""))
    return None


def _marked(session: Session, definitions: Definitions, account_id: str) -> Sequence[tuple[Answer, dict[str, Any]]]:
    """The account's answers that hold something personal, in closed instances, each with what is to be left of it."""
    rows = session.execute(
        select(Answer, Instance.version_id)
        .join(Instance, Instance.id == Answer.instance_id)
        .outerjoin(Removal, Removal.instance_id == Instance.id)
        .where(Answer.by == account_id, Instance.closed_at.is_not(None), Removal.instance_id.is_(None))
        .order_by(Answer.instance_id, Answer.at, Answer.id)
    )
    found = []
    for answer, version_id in rows:
        form = definitions.get(session, version_id).forms.get(answer.form)
        left = without_people(form, answer.data) if form else answer.data
        if left != answer.data:
            found.append((answer, left))
    return found


def _erase_answers(
    session: Session,
    definitions: Definitions,
    marked: Sequence[tuple[Answer, dict[str, Any]]],
    actor: Actor,
    now: datetime,
) -> None:
    concerned = sorted({answer.instance_id for answer, _ in marked})
    locked = select(Instance).where(Instance.id.in_(concerned)).order_by(Instance.id).with_for_update()
    for instance in session.scalars(locked).all():
        rows = [(answer, left) for answer, left in marked if answer.instance_id == instance.id]
        for answer, left in rows:
            answer.data = left
        record_erased(
            session,
            instance,
            EventKind.PERSON_ERASED,
            [answer for answer, _ in rows],
            at=now,
            actor_id=actor.account_id,
        )
        forget_state(instance, definitions.get(session, instance.version_id))


def _erase_account(session: Session, account: Account) -> None:
    if account.email:
        address = account.email
        own = select(Contact).where(Contact.organisation_id == account.organisation_id)
        for contact in session.scalars(own).all():
            if contact.address.lower() == address:
                contact.active, contact.address = False, f"erased-{contact.id}"
        session.execute(
            delete(OutboxMessage).where(OutboxMessage.letter.is_not(None), OutboxMessage.address == address)
        )
        sent_there = update(OutboxMessage).where(OutboxMessage.address == address)
        session.execute(sent_there.values(address=ERASED))
    said = update(Registration).where(Registration.account_id == account.id)
    session.execute(said.values(contact=ERASED, mobile=ERASED, email=ERASED, username=ERASED))
    for table in (EmailConfirmation, SecondFactor, SignOnLink):
        session.execute(delete(table).where(table.account_id == account.id))
    account.username, account.name, account.email = f"erased-{account.id}", ERASED, None
    account.password_hash = passwords.hashed(secrets.token_urlsafe(32))  # which nobody ever sees
    account.active = account.manages = False
