"""Tell organisations something about an instance, in their inbox and at their contacts."""

from collections.abc import Sequence

from engine.database import new_id
from engine.runtime import outbox
from engine.runtime.calls import Call
from engine.runtime.tables import Notice, Severity


def notify(call: Call, *, to: Sequence[str], text: str, text_en: str = "", severity: str = Severity.INFO) -> None:
    """One notice to each organisation that plays one of the roles `to` for this instance, and a message of it to each
    of their contacts outside the platform.

    Roles are those of lanes (`enterprise`, `authority`, `support`), and `province`.
    """
    notices = []
    for role in to:
        organisation = call.organisation(role)
        notice = Notice(
            id=new_id(),
            organisation_id=organisation.id,
            instance_id=call.instance.id,
            element_id=call.element.id,
            severity=Severity(severity),
            text=text,
            text_en=text_en,
            at=call.now,
        )
        notices.append((notice, organisation))
    call.session.add_all(notice for notice, _ in notices)
    outbox.enqueue(call.session, call.instance, notices)
