"""What a service task may call: a function registered under a name, given to the engine as a mapping.

A handler takes the call (`engine.runtime.calls.Call`) and keyword-only parameters, whose values the diagram
writes as expressions. What it returns (a mapping of plain JSON values) goes to the variable the diagram names.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

Handler = Callable[..., Mapping[str, Any] | None]
Parameters = tuple[frozenset[str], frozenset[str]]  # names of those that are required, and of those that are not


def parameters(handler: Handler) -> Parameters:
    """What a handler takes."""
    keyword_only = [
        p for p in inspect.signature(handler).parameters.values() if p.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    required = frozenset(p.name for p in keyword_only if p.default is inspect.Parameter.empty)
    return required, frozenset(p.name for p in keyword_only) - required
