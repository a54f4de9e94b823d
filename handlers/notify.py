"""Tell organisations something about an instance, in their inbox."""

from collections.abc import Sequence

from engine.runtime.calls import Call
from engine.runtime.tables import Notice, Severity


def notify(call: Call, *, to: Sequence[str], text: str, text_en: str = "", severity: str = Severity.INFO) -> None:
    """One notice to each organisation that plays one of the roles `to` for this instance.

    Roles are those of lanes (`enterprise`, `authority`, `support`), and `province`.
    """
    for role in to:
        call.session.add(
            Notice(
                organisation_id=call.organisation(role).id,
                instance_id=call.instance.id,
                element_id=call.element.id,
                severity=Severity(severity),
                text=text,
                text_en=text_en,
                at=call.now,
            )
        )
