"""What a case of the conformance table is."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Runs:
    """A construct that runs: `begins` is what waits at first, then each act with what waits after it (see `Play`)."""

    construct: str
    variant: str
    diagram: bytes
    begins: str
    acts: list[tuple[str, str]]
    ran: dict[str, int] = field(default_factory=dict)  # how often each service task
    calls: tuple[bytes, ...] = ()  # what is deployed before it, to be called


@dataclass(frozen=True)
class Refused:
    """A construct that the deploy gate refuses: by which rule, at which element."""

    construct: str
    variant: str
    diagram: bytes
    rule: str
    element: str


Case = Runs | Refused
