"""A service task names a handler that exists, and gives it the parameters it takes.

服务任务选择了存在的处理程序，并给出它需要的参数。

An end event may name one too; both write parameters as expressions.
"""

from collections import Counter
from collections.abc import Iterable

from lxml import etree

from engine.definitions.rules.facts import Facts, Problem, error, tag, wf


def check(facts: Facts) -> Iterable[Problem]:
    for node in facts.of_type("serviceTask", "endEvent"):
        name = wf(node, "handler")
        if name is None and tag(node) == "serviceTask":
            yield error(
                node,
                "{it}没有选择处理程序，请在属性里选择（可用：{known}）。",
                "{it} names no handler; choose one of {known}.",
                known=", ".join(sorted(facts.handlers)),
            )
        elif name is not None and name not in facts.handlers:
            yield error(
                node,
                "{it}的处理程序“{name}”不存在，请从这些里选择：{known}。",
                "{it} names the unknown handler “{name}”; choose one of {known}.",
                name=name,
                known=", ".join(sorted(facts.handlers)),
            )
        elif name is not None:
            yield from _parameters(facts, node, name)


def _parameters(facts: Facts, node: etree._Element, handler: str) -> Iterable[Problem]:
    required, optional = facts.handlers[handler]
    names = [param.get("name") or "" for param in facts.params(node)]
    for param in facts.params(node):
        if not (param.get("value") or "").strip():
            yield error(
                node,
                "{it}的参数“{name}”没有值，请填写表达式，文字要加引号。",
                "The parameter “{name}” of {it} has no value; write an expression, words in quotes.",
                name=param.get("name") or "",
            )
    for name in sorted(required - set(names)):
        yield error(
            node,
            "{it}缺少参数“{name}”，处理程序“{handler}”需要它。",
            "{it} lacks the parameter “{name}”, which the handler “{handler}” needs.",
            name=name,
            handler=handler,
        )
    for name in sorted(set(names) - required - optional):
        yield error(
            node,
            "{it}的参数“{name}”是处理程序“{handler}”不认识的，请删除或改正（可用：{known}）。",
            "{it} gives the handler “{handler}” the parameter “{name}”, which it does not take; it takes {known}.",
            name=name,
            handler=handler,
            known=", ".join(sorted(required | optional)) or "—",
        )
    for name in sorted(name for name, times in Counter(names).items() if times > 1):
        yield error(
            node,
            "{it}的参数“{name}”写了两次，请删除一个。",
            "{it} gives the parameter “{name}” twice; remove one.",
            name=name,
        )
