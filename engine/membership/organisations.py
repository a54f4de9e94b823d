"""单位: who takes part, as administrators list and register it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.calendar.regions import CITIES
from engine.database import Database
from engine.definitions import checks
from engine.errors import Conflict, FormRefused
from engine.people.access import Action, require
from engine.people.accounts import Actor, create_organisation
from engine.people.tables import Account, Organisation, OrganisationKey, Role
from engine.runtime.paging import AnyRow, Page, paged
from engine.text import Text

BY_CITY = frozenset({Role.AUTHORITY, Role.SUPPORT})  # found by the cities they serve; others by a code


@dataclass(frozen=True, slots=True)
class Entry:
    """One organisation in the list."""

    id: str
    name: Text
    role: Role
    keys: tuple[str, ...]
    accounts: int  # those that are active


def listed(session: Session, actor: Actor, *, search: str = "", page: int = 1) -> Page[Entry]:
    """By role and name; `search` is part of a name or a whole key. Raises NotAllowed. Three statements."""
    require(actor, Action.ADMINISTER)
    active = select(func.count()).where(Account.organisation_id == Organisation.id, Account.active).scalar_subquery()
    query = select(Organisation, active)
    if words := search.strip():
        key = exists().where(OrganisationKey.organisation_id == Organisation.id, OrganisationKey.key == words.upper())
        columns = (Organisation.name, Organisation.name_en)
        query = query.where(or_(key, *(column.icontains(words, autoescape=True) for column in columns)))
    found = paged(session, query.order_by(Organisation.role, Organisation.name, Organisation.id), page)
    keys = _keys(session, [organisation.id for organisation, _ in found.items])

    def entry(row: AnyRow) -> Entry:
        organisation, accounts = row
        name = Text(organisation.name, organisation.name_en)
        return Entry(organisation.id, name, Role(organisation.role), tuple(keys.get(organisation.id, ())), accounts)

    return found.map(entry)


def register(
    database: Database,
    actor: Actor,
    *,
    role: str,
    name: str,
    name_en: str,
    cities: Sequence[str],
    code: str,
    now: datetime,
) -> Organisation:
    """An authority or a support unit under the cities it serves, any other under a code: an enterprise's is its
    统一社会信用代码. Raises NotAllowed, FormRefused, OrganisationKeyTaken."""
    require(actor, Action.ADMINISTER)
    errors = {}
    if role not in set(Role):
        errors["role"] = Text("请选择角色。", "Choose a role.")
    if not name.strip() or len(name.strip()) > 200 or not name.strip().isprintable():
        errors["name"] = Text("请填写单位名称，最多 200 个字。", "Give the name, in 200 characters at most.")
    if len(name_en.strip()) > 200 or not name_en.strip().isprintable():
        errors["name_en"] = Text("英文名称最多 200 个字符。", "The English name can have 200 characters at most.")
    keys = list(cities) if role in BY_CITY else [code.strip()]
    if wrong := _wrong(role, keys):
        errors["cities" if role in BY_CITY else "code"] = wrong
    if errors:
        raise FormRefused(errors)
    if role == Role.ENTERPRISE:
        keys = [str(checks.uscc(keys[0]))]
    try:
        with database.write() as session:
            return create_organisation(
                session, Role(role), name, keys, now=now, by=actor.account_id, name_en=name_en.strip()
            )
    except IntegrityError as lost:  # somebody else registered the key in the same moment
        raise Conflict() from lost


def _wrong(role: str, keys: Sequence[str]) -> Text | None:
    if role in BY_CITY:
        some = keys and set(keys) <= set(CITIES)
        return None if some else Text("请选择城市，至少一个。", "Choose one city at least.")
    if role == Role.ENTERPRISE:
        found = checks.uscc(keys[0])
        label = Text("统一社会信用代码", "Unified social credit code")
        return found.filled(label=label) if isinstance(found, Text) else None
    sound = 0 < len(keys[0]) <= 40 and keys[0].isprintable()
    return None if sound else Text("请填写单位代码，最多 40 个字符。", "Give a code, in 40 characters at most.")


def _keys(session: Session, organisation_ids: Sequence[str]) -> dict[str, list[str]]:
    query = select(OrganisationKey).where(OrganisationKey.organisation_id.in_(organisation_ids))
    found: dict[str, list[str]] = {}
    for row in session.scalars(query.order_by(OrganisationKey.key)):
        found.setdefault(row.organisation_id, []).append(row.key)
    return found
