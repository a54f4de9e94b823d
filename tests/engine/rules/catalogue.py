"""docs/rules.md, made of the rules themselves: `python -m tests.engine.rules.catalogue` writes it anew.

What a rule demands and why is its docstring (English, Chinese, the reasons); what it says, and how grave that is, are
the sentences in its code; what keeps and what breaks it are the diagrams of its tests.
"""

import ast
import importlib
import inspect
from collections.abc import Iterator

from engine.definitions.findings import Severity
from engine.definitions.rules import RULES
from tests.conftest import ROOT
from tests.engine.rules.examples import INVALID, VALID, Example

PAGE = ROOT / "docs" / "rules.md"

_HEAD = """\
# 流程图的部署规则 · What the deploy gate demands of a diagram

Every deployment, by command, page or start-up, asks these {count} rules first, and `flask --app web lint FOLDER` asks
them without deploying. An **error** blocks; a **warning** or a **hint** (`info`) does not. A file that can't be read
at all is refused as `diagram_readable`, forms as `forms_readable`; last of all the engine itself loads the diagram
(`engine_loads_it`). All of it happens in a process that is ended when a file takes too long (`examined_in_time`). Each
finding names the element by its id.

错误会阻止部署，警告和提示不会。每条结论都写明元素编号和应当怎样修改。

Each rule has examples in `tests/engine/rules/diagrams/<rule>/`, which any BPMN editor opens; a note in the invalid ones
says which element is blamed, and why. They use the forms beside them and one handler, `tell`, that only tests have.

This page is written by `python -m tests.engine.rules.catalogue`; a test compares.
"""
_SEVERITIES = {"error": Severity.ERROR, "warning": Severity.WARNING, "info": Severity.INFO}
_NAMES = {Severity.ERROR: "错误 error", Severity.WARNING: "警告 warning", Severity.INFO: "提示 info"}


def page() -> str:
    return "\n".join([_HEAD.format(count=len(RULES)), *(section for rule in RULES for section in _section(rule))])


def _section(rule: str) -> Iterator[str]:
    module = importlib.import_module(f"engine.definitions.rules.{rule}")
    demand, chinese, *reasons = inspect.cleandoc(module.__doc__ or "").split("\n\n")
    yield f"## {rule}\n"
    yield f"{chinese}\n"
    yield f"{demand}\n"
    yield from (f"{reason}\n" for reason in reasons)
    yield "What it says · 结论:\n"
    for severity, zh, en in _sentences(inspect.getsource(module)):
        yield f"- {_NAMES[severity]}: {zh}<br>{en}"
    yield "\nExamples to open in an editor · 可在流程图编辑器中打开的示例:\n"
    yield f"- 正确 valid: {_links(rule, VALID)}"
    yield f"- 错误 invalid: {_links(rule, INVALID)}\n"


def _links(rule: str, examples: list[Example]) -> str:
    """Links to a rule's examples, as seen from the page."""
    return "; ".join(f"[{each.what}](../{each.path.relative_to(ROOT)})" for each in examples if each.rule == rule)


def _sentences(source: str) -> Iterator[tuple[Severity, str, str]]:
    """Severity, Chinese and English of what a rule may say, in the order of its code; `{it}` is the element."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda call: call.lineno):
        texts = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        severities = [
            _SEVERITIES[name.id]
            for name in ast.walk(call.func)
            if isinstance(name, ast.Name) and name.id in _SEVERITIES
        ]
        if len(texts) == 2:
            yield from ((severity, *(_told(text) for text in texts)) for severity in severities)  # type: ignore[misc]


def _told(text: str) -> str:
    return text.replace("{it}", "…").replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
