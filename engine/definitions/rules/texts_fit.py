"""Every text that goes from the diagram into the database fits its column, and a literal number prefix is a short text.

流程图中要写入数据库的文字（名称、结果、消息名、表单名、编号前缀等）不超过规定的长度。

PostgreSQL refuses a longer text in the middle of somebody's application. `ids_unique` looks at the length of ids.
"""

import ast
from collections.abc import Iterable

from lxml import etree

from engine.definitions import expressions, lengths
from engine.definitions.rules.facts import Facts, Problem, error, name_of, wf
from engine.text import Text

_PROCESS_ID = Text("编号", "id")
_NAME = Text("名称", "name")
_NAME_EN = Text("英文名称", "English name")
_OUTCOME = Text("办理结果", "outcome")
_FORM = Text("表单名", "form name")


def check(facts: Facts) -> Iterable[Problem]:
    for element, what, text, most in _texts(facts):
        if len(text) > most:
            yield error(
                element,
                "{it}的{what}有 {count} 个字符，最多 {most} 个；请缩短。",
                "The {what} of {it} has {count} characters, {most} at most; shorten it.",
                what=what,
                count=len(text),
                most=most,
            )
    for node in facts.nodes:
        if prefix := wf(node, "number"):
            yield from _number_prefix(node, prefix)


def _texts(facts: Facts) -> Iterable[tuple[etree._Element, Text, str, int]]:
    process = facts.process
    yield process, _PROCESS_ID, process.get("id") or "", lengths.PROCESS_ID
    yield process, _NAME, name_of(process).zh, lengths.PROCESS_NAME
    yield process, _NAME_EN, name_of(process).en, lengths.PROCESS_NAME
    for node in facts.nodes:
        yield node, _NAME, name_of(node).zh, lengths.STEP_NAME
        yield node, _NAME_EN, name_of(node).en, lengths.STEP_NAME
        yield node, _OUTCOME, wf(node, "outcome") or "", lengths.OUTCOME
    for message in facts.messages.values():
        yield message, _NAME, name_of(message).zh, lengths.MESSAGE
    for element in [*facts.nodes, *facts.messages.values()]:
        for name in (wf(element, "form") or "").split():
            yield element, _FORM, name, lengths.FORM


def _number_prefix(task: etree._Element, text: str) -> Iterable[Problem]:
    """Where the prefix is written out; one that is worked out is looked at when an application gets its number."""
    try:
        prefix = expressions.parse(text).body
    except expressions.ExpressionRefused:
        return  # expressions_readable speaks of it
    if wf(task, "number") is None or not isinstance(prefix, ast.Constant):
        return
    if (
        not isinstance(prefix.value, str)
        or not 0 < len(prefix.value.strip()) <= len(prefix.value) <= lengths.NUMBER_PREFIX
    ):
        yield error(
            task,
            "{it}的编号前缀应是 1 到 {most} 个字符的文字，写在引号里，如 'GD'。",
            "The number prefix of {it} must be a text of 1 to {most} characters in quotes, such as 'GD'.",
            most=lengths.NUMBER_PREFIX,
        )
