"""Rows of the audit trail that belong to no instance. Apart from the heads in `streams` they are only ever added:
triggers refuse to change or delete them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.audit.chain import GENESIS
from engine.database import Base, UtcDateTime

SYSTEM = "system"  # the stream of `system_events`
ANCHORS = "anchors"  # the chain of `anchors`


class SystemEventKind(StrEnum):
    """What happens outside any one instance. `details` of each in brackets: ids and hashes, nothing personal."""

    LOGGED_IN = "logged_in"  # actor
    LOGIN_FAILED = "login_failed"  # [account_id, none where no account has that name]
    LOGGED_OUT = "logged_out"  # actor
    SIGN_ON_LINKED = "sign_on_linked"  # actor: the account is its person's at the OpenID provider from now on
    SIGN_ON_UNLINKED = "sign_on_unlinked"  # actor: the account is nobody's there any more [account_id]
    SIGNED_OFF = "signed_off"  # the provider ended sessions [account_ids]
    SIGN_ON_REFUSED = "sign_on_refused"  # through the OpenID provider [account_id, none where it isn't known]
    PROVEN_AGAIN = "proven_again"  # actor: who was logged in gave the password (and code) once more
    ORGANISATION_CREATED = "organisation_created"  # actor, none at the command line [organisation_id, role]
    ACCOUNT_CREATED = "account_created"  # actor, none at the command line [account_id, organisation_id, role]
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  (actor)
    LINK_ISSUED = "link_issued"  # actor, none at the command line: a link to set the password of [account_id]
    PASSWORD_RESET = "password_reset"  # noqa: S105  (actor, by such a link)
    PASSWORD_FORGOTTEN = "password_forgotten"  # noqa: S105  (a stranger; [account_ids] of those who get a letter)
    EMAIL_CHANGED = "email_changed"  # actor: its own address was confirmed or taken out
    ACCOUNT_DEACTIVATED = "account_deactivated"  # actor [account_id, put_back: how many tasks]
    ACCOUNT_ACTIVATED = "account_activated"  # actor [account_id]
    ACCOUNT_ERASED = "account_erased"  # actor [account_id, answers: how many lost what was personal]
    DATA_EXPORTED = "data_exported"  # actor [account_id or organisation_id, files: how many]
    MANAGER_SET = "manager_set"  # actor, none at the command line [account_id, manages]
    HEAD_SET = "head_set"  # actor [account_id, heads]
    SECOND_FACTOR_SET = "second_factor_set"  # actor
    SECOND_FACTOR_REMOVED = "second_factor_removed"  # actor, none at the command line [account_id]
    SESSION_ENDED = "session_ended"  # actor: one or more of the own, from another browser
    REGISTRATION_RECEIVED = "registration_received"  # from somebody without an account [registration_id]
    REGISTRATION_APPROVED = "registration_approved"  # actor [registration_id, organisation_id, account_id]
    REGISTRATION_REJECTED = "registration_rejected"  # actor [registration_id]
    SYSTEM_ADDED = "system_added"  # actor [system_id, organisation_id]: a credential for a city's system
    SYSTEM_REVOKED = "system_revoked"  # as above
    CONTACT_ADDED = "contact_added"  # actor, none at the command line [contact_id, organisation_id, channel]
    CONTACT_REMOVED = "contact_removed"  # as above
    VERSION_DEPLOYED = "version_deployed"  # actor, none at the program's start [process, version_id, number, sha256]
    PUT_IN_FORCE = "put_in_force"  # actor, none at the program's start [process, version_id, instead_of]
    CALENDAR_PUBLISHED = "calendar_published"  # actor [version, entries: their ids and hashes]
    TRIAL_CLOCK_MOVED = "trial_clock_moved"  # actor [offset_seconds]
    KEYRING_ROTATED = "keyring_rotated"  # at the command line [key: id of the new one]
    KEYRING_RETIRED = "keyring_retired"  # at the command line [key: id]
    INCIDENT_RETRIED = "incident_retried"  # actor [incident_id, instance_id]; written before it is known how it goes
    INCIDENT_RESOLVED = "incident_resolved"  # actor [incident_id]
    FILE_INFECTED = "file_infected"  # actor: tried to upload it [signature, sha256]


class SystemEvent(Base):
    """One entry of the system's stream. `actor_id` and the ids in `details` outlive the rows they name."""

    __tablename__ = "system_events"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(String(30))
    actor_id: Mapped[str | None] = mapped_column(String(32))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    hash: Mapped[str] = mapped_column(String(64))


class Stream(Base):
    """Where a chain that belongs to no instance ends. Who adds to it locks this row (an instance's is its own row)."""

    __tablename__ = "streams"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    length: Mapped[int] = mapped_column(default=0)
    head: Mapped[str] = mapped_column(String(64), default=GENESIS)
    anchored_length: Mapped[int] = mapped_column(default=0)


class Anchor(Base):
    """The heads of all streams that have grown since the anchor before, under one digest. Anchors are a chain too, so
    whoever has noted one digest elsewhere can tell whether anything that was anchored up to then was rewritten."""

    __tablename__ = "anchors"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)  # real time, also in a trial
    digest: Mapped[str] = mapped_column(String(64))


class AnchoredHead(Base):
    """How long a stream was at an anchor, and the hash of its last entry. `stream` is `system` or an instance's id."""

    __tablename__ = "anchored_heads"
    __table_args__ = (Index("ix_anchored_heads_stream", "stream"),)

    anchor: Mapped[int] = mapped_column(ForeignKey("anchors.sequence"), primary_key=True, autoincrement=False)
    stream: Mapped[str] = mapped_column(String(32), primary_key=True)
    length: Mapped[int]
    head: Mapped[str] = mapped_column(String(64))
