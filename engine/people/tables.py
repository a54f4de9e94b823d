"""Rows for organisations and their accounts."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base, UtcDateTime, new_id


class Role(StrEnum):
    """What an organisation and its accounts are in the process. A lane of a diagram names one of the first four."""

    ENTERPRISE = "enterprise"  # 实名制软硬件企业
    AUTHORITY = "authority"  # A市住房城乡建设领域主管部门
    SUPPORT = "support"  # 技术支持单位
    PROVINCE = "province"  # 省级监督
    ANALYST = "analyst"  # 流程分析员
    ADMIN = "admin"  # 平台管理员


class Organisation(Base):
    __tablename__ = "organisations"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    role: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200), default="")


class OrganisationKey(Base):
    """By what a diagram finds an organisation: (role, key) → organisation.

    An enterprise's key is its 统一社会信用代码; an authority's and a support unit's are the city codes they serve
    (one unit may serve several cities); the province's is 440000.
    """

    __tablename__ = "organisation_keys"

    role: Mapped[str] = mapped_column(String(20), primary_key=True)
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)


LONGEST_NAME = 60  # characters, of a person


class Account(Base):
    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    username: Mapped[str] = mapped_column(String(60), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    role: Mapped[str] = mapped_column(String(20))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)
    active: Mapped[bool] = mapped_column(default=True)
    manages: Mapped[bool] = mapped_column(default=False)  # the accounts of the own organisation
    heads: Mapped[bool] = mapped_column(default=False)  # the section (科长): an office's only
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    email: Mapped[str | None] = mapped_column(String(254), index=True)  # its person's own, in lower case


class AccountErasure(Base):
    """An account whose person was erased: it stays for what refers to it, and can't be used or activated again."""

    __tablename__ = "account_erasures"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    reason: Mapped[str] = mapped_column(String(500))


class ContactKind(StrEnum):
    EMAIL = "email"
    WEBHOOK = "webhook"


class Contact(Base):
    """Where an organisation wants to hear of its notices outside the platform. A removed one stays, inactive."""

    __tablename__ = "contacts"
    __table_args__ = (UniqueConstraint("organisation_id", "kind", "address"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"))
    kind: Mapped[str] = mapped_column(String(10))
    address: Mapped[str] = mapped_column(String(500))
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)  # signs what a webhook gets; encrypted with the keyring
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Proof(StrEnum):
    """How somebody who is logged in has shown to be who they are."""

    PASSWORD = "password"  # noqa: S105
    CODE = "code"  # password and code
    SIGN_ON = "signon"  # at the OpenID provider
    SIGN_ON_AND_CODE = "signon_2f"  # there with a second factor, or there and with the code here

    @property
    def two_factors(self) -> bool:
        return self in (Proof.CODE, Proof.SIGN_ON_AND_CODE)


class System(Base):
    """接入系统: a machine of a city that asks the platform by a credential. A revoked one stays."""

    __tablename__ = "systems"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    credential_hash: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(8))  # last characters, to tell credentials apart
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # to the minute
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LoginSession(Base):
    """A browser somebody is logged in with. One that has ended is deleted."""

    __tablename__ = "login_sessions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    agent: Mapped[str] = mapped_column(String(300))
    address: Mapped[str] = mapped_column(String(45))
    two_factors: Mapped[bool]  # was there a second factor when it was begun?
    proven_at: Mapped[datetime] = mapped_column(UtcDateTime)  # when identity was proven last: at first, logging in
    proven_by: Mapped[str] = mapped_column(String(10))  # a Proof: how
    # What the OpenID provider calls its session that this one was begun with: empty where it gave no name, none where
    # it was begun with a password.
    signon_sid: Mapped[str | None] = mapped_column(String(255), index=True)


class SignOnLink(Base):
    """Who an account's person is at an OpenID provider: `subject` is what its tokens call them."""

    __tablename__ = "signon_links"

    issuer: Mapped[str] = mapped_column(String(300), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), unique=True)
    linked_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SecondFactor(Base):
    """What an account's codes beside the password are made from; see `engine.people.second_factor`."""

    __tablename__ = "second_factors"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)  # encrypted with the keyring
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # before that it is only being set up
    last_step: Mapped[int]  # of the newest code that was used
    recovery: Mapped[list[str]] = mapped_column(JSON)  # hashes of the recovery codes not used yet


class OneTimeLink(Base):
    """A way to set an account's password without the old one. One that was used is deleted."""

    __tablename__ = "one_time_links"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class EmailConfirmation(Base):
    """An address somebody gave as an account's own, until the link sent there is opened. One at a time."""

    __tablename__ = "email_confirmations"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    address: Mapped[str] = mapped_column(String(254))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Throttle(Base):
    """How often something was tried of late; `engine.people.throttling` says what the columns mean."""

    __tablename__ = "throttles"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    until: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
