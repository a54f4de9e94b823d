"""The list of accounts, for those who manage them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from engine.people.access import Action, manages_account, require
from engine.people.accounts import Actor
from engine.people.tables import Account, Organisation, Role
from engine.text import Text

SHOWN = 100  # accounts; who looks for others searches


@dataclass(frozen=True, slots=True)
class Entry:
    """One account with its organisation."""

    id: str
    username: str
    name: str
    role: Role
    organisation: Text
    active: bool
    manages: bool
    heads: bool
    created_at: datetime


def directory(session: Session, actor: Actor, *, search: str = "") -> tuple[list[Entry], int]:
    """The first accounts by organisation and user name whose names hold `search`, and how many there are in all.

    Raises NotAllowed.
    """
    require(actor, Action.MANAGE_ACCOUNTS)
    query = select(Account, Organisation).join(Organisation, Organisation.id == Account.organisation_id)
    query = query.where(manages_account(actor, Account.organisation_id))
    if words := search.strip():
        columns = (Account.username, Account.name, Organisation.name, Organisation.name_en)
        query = query.where(or_(*(column.icontains(words, autoescape=True) for column in columns)))
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = session.execute(query.order_by(Account.role, Organisation.name, Account.username).limit(SHOWN))
    entries = [
        Entry(
            id=account.id,
            username=account.username,
            name=account.name,
            role=Role(account.role),
            organisation=Text(organisation.name, organisation.name_en),
            active=account.active,
            manages=account.manages,
            heads=account.heads,
            created_at=account.created_at,
        )
        for account, organisation in rows
    ]
    return entries, total


def names(session: Session, account_ids: Collection[str]) -> dict[str, str]:
    """By account id: how the person is called. One statement."""
    rows = session.execute(select(Account.id, Account.name).where(Account.id.in_(account_ids)))
    return {row.id: row.name for row in rows}
