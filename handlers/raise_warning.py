"""自动预警 (boxes F5, F10, F14): a notice that stands out, and that the province sees."""

from collections.abc import Sequence

from engine.runtime.calls import Call
from engine.telling.tables import Severity
from handlers.notify import notify


def raise_warning(call: Call, *, to: Sequence[str], text: str, text_en: str = "") -> None:
    """A 预警 to each organisation that plays one of the roles `to` for this instance."""
    notify(call, to=to, text=text, text_en=text_en, severity=Severity.WARNING)
