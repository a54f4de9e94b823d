"""Application numbers: prefix (city code) + Shanghai date + sequence, unique and never reused."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.clock import SHANGHAI
from engine.definitions import lengths
from engine.errors import Invalid
from engine.text import Text

# One statement, the same on both databases: there is no row to lock yet for the first two of a day.
_COUNT_UP = text(
    "INSERT INTO number_sequences (prefix, last) VALUES (:prefix, 1) "
    "ON CONFLICT (prefix) DO UPDATE SET last = number_sequences.last + 1 RETURNING last"
)


class PrefixUnusable(Invalid):
    sentence = Text(
        "申请编号的前缀应是 1 到 {most} 个字符的文字，得到的是“{prefix}”；请改正流程图中的编号前缀。",
        "A number's prefix is a text of 1 to {most} characters, not “{prefix}”; correct the prefix in the diagram.",
    )


def next_number(session: Session, prefix: object, now: datetime) -> str:
    """The next number of a prefix and day, such as 440100-20260918-0001, counted in the caller's transaction.

    Raises PrefixUnusable.
    """
    if not lengths.is_number_prefix(prefix):
        raise PrefixUnusable(most=lengths.NUMBER_PREFIX, prefix=str(prefix)[:60])
    day = f"{prefix}-{now.astimezone(SHANGHAI):%Y%m%d}"
    return f"{day}-{session.scalar(_COUNT_UP, {'prefix': day}):04d}"
