"""Every step, sequence flow, lane and message has an id, no id occurs twice, and ids hold no spaces or signs.
Chinese ids are a warning.

每个节点、连线、泳道和消息都有编号，编号不重复，也不含空格和符号。含中文的编号只是警告。

The engine knows steps by their ids alone; a sequence flow without one vanishes without a word.
"""

import re
from collections.abc import Iterable

from engine.definitions.normalising import ENDINGS
from engine.definitions.rules.facts import NODES, Facts, Problem, error, tag, warning

_NEED_ONE = NODES | {"process", "sequenceFlow", "lane", "message"}
_ID = re.compile(r"[^\W\d][\w.-]{0,199}")  # an XML NCName, of the length that the database keeps
# What the engine itself adds to every process under these names.
_TAKEN = frozenset({"Root", "Start", "End", "StartEventSplit", "StartEventJoin"})
_TAKEN_ENDINGS = (".BoundaryEventSplit", ".BoundaryEventJoin", ".EndJoin", *ENDINGS)


def check(facts: Facts) -> Iterable[Problem]:
    seen = set()
    for element in facts.root.iter():
        identity = element.get("id") if isinstance(element.tag, str) else None
        if identity is None or not identity.strip():
            if tag(element) in _NEED_ONE:
                yield error(
                    element,
                    "第 {line} 行的{it}没有编号（id），请补上。",
                    "{it} on line {line} has no id; give it one.",
                    line=element.sourceline,
                )
            continue
        if not _ID.fullmatch(identity):
            yield error(
                element,
                "编号“{id}”不能用：编号由字母或下划线开头，只含字母、数字、下划线、点和连字符，最多 200 个字符。",
                "The id “{id}” can't be used: an id starts with a letter or underscore, has only letters, digits, "
                "underscores, dots and hyphens, and 200 characters at most.",
                id=identity[:60],
            )
        elif not identity.isascii():
            yield warning(
                element,
                "{it}的编号“{id}”含有英文以外的文字：能运行，但多数建模工具打开时会丢掉这个元素，请改用英文字母和数字。",
                "The id “{id}” of {it} has letters beyond a to z: it runs, but most modelers drop the element when "
                "they open the file; use a to z and digits.",
                id=identity[:60],
            )
        if identity in seen:
            yield error(
                element,
                "编号“{id}”重复：{it}与另一个元素同号，请改成不同的编号。",
                "The id “{id}” occurs twice: {it} shares it with another element; change one of them.",
                id=identity,
            )
        if (identity in _TAKEN or identity.endswith(_TAKEN_ENDINGS)) and tag(element) in NODES:
            yield error(
                element,
                "{it}的编号是系统保留的，请换一个编号。",
                "{it} has an id that the engine keeps for itself; choose another.",
            )
        seen.add(identity)
