"""How long closed applications are kept is a period up to a hundred years; who asks for personal data states it.

保存期限（retention）写成 P5Y、P18M 或 P30D，从一天到一百年；表单收集个人信息的流程要写明保存期限。

What nobody set an end to is kept for ever, and the law allows personal data to be kept only as long as it is needed.
"""

from collections.abc import Iterable

from engine.definitions import retention
from engine.definitions.fields import Field
from engine.definitions.rules.facts import Facts, Problem, error, warning, wf


def check(facts: Facts) -> Iterable[Problem]:
    stated = wf(facts.process, "retention")
    if stated is not None and retention.read(stated) is None:
        yield error(
            facts.process,
            "{it}的保存期限是“{stated}”；请写 P5Y（年）、P18M（月）或 P30D（天），最长一百年。",
            "The retention period of {it} is “{stated}”; write P5Y (years), P18M (months) or P30D (days), a hundred "
            "years at most.",
            stated=stated,
        )
    used = {
        name for element in [*facts.nodes, *facts.messages.values()] for name in (wf(element, "form") or "").split()
    }
    asking = sorted(name for name in used & facts.forms.keys() if _asks_personal(facts.forms[name].questions))
    if stated is None and asking:
        yield warning(
            facts.process,
            "{it}收集个人信息（表单“{form}”），但没有写保存期限，将一直保存；请写 retention，如 P5Y。",
            "{it} asks for personal data (in the form “{form}”) and states no retention period, so it is kept for "
            "ever; write retention, such as P5Y.",
            form=asking[0],
        )


def _asks_personal(fields: Iterable[Field]) -> bool:
    return any(field.personal is not None or _asks_personal(field.fields) for field in fields)
