"""Contacts: where an organisation hears of its notices outside the platform, by e-mail or webhook."""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.database import new_id
from engine.definitions import checks
from engine.definitions.fields import Personal
from engine.definitions.masking import masked
from engine.errors import Conflict, Invalid, NotFound
from engine.people.accounts import organisation_for
from engine.people.tables import Contact, ContactKind, Organisation, Role
from engine.runtime.runtime import Runtime
from engine.telling.addresses import reachable
from engine.text import Text

_LONGEST = 500  # characters of an address
_LABELS = {ContactKind.EMAIL: Text("邮箱地址", "E-mail address"), ContactKind.WEBHOOK: Text("推送网址", "Webhook URL")}


class AddressRefused(Invalid):
    sentence = Text("{why}", "{why}")


class ContactKnown(Conflict):
    sentence = Text(
        "“{address}”已登记在“{organisation}”名下。", "“{address}” is already a contact of “{organisation}”."
    )


class NobodyThere(Invalid):
    sentence = Text(
        "没有登记代码为“{key}”、角色为“{role}”的单位。", "No organisation of role “{role}” has the code “{key}”."
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """One active contact with its organisation."""

    id: str
    kind: ContactKind
    address: str
    role: Role
    organisation: Text
    since: datetime


def add(
    runtime: Runtime,
    *,
    role: str,
    key: str,
    kind: str,
    address: str,
    private: bool,
    now: datetime,
    by: str | None = None,
) -> tuple[Entry, str | None]:
    """Register a contact; for a webhook also returns the secret that signs what it gets, which is never shown again.

    A contact that was removed before comes back, a webhook with a new secret. `private`: may a webhook lie inside the
    own network? `by` is an account's id, None for the command line.

    Raises NobodyThere, AddressRefused, HostUnknown, HostInside, ContactKnown.
    """
    kind = ContactKind(kind)
    address = _checked(kind, address.strip())
    if kind is ContactKind.WEBHOOK:
        reachable(address, private=private)  # asks the network, so not inside the transaction
    with runtime.database.write() as session:
        organisation = organisation_for(session, role, key.strip())
        if organisation is None:
            raise NobodyThere(role=role, key=key)
        contact = session.scalar(
            select(Contact).where(
                Contact.organisation_id == organisation.id, Contact.kind == kind, Contact.address == address
            )
        )
        if contact is None:
            contact = Contact(id=new_id(), organisation_id=organisation.id, kind=kind, address=address)
            session.add(contact)
        elif contact.active:
            raise ContactKnown(address=address, organisation=Text(organisation.name, organisation.name_en))
        contact.active, contact.created_at = True, now
        secret = new_secret() if kind is ContactKind.WEBHOOK else None
        if secret:
            contact.secret = runtime.keyring.encrypt(secret.encode(), bound_to=contact.id)
        _record(session, SystemEventKind.CONTACT_ADDED, contact, by, now)
        return _entry(contact, organisation), secret


def remove(session: Session, contact_id: str, *, now: datetime, by: str | None = None) -> Entry:
    """Nothing more is sent there, not even what waits. Raises NotFound."""
    found = session.execute(_active().where(Contact.id == contact_id)).first()
    if found is None:
        raise NotFound()
    contact, organisation = found
    contact.active = False
    _record(session, SystemEventKind.CONTACT_REMOVED, contact, by, now)
    return _entry(contact, organisation)


def listed(session: Session) -> list[Entry]:
    """The active contacts, by organisation."""
    order = (Organisation.role, Organisation.name, Contact.kind, Contact.address)
    return [_entry(contact, organisation) for contact, organisation in session.execute(_active().order_by(*order))]


def new_secret() -> str:
    """`whsec_` and 24 random bytes in base64, as the Standard Webhooks specification writes its secrets."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


def _record(session: Session, kind: SystemEventKind, contact: Contact, by: str | None, now: datetime) -> None:
    facts = {"contact_id": contact.id, "organisation_id": contact.organisation_id, "channel": str(contact.kind)}
    record(session, kind, at=now, actor_id=by, **facts)


def _active() -> Select[Contact, Organisation]:
    return (
        select(Contact, Organisation)
        .join(Organisation, Organisation.id == Contact.organisation_id)
        .where(Contact.active)
    )


def _checked(kind: ContactKind, address: str) -> str:
    """Raises AddressRefused: what is written into a mail's header must be nothing but an address."""
    label = _LABELS[kind]
    if len(address) > _LONGEST:
        raise AddressRefused(why=Text("{label}太长。", "The {label} is too long.").filled(label=label))
    if not address.isascii():
        raise AddressRefused(
            why=Text("{label}只能含英文字符。", "The {label} can hold ASCII only.").filled(label=label)
        )
    check = checks.email if kind is ContactKind.EMAIL else checks.url
    found = check(address)
    if isinstance(found, Text):
        raise AddressRefused(why=found.filled(label=label))
    return found


def _entry(contact: Contact, organisation: Organisation) -> Entry:
    return Entry(
        id=contact.id,
        kind=ContactKind(contact.kind),
        address=masked(Personal.EMAIL, contact.address) if contact.kind == ContactKind.EMAIL else contact.address,
        role=Role(organisation.role),
        organisation=Text(organisation.name, organisation.name_en),
        since=contact.created_at,
    )
