"""A long list, one page at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

T = TypeVar("T")
U = TypeVar("U")

AnySelect: TypeAlias = Select[*tuple[Any, ...]]
AnyRow: TypeAlias = Row[*tuple[Any, ...]]

PAGE_SIZE = 20
MOST_COUNTED = 1000  # rows of a list that may be of any length


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; `number` counts from 1."""

    items: tuple[T, ...]
    number: int
    size: int
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def shown(self) -> list[int | None]:
        """Pages worth a link: the first, the last and those around this one; None stands for those left out."""
        near = {1, self.pages, *range(max(1, self.number - 1), min(self.pages, self.number + 1) + 1)}
        numbers: list[int | None] = []
        for number in sorted(near):
            if numbers and numbers[-1] is not None and number - numbers[-1] > 1:
                numbers.append(None)
            numbers.append(number)
        return numbers

    def map(self, change: Callable[[T], U]) -> "Page[U]":
        return Page(tuple(change(item) for item in self.items), self.number, self.size, self.total)


def counted(session: Session, query: AnySelect, most: int) -> int:
    """How many rows a query finds, counting no further than `most`: what it costs doesn't grow with what there is."""
    return session.scalar(select(func.count()).select_from(query.limit(most).subquery())) or 0


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """A stretch of a list that may be of any length; the rest is what comes after its last item."""

    items: tuple[T, ...]
    starts: bool  # does it begin where the list begins?
    ends: bool
    total: int  # of the whole list, counted no further than MOST_COUNTED

    @property
    def uncounted(self) -> bool:
        """Are there more than were counted?"""
        return self.total == MOST_COUNTED

    def map(self, change: Callable[[T], U]) -> "Slice[U]":
        return Slice(tuple(change(item) for item in self.items), self.starts, self.ends, self.total)


def sliced(session: Session, query: AnySelect, rows: Sequence[T], size: int, *, starts: bool) -> Slice[T]:
    """The first `size` of the rows, of which one more was asked for to see whether there are any; the list is `query`.
    One statement."""
    total = counted(session, query, MOST_COUNTED)
    return Slice(tuple(rows[:size]), starts, len(rows) <= size, total)


def paged(session: Session, query: AnySelect, number: int, size: int = PAGE_SIZE) -> Page[AnyRow]:
    """The rows of page `number`; a number past the end gives the last page, one below 1 the first. Two statements."""
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    last = max(1, -(-total // size))
    number = min(max(1, number), last)
    rows = session.execute(query.limit(size).offset((number - 1) * size)).all() if total else []
    return Page(tuple(rows), number, size, total)
