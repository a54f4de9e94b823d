"""Diagrams that break one rule on personal data: rule → (what is wrong, the diagram, the element blamed)."""

from tests.engine.rules.builder import broken
from tests.engine.rules.cases_drawing import Case

_EXPLANATION = 'name="核实并反馈情况" wf:form="explanation"'


def _asking(form: str) -> str:
    return broken(_EXPLANATION, _EXPLANATION.replace("explanation", form))


CASES: dict[str, list[Case]] = {
    "personal_marked": [
        ("a telephone number that isn't marked", _asking("contact"), "Explain"),
        ("an e-mail address that isn't marked", _asking("address"), "Explain"),
        (
            "a telephone number in a message",
            broken('name="complaint" wf:form="complaint"', 'name="complaint" wf:form="contact"'),
            "Message_Complaint",
        ),
    ],
}

SOUND: dict[str, list[tuple[str, str]]] = {
    "personal_marked": [
        ("a telephone number that is marked", _asking("marked")),
        ("a hotline, which is nobody's own", _asking("hotline")),
    ],
}
