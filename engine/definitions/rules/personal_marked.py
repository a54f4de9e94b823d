"""A form's field for a mobile number, a telephone or an e-mail address says whether it is personal data.

表单里的手机号码、电话和电子邮箱字段要写明是不是个人信息（personal）。

What is marked is masked in lists, notices and logs, leaves with an erasure, and is never shown to those who only
supervise. A hotline or an office's address is marked `false`, so that nobody has to ask again.
"""

from collections.abc import Iterable, Iterator

from engine.definitions.fields import Field
from engine.definitions.rules.facts import Facts, Problem, warning, wf

_CHECKS = frozenset({"mobile", "phone", "email"})


def check(facts: Facts) -> Iterable[Problem]:
    told = set()
    for element in [*facts.nodes, *facts.messages.values()]:
        for name in (wf(element, "form") or "").split():
            if name in told or name not in facts.forms:
                continue
            told.add(name)
            for path, field in _unmarked(facts.forms[name].questions, name):
                yield warning(
                    element,
                    "{it}的字段“{field}”（{path}）没有写明是否个人信息；请写 personal：{kind}，不是的写 false。",
                    "The field “{field}” ({path}) that {it} asks for doesn't say whether it is personal data; write "
                    "personal in the form: {kind}, or false where it is nobody's own.",
                    field=field.label,
                    path=path,
                    kind="email" if field.check == "email" else "phone",
                )


def _unmarked(fields: Iterable[Field], around: str) -> Iterator[tuple[str, Field]]:
    for field in fields:
        yield from _unmarked(field.fields, f"{around}.{field.key}")
        if field.check in _CHECKS and field.personal is None and not field.impersonal:
            yield f"{around}.{field.key}", field
