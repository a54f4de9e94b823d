"""What a service task or an end event of a diagram may call. One file each; the diagram uses the names below."""

from collections.abc import Mapping
from types import MappingProxyType

from engine.definitions.handlers import Handler
from handlers.issue_test_key import issue_test_key
from handlers.notify import notify
from handlers.raise_warning import raise_warning
from handlers.record_outcome import record_outcome

HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "issue_test_key": issue_test_key,
        "notify": notify,
        "raise_warning": raise_warning,
        "record_outcome": record_outcome,
    }
)
