"""One user task, as somebody of its organisation works on it, or reads it later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from engine.definitions.diagrams import Element
from engine.definitions.fields import STATIC, Form
from engine.errors import NotFound
from engine.levers.handing_over import Held, held
from engine.levers.limit_levers import LimitLevers, levers
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.people.tables import Role
from engine.reading.answered import AnsweredForm, answers, newest_by_form
from engine.reading.inbox import TaskLine, task_line
from engine.runtime.runtime import Definitions
from engine.runtime.suspension import paused
from engine.runtime.tables import Instance, Task, TaskState
from engine.runtime.token_data import token_data
from engine.runtime.wording import cause
from engine.text import Text


@dataclass(frozen=True, slots=True)
class TaskFile:
    line: TaskLine
    documentation: str  # the step in full, in the diagram's words, as far as its forms don't say it already
    cause: Text | None  # of a cancelled task: the event that interrupted it
    forms: tuple[Form, ...]
    filled: Mapping[str, Mapping[str, Any]]  # open: what the page starts with; done: what was answered here
    shown: tuple[AnsweredForm, ...]  # earlier forms, read-only, in the order the diagram names them
    data: Mapping[str, Any]  # what the forms' conditions look at
    instance_visible: bool  # may the reader open the instance itself?
    paused: bool  # open: its limit stands still
    held: Held | None  # open: by a colleague, and the reader may give it to another
    limits: tuple[LimitLevers, ...]  # open: those the reader may pause or extend, as the diagram allows it


def task_file(session: Session, definitions: Definitions, task_id: str, actor: Actor, now: datetime) -> TaskFile:
    """A task of the actor's organisation, open or not; raises NotFound. Three statements, and two
    more for the head of a section where a colleague has claimed it."""
    line, version_id, element_id, cancelled_by = task_line(session, task_id, actor, now)
    compiled = definitions.get(session, version_id)
    element = compiled.diagram.elements.get(element_id)
    if element is None:
        raise NotFound()
    forms = tuple(compiled.forms[name] for name in element.forms)
    answered = answers(session, line.instance_id, compiled, actor)
    newest = newest_by_form(answered)
    data = token_data(session, compiled, line.instance_id, task_id) if line.state is TaskState.OPEN else newest
    works = line.state is TaskState.OPEN and not line.suspended and (line.mine or line.claimed_by is None)
    here = {each.name: each.data for each in answered if each.task_id == task_id}
    return TaskFile(
        line=line,
        documentation=_unsaid(element.documentation, forms),
        cause=cause(compiled.diagram, cancelled_by) if cancelled_by else None,
        forms=forms,
        filled=(
            {name: newest[name] for name in element.forms if name in newest} if line.state is TaskState.OPEN else here
        ),
        shown=_shown(element, answered),
        data=data,
        instance_visible=access.may(actor, Action.SEE_INSTANCES),
        paused=line.state is TaskState.OPEN and line.left is None and bool(paused(session, definitions, [task_id])),
        held=held(session, task_id, actor) if line.claimed_by and not line.mine and not line.suspended else None,
        limits=levers(session, compiled.diagram, line.instance_id, element, data, actor) if works else (),
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What a user task asks, for taking in its answers."""

    name: Text
    instance_id: str
    is_open: bool
    forms: tuple[Form, ...]


def asked(session: Session, definitions: Definitions, task_id: str, actor: Actor) -> Asked:
    """Of a task of the actor's organisation; raises NotFound. One statement."""
    wanted = {"task_id": task_id, "organisation_id": actor.organisation_id}
    task = session.connection().execute(_asked(actor.role), wanted).first()
    if task is None:
        raise NotFound()
    compiled = definitions.get(session, task.version_id)
    element = compiled.diagram.elements.get(task.element_id)
    if element is None:
        raise NotFound()
    forms = tuple(compiled.forms[name] for name in element.forms)
    return Asked(Text(task.name, task.name_en), task.instance_id, task.state == TaskState.OPEN, forms)


@cache
def _asked(role: Role) -> Select[*tuple[Any, ...]]:
    return (
        select(Task.name, Task.name_en, Task.instance_id, Task.element_id, Task.state, Instance.version_id)
        .join(Instance, Instance.id == Task.instance_id)
        .where(Task.id == bindparam("task_id"))
        .where(access.works_on_task(access.anybody(role), Task.organisation_id, Task.role))
    )


def _shown(element: Element, answered: tuple[AnsweredForm, ...]) -> tuple[AnsweredForm, ...]:
    newest = {each.name: each for each in answered if each.newest}
    return tuple(newest[name] for name in element.shows if name in newest)


def _unsaid(documentation: str, forms: Sequence[Form]) -> str:
    """The lines of the documentation that no text standing in the forms repeats."""
    said = {field.label.zh.strip() for form in forms for field in form.fields if field.type == STATIC}
    return "\n".join(line for line in documentation.splitlines() if line.strip() not in said)
