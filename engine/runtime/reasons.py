"""Why somebody did something: asked for wherever the course of things is left, and kept."""

from engine.errors import Invalid
from engine.text import Text

REASON_LENGTH = 500  # characters


class ReasonMissing(Invalid):
    sentence = Text("请写明处理理由，最多 {most} 个字。", "Give a reason, in {most} characters at most.")


class BasisTooLong(Invalid):
    sentence = Text("依据最多 {most} 个字。", "The legal basis can have {most} characters at most.")


def checked_basis(basis: str) -> str:
    """A legal basis, or none, without white space around it; raises BasisTooLong."""
    basis = basis.strip()
    if len(basis) > REASON_LENGTH or not basis.isprintable():
        raise BasisTooLong(most=REASON_LENGTH)
    return basis


def checked(reason: str) -> str:
    """A reason without white space around it; raises ReasonMissing."""
    reason = reason.strip()
    if not reason or len(reason) > REASON_LENGTH or not reason.isprintable():
        raise ReasonMissing(most=REASON_LENGTH)
    return reason
