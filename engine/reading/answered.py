"""What has been filled in in an instance, as readers see it: in clear, masked (脱敏), or not at all (保密)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.fields import Form
from engine.definitions.masking import masked_answers
from engine.definitions.specs import Compiled
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.people.tables import Account, Organisation
from engine.reading.timeline import who
from engine.runtime.erasing import REMOVED
from engine.runtime.tables import Answer, Task
from engine.text import Text

CONFIDENTIAL = Text(
    "保密：只有提交单位和负责核实的单位可以查看内容。",
    "Confidential: only the organisation that sent this and the one that looks into it can read it.",
)


REMOVED_SAID = Text("已按保存期限删除。", "Removed at the end of its retention period.")


_Replaced = dict[str, tuple[Mapping[str, Any], ...]]
_Latest = dict[tuple[str, str], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class AnsweredForm:
    """One form as somebody handed it in."""

    name: str
    form: Form | None  # none: the version the instance runs on no longer has it
    data: Mapping[str, Any]
    by: Text
    at: datetime
    task_id: str | None
    message: str | None
    newest: bool  # of its form: the one that counts
    replaced: Mapping[str, tuple[Mapping[str, Any], ...]]  # by a file's id: those it took the place of, oldest first
    hidden: Text | None = None  # why the reader can't see what it says; then there is no data


def answers(session: Session, instance_id: str, compiled: Compiled, actor: Actor) -> tuple[AnsweredForm, ...]:
    """Everything that was filled in, oldest first. One statement, and one more where something is confidential."""
    rows = session.execute(
        select(Answer, Account.name, Organisation.id, Organisation.name, Organisation.name_en)
        .join(Account, Account.id == Answer.by)
        .join(Organisation, Organisation.id == Account.organisation_id)
        .where(Answer.instance_id == instance_id)
        .order_by(Answer.at, Answer.id)
    ).all()
    newest = {row[0].form: row[0].id for row in rows}
    in_charge = _in_charge(session, instance_id, compiled, [answer.message for answer, *_ in rows if answer.message])
    in_clear = access.may(actor, Action.SEE_PERSONAL_DATA)
    latest: _Latest = {}
    replaced: _Replaced = {}
    found = []
    for answer, person, organisation_id, name, name_en in rows:
        form, data, hidden = compiled.forms.get(answer.form), answer.data, None
        trusted = in_charge.get(answer.message or "")
        if data == REMOVED:
            data, hidden = {}, REMOVED_SAID
        elif trusted is not None and not access.sees_confidential(actor, sender=organisation_id, in_charge=trusted):
            data, hidden = {}, CONFIDENTIAL
        elif form is not None and not in_clear:
            data = masked_answers(form, data)
        if answer.message is None:  # a message sent again is another one
            _note_files(answer.form, data, latest, replaced)
        found.append(
            AnsweredForm(
                name=answer.form,
                form=form,
                data=data,
                by=who(actor, organisation_id, Text(name, name_en), person),
                at=answer.at,
                task_id=answer.task_id,
                message=answer.message,
                newest=newest[answer.form] == answer.id,
                replaced=replaced,
                hidden=hidden,
            )
        )
    return tuple(found)


def _note_files(form: str, data: Mapping[str, Any], latest: _Latest, replaced: _Replaced) -> None:
    """Of fields that hold one file, as far as the reader sees it. The same file handed in again is no new version."""
    for key, value in data.items():
        if isinstance(value, Mapping) and "file_id" in value:
            before = latest.get((form, key))
            if before and before["file_id"] != value["file_id"]:
                replaced.setdefault(value["file_id"], (*replaced.get(before["file_id"], ()), before))
            latest[form, key] = value


def newest_by_form(answered: Iterable[AnsweredForm]) -> dict[str, Mapping[str, Any]]:
    """Form → the answers that count, as far as the reader sees them."""
    return {each.name: each.data for each in answered if each.newest and each.hidden is None}


def _in_charge(
    session: Session, instance_id: str, compiled: Compiled, messages: Collection[str]
) -> dict[str, frozenset[tuple[str, str]]]:
    """By confidential message: who is or was in charge of steps of the lane it is confided to."""
    lanes = {
        name: message.confidential
        for name, message in compiled.diagram.messages.items()
        if name in messages and message.confidential
    }
    if not lanes:
        return {}
    tasks = select(Task.element_id, Task.organisation_id, Task.role).where(Task.instance_id == instance_id).distinct()
    steps = session.execute(tasks).all()
    elements = compiled.diagram.elements
    found = {}
    for name, lane_id in lanes.items():
        of_lane = {id_ for id_, element in elements.items() if element.lane and element.lane.id == lane_id}
        found[name] = frozenset((organisation, role) for step, organisation, role in steps if step in of_lane)
    return found
