"""Organisations and accounts: how they are made, and how a person proves to be one."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.errors import Conflict, Invalid, NotFound
from engine.people import passwords
from engine.people.tables import LONGEST_NAME, Account, Organisation, OrganisationKey, Role
from engine.text import Text

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,59}")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is doing something, as far as the rules of access care."""

    account_id: str
    username: str
    name: str
    role: Role
    organisation_id: str
    manages: bool = False  # the accounts of the own organisation
    heads: bool = False  # the section (科长)


Tell = Callable[[Session, Account], None]
"""Writes to an account's person about what has just been done to it, in the same transaction."""


class WrongCredentials(Invalid):
    """`account_id` is whose password was wrong, for the audit trail and never for whoever tries."""

    sentence = Text("用户名或密码不正确。", "The user name or the password is wrong.")

    def __init__(self, account_id: str | None = None) -> None:
        self.account_id = account_id
        super().__init__()


class UsernameRefused(Invalid):
    sentence = Text(
        "用户名“{username}”不可用：须为 2 至 60 个小写字母、数字、点、下划线或连字符，以字母或数字开头。",
        "The user name “{username}” can't be used: it needs 2 to 60 lower-case letters, digits, dots, underscores or "
        "hyphens, and starts with a letter or digit.",
    )


class UsernameTaken(Conflict):
    sentence = Text("用户名“{username}”已被使用。", "The user name “{username}” is taken.")


class PersonNameRefused(Invalid):
    sentence = Text(
        "姓名最多 {most} 个字，且不能含看不见的字符，请重新输入。",
        "A person's name can have {most} characters at most, and none that can't be seen; type it again.",
    )


class OrganisationKeyTaken(Conflict):
    sentence = Text("“{key}”已登记在“{organisation}”名下。", "“{key}” is already registered for “{organisation}”.")


class OrganisationUnnamed(Invalid):
    sentence = Text("单位名称和代码不能为空。", "An organisation needs a name, and its codes can't be blank.")


def create_organisation(
    session: Session,
    role: Role,
    name: str,
    keys: Iterable[str],
    *,
    now: datetime,
    by: str | None = None,
    name_en: str = "",
) -> Organisation:
    """Register an organisation under the keys by which diagrams find it (see OrganisationKey).

    `by` is an account's id, None for the command line.

    Raises OrganisationUnnamed, and OrganisationKeyTaken where a key of that role already leads to another.
    """
    name, keys = name.strip(), [key.strip() for key in keys]
    if not name or not all(keys):
        raise OrganisationUnnamed()
    for key in keys:
        if holder := organisation_for(session, role, key):
            raise OrganisationKeyTaken(key=key, organisation=Text(holder.name, holder.name_en))
    organisation = Organisation(role=Role(role), name=name, name_en=name_en.strip())
    session.add(organisation)
    session.flush()
    session.add_all(OrganisationKey(role=Role(role), key=key, organisation_id=organisation.id) for key in keys)
    session.flush()
    record(
        session,
        SystemEventKind.ORGANISATION_CREATED,
        at=now,
        actor_id=by,
        organisation_id=organisation.id,
        role=organisation.role,
    )
    return organisation


_BY_KEY = (
    select(Organisation)
    .join(OrganisationKey, OrganisationKey.organisation_id == Organisation.id)
    .where(OrganisationKey.role == bindparam("role"), OrganisationKey.key == bindparam("key"))
)


def organisation_for(session: Session, role: Role | str, key: str) -> Organisation | None:
    """The organisation a diagram means by a role and a key, or None where nobody is registered."""
    return session.scalar(_BY_KEY, {"role": role, "key": key})


