"""Correcting a variable of one instance: what a form handed in, or a handler answered, and expressions go by."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from engine.definitions.cleaning import clean, missing, unanswered
from engine.definitions.fields import Field, Form
from engine.definitions.masking import masked
from engine.errors import Invalid
from engine.levers.interventions import by_operator, record
from engine.people.accounts import Actor
from engine.runtime.once import AlreadyDone
from engine.runtime.runtime import Runtime
from engine.runtime.tables import EventKind
from engine.text import Text

LONGEST = 2_000  # characters of a text


class NoSuchVariable(Invalid):
    sentence = Text(
        "该申请目前没有名为“{variable}”的数据；请写成“表单.字段”，如 basic.city。",
        "This application has no variable “{variable}” now; write form.field, such as basic.city.",
    )


class OtherType(Invalid):
    sentence = Text(
        "“{variable}”现在是{before}，新的值也要是{before}。", "“{variable}” is {before} now, and has to stay one."
    )


class ValueTooLong(Invalid):
    sentence = Text("新的值最多 {most} 个字符。", "The new value can have {most} characters at most.")


class NoAnswer(Invalid):
    """The variable is what a form asks for, and the form would not take the new value."""

    sentence = Text("{problem}", "{problem}")


class Compound(Invalid):
    sentence = Text(
        "“{variable}”不是单个的值，请指明其中的一项。", "“{variable}” is not a single value; name one of its parts."
    )


_TYPES = {
    str: Text("文字", "text"),
    bool: Text("是/否", "yes or no"),
    int: Text("数字", "a number"),
    float: Text("数字", "a number"),
    type(None): Text("空值", "empty"),
}


def correct_variable(
    runtime: Runtime,
    instance_id: str,
    variable: str,
    value: str | float | bool | None,
    reason: str,
    actor: Actor,
    now: datetime,
    *,
    written: bool = False,
    once: str | None = None,
) -> None:
    """Give a single value such as `basic.city` another one of its type, for all branches that know it. A value that
    somebody has `written` is read as what the variable is: a number, true or false, or a text.

    Tasks that are open stay where they are; answers stay as they were handed in. A suspended instance can be corrected.
    Raises NotFound, NotAllowed, ReasonMissing, InstanceClosed, NoSuchVariable, Compound, OtherType, ValueTooLong,
    NoAnswer.
    """
    about = ("correct", reason, actor, now, once, variable, repr(value))
    with suppress(AlreadyDone), by_operator(runtime, instance_id, *about) as run:
        *above, name = variable.strip().split(".")
        known = list(_known(run.workflow, above, name))
        live = [holder[name] for holder, is_live in known if is_live]
        if not live:
            raise NoSuchVariable(variable=variable)
        if written and isinstance(value, str):
            value = _read(value, live[0])
        for before in live:
            if type(before) not in _TYPES:
                raise Compound(variable=variable)
            if _TYPES[type(before)] != _TYPES.get(type(value)):
                raise OtherType(variable=variable, before=_TYPES[type(before)])
        if isinstance(value, str) and len(value) > LONGEST:
            raise ValueTooLong(most=LONGEST)
        field = _field(run.compiled.forms, above, name)
        _refuse_no_answer(field, value)
        for holder, _ in known:
            holder[name] = value
        before = [_kept(field, v) for n, v in enumerate(live) if v not in live[:n]]
        kept = {"variable": variable, "before": before, "after": _kept(field, value)}
        record(run, EventKind.VARIABLE_CORRECTED, actor, reason, kept=kept, variable=variable)


def _field(forms: Mapping[str, Form], above: list[str], name: str) -> Field | None:
    """The field whose answer the variable is, if it is one."""
    form = forms.get(above[0]) if len(above) == 1 else None
    return form.field(name) if form else None


def _kept(field: Field | None, value: Any) -> Any:
    """A value as the row of the correction keeps it: that it was corrected has to be known, whose telephone not."""
    return masked(field.personal, value) if field and field.personal else value


def _refuse_no_answer(field: Field | None, value: Any) -> None:
    """What stands for an answer has to be one that the form would have taken by itself."""
    if field is None:
        return
    cleaned = clean(field, value)
    if cleaned.errors or unanswered(field, cleaned.value):
        raise NoAnswer(problem=next(iter(cleaned.errors.values()), missing(field)))


def _read(text: str, like: Any) -> str | float | bool | None:
    """A text as the type that another value has; what can't be read so stays a text, and is refused as one."""
    if isinstance(like, str):
        return text
    with suppress(ValueError):
        value: Any = json.loads(text)
        return value if type(value) in _TYPES else text
    return text


def _known(workflow: BpmnWorkflow, above: list[str], name: str) -> Iterator[tuple[dict[str, Any], bool]]:
    """Where a variable stands, and whether that is with a live token. What is over has to agree: waiting events read
    it again, and branches that meet compare what they know with what they knew when they parted."""
    for level in (workflow, *workflow.subprocesses.values()):
        for task in level.tasks.values():
            holder: Any = task.data
            for key in above:
                holder = holder.get(key) if isinstance(holder, dict) else None
            if isinstance(holder, dict) and name in holder:
                yield holder, task.has_state(TaskState.READY | TaskState.WAITING | TaskState.STARTED)
