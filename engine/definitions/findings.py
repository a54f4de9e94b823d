"""What the deploy gate has to say about a diagram, in sentences an analyst can act on."""

from dataclasses import dataclass
from enum import StrEnum

from engine.text import Text


class Severity(StrEnum):
    ERROR = "error"  # can't be deployed
    WARNING = "warning"  # runs, but look at it
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong (or odd) with one element, found by one rule. No element: it concerns the whole file."""

    severity: Severity
    rule: str
    element_id: str | None
    element_name: Text
    message: Text


NOWHERE = Text("")

MOST_FINDINGS = 300  # nobody reads more; a diagram gone wrong altogether has thousands


def in_order(findings: list[Finding]) -> list[Finding]:
    """Each finding once, errors first, otherwise in the order in which they were found; at most MOST_FINDINGS."""
    rank = list(Severity)
    return sorted(dict.fromkeys(findings), key=lambda finding: rank.index(finding.severity))[:MOST_FINDINGS]
