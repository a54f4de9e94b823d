"""Tell organisations something about an instance, in their inbox and at their contacts."""

from collections.abc import Sequence

from engine.runtime.calls import Call
from engine.telling.tables import Severity
from engine.telling.telling import tell
from engine.text import Text


def notify(call: Call, *, to: Sequence[str], text: str, text_en: str = "", severity: str = Severity.INFO) -> None:
    """One notice to each organisation that plays one of the roles `to` for this instance, and a message of it to each
    of their contacts outside the platform.

    Roles are those of lanes (`enterprise`, `authority`, `support`), and `province`.
    """
    tell(
        call.session,
        call.instance,
        [call.organisation(role) for role in to],
        Text(text, text_en),
        element_id=call.element.id,
        at=call.now,
        severity=Severity(severity),
    )
