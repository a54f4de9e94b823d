"""The rows of the instances in hand: read and written by statements that are built once.

Everything else reads and writes through the object mapper, which builds each statement anew and keeps track of each
object. For what every step of every instance reads and writes that would take longer than running the workflow does.
So these rows are objects of the mapped classes that belong to no session: when they are written, what was read is
compared with what it is by then, and what is new is inserted, a table at a time.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CursorResult,
    Delete,
    Insert,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session, defer
from sqlalchemy.orm.instrumentation import manager_of_class

from engine.calendar.versions import NEWEST
from engine.database import Base
from engine.errors import Conflict
from engine.people.tables import Contact, Organisation, OrganisationKey
from engine.runtime.tables import UNENDED, Instance, Party, Subscription, Task, TaskState, Timer

Row = TypeVar("Row", bound=Base)


def table(kind: type[Base]) -> Table:
    return cast(Table, kind.__table__)


def of(kind: type[Row], values: Mapping[str, Any]) -> Row:
    """An object with a value for each of its columns, which belongs to no session."""
    row: Row = manager_of_class(kind).new_instance()
    row.__dict__.update(values)
    return row


_IDS: BindParameter[str] = bindparam("ids", expanding=True)


def locked(ids: Any, *, skip_locked: bool = False) -> Select[Any]:
    """Instances under their lock; without those that somebody else has in hand, where these are to be skipped (on
    PostgreSQL: on SQLite one queues for the one write lock)."""
    return select(table(Instance)).where(Instance.id.in_(ids)).with_for_update(skip_locked=skip_locked)


def locked_rows(*which: ColumnElement[bool], skip_locked: bool = False) -> Select[Instance]:
    """Instances under their lock, in one order, where the workflow stays as it is and so is not read."""
    rows = select(Instance).where(*which).order_by(Instance.id).options(defer(Instance.state))
    return rows.with_for_update(skip_locked=skip_locked)


LOCKED = locked(_IDS)
NOT_IN_HAND = locked(_IDS, skip_locked=True)
UNENDED_TIMERS = select(table(Timer)).where(Timer.instance_id.in_(_IDS), Timer.state.in_(UNENDED))
# Who takes part, by what they are found, where they are told, what waits for them, and the newest calendar's version:
# one statement, with a row for each key, contact and task of a party.
PARTIES = (
    select(
        *table(Task).columns,
        Party.instance_id.label("takes_part_in"),
        *(column.label(f"party_{column.name}") for column in table(Organisation).columns),
        *(column.label(f"contact_{column.name}") for column in table(Contact).columns),
        *(OrganisationKey.role.label("key_role"), OrganisationKey.key.label("key")),
        NEWEST.label("calendar"),
    )
    .select_from(table(Party))
    .join(table(Organisation), Organisation.id == Party.organisation_id)
    .outerjoin(table(OrganisationKey), OrganisationKey.organisation_id == Organisation.id)
    .outerjoin(table(Contact), and_(Contact.organisation_id == Organisation.id, Contact.active))
    .outerjoin(
        table(Task),
        and_(
            Task.instance_id == Party.instance_id,
            Task.role == Party.role,
            Task.organisation_id == Party.organisation_id,
            Task.state == TaskState.OPEN,
        ),
    )
    .where(Party.instance_id.in_(_IDS))
)


_IN_HAND = "rows"  # in a session's `info`


def in_hand(session: Session) -> "Rows | None":
    """The rows that are held in the session's transaction, if any are."""
    return session.info.get(_IN_HAND)


class Rows:
    """Those of one transaction. What is added or changed is written by `write`, and by nothing else."""

    def __init__(self, session: Session) -> None:
        session.info[_IN_HAND] = self
        self._connection = session.connection()
        self._held: list[tuple[Base, dict[str, Any]]] = []  # a row as it is, and as it stands in the database
        self._appended: dict[Table, list[dict[str, Any]]] = defaultdict(list)
        self._forgotten: set[str] = set()

    def read(self, kind: type[Row], statement: Select[Any], **values: Any) -> list[Row]:
        """What a query of all columns of a table finds."""
        return [self.hold(kind, dict(each)) for each in self._connection.execute(statement, values).mappings()]

    def hold(self, kind: type[Row], values: dict[str, Any]) -> Row:
        """A row that stands in the database with these values, all of its columns."""
        row = of(kind, values)
        self._held.append((row, values))
        return row

    def held(self, kind: type[Row], id_: str) -> Row | None:
        """One that was read or added before, as it is now."""
        return next((row for row, _ in self._held if isinstance(row, kind) and row.__dict__["id"] == id_), None)

    def add(self, kind: type[Row], values: Mapping[str, Any]) -> Row:
        """A new row, with a value for each of its columns; it may still change before it is written."""
        row = of(kind, values)
        self._held.append((row, {}))
        return row

    def append(self, kind: type[Base], values: dict[str, Any]) -> None:
        """A new row that nobody looks at again."""
        self._appended[table(kind)].append(values)

    def forget(self, subscriptions: Iterable[str]) -> None:
        """Messages that are not awaited any more, by id."""
        self._forgotten.update(subscriptions)

    def write(self) -> None:
        """Raises Conflict where an instance is not what it was when it was read."""
        new: dict[Table, list[dict[str, Any]]] = defaultdict(list)
        changed: dict[tuple[Table, tuple[str, ...]], list[dict[str, Any]]] = defaultdict(list)
        for row, was in self._held:
            is_ = {name: row.__dict__[name] for name in columns(type(row))}
            if not was:
                new[table(type(row))].append(is_)
            elif different := {name: value for name, value in is_.items() if value != was[name]}:
                which = {f"the_{name}": was[name] for name in _told_by(table(type(row)))}
                if isinstance(row, Instance):
                    different["revision"] = is_["revision"] = row.revision = was["revision"] + 1
                changed[table(type(row)), tuple(different)].append(different | which)
            was.update(is_)
        for into, values in (*new.items(), *self._appended.items()):
            self._connection.execute(_inserting(into), values)
        self._appended.clear()
        if self._forgotten:
            self._connection.execute(_FORGETTING, {"ids": list(self._forgotten)})
            self._forgotten.clear()
        for (of_table, names), each in changed.items():
            done = cast(CursorResult[Any], self._connection.execute(_updating(of_table, names), each))
            if done.rowcount != len(each):
                raise Conflict()


_FORGETTING: Delete = delete(table(Subscription)).where(Subscription.id.in_(_IDS))


@cache
def columns(kind: type[Base]) -> tuple[str, ...]:
    return tuple(column.name for column in table(kind).columns)


def _told_by(which: Table) -> tuple[str, ...]:
    """The columns a row is found by: an instance by its revision too, so that each save swaps the one it read for the
    next, or fails."""
    return ("id", "revision") if which is table(Instance) else ("id",)


@cache
def _inserting(into: Table) -> Insert:
    return insert(into)


@cache
def _updating(which: Table, names: tuple[str, ...]) -> Update:
    found = [which.c[name] == bindparam(f"the_{name}") for name in _told_by(which)]
    return update(which).where(*found).values({name: bindparam(name) for name in names})