def create_account(
    session: Session,
    *,
    organisation: Organisation,
    username: str,
    password: str,
    name: str,
    now: datetime,
    manages: bool = False,
    heads: bool = False,
    email: str | None = None,
    by: str | None = None,
) -> Account:
    """An account of an organisation; its role is the organisation's. One that `manages` looks after the others of it,
    one that `heads` an office gives its tasks to whom it thinks fit.

    `by` is the id of the account that makes it, None for the command line.

    Raises UsernameRefused, UsernameTaken, PersonNameRefused, PasswordRefused.
    """
    username = checked_username(username)
    name = name.strip() or username
    if len(name) > LONGEST_NAME or not name.isprintable():  # one of these makes a name read as another's
        raise PersonNameRefused(most=LONGEST_NAME)
    passwords.check(password, about=(username, name, organisation.name, organisation.name_en))
    if session.scalar(select(func.count()).where(Account.username == username)):
        raise UsernameTaken(username=username)
    account = Account(
        username=username,
        password_hash=passwords.hashed(password),
        name=name,
        role=organisation.role,
        organisation_id=organisation.id,
        manages=manages,
        heads=heads,
        email=email,
        created_at=now,
    )
    session.add(account)
    session.flush()
    record(
        session,
        SystemEventKind.ACCOUNT_CREATED,
        at=now,
        actor_id=by,
        account_id=account.id,
        organisation_id=organisation.id,
        role=account.role,
    )
    return account


def authenticate(session: Session, username: str, password: str) -> Actor:
    """Who logs in with these; raises WrongCredentials, whichever of the two is wrong or the account is inactive."""
    account = session.scalar(select(Account).where(Account.username == normalised(username)))
    right = passwords.verify(account.password_hash if account else None, password)
    if account is None or not right or not account.active:
        raise WrongCredentials(account.id if account else None)
    return actor_from(account)


def names_of(account: Account, organisation: Organisation) -> tuple[str, ...]:
    """What somebody who guesses this account's password would try first."""
    return account.username, account.name, organisation.name, organisation.name_en


def rehash_if_outdated(session: Session, account_id: str, password: str) -> None:
    """Keep a password just verified under today's parameters."""
    account = session.get_one(Account, account_id)
    if passwords.is_outdated(account.password_hash):
        account.password_hash = passwords.hashed(password)


def actor(session: Session, account_id: str) -> Actor:
    """The active account with this id; raises NotFound."""
    return actor_from(account_of(session, account_id)[0])


def account_of(session: Session, account_id: str) -> tuple[Account, Organisation]:
    """The active account with this id, and the organisation it belongs to; raises NotFound."""
    found = session.execute(
        select(Account, Organisation)
        .join(Organisation, Account.organisation_id == Organisation.id)
        .where(Account.id == account_id, Account.active)
    ).first()
    if found is None:
        raise NotFound()
    return found[0], found[1]


def key_of(session: Session, actor: Actor) -> str | None:
    """By which key diagrams find the actor's own organisation."""
    return session.scalar(
        select(OrganisationKey.key)
        .where(OrganisationKey.organisation_id == actor.organisation_id, OrganisationKey.role == actor.role)
        .order_by(OrganisationKey.key)
        .limit(1)
    )


def actor_named(session: Session, username: str) -> Actor:
    """Who the active account with this user name stands for; raises NotFound."""
    return actor_from(named(session, username))


def named(session: Session, username: str) -> Account:
    """The active account with this user name; raises NotFound."""
    account = session.scalar(select(Account).where(Account.username == normalised(username)))
    if account is None or not account.active:
        raise NotFound()
    return account


def actor_from(account: Account) -> Actor:
    """Who an account stands for."""
    return Actor(
        account.id,
        account.username,
        account.name,
        Role(account.role),
        account.organisation_id,
        account.manages,
        account.heads,
    )


def checked_username(username: str) -> str:
    """As it is kept; raises UsernameRefused."""
    username = normalised(username)
    if not _USERNAME.fullmatch(username):
        raise UsernameRefused(username=username)
    return username


def normalised(username: str) -> str:
    """A user name as it is kept and compared."""
    return username.strip().lower()
