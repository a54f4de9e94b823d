"""Rows of enterprises that asked to take part."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base, UtcDateTime, new_id


class RegistrationState(StrEnum):
    WAITING = "waiting"  # for an administrator
    APPROVED = "approved"  # the enterprise and its first account were made
    REJECTED = "rejected"  # with a reason; the enterprise may ask again


class Registration(Base):
    """What an enterprise said of itself when it asked for its first account. All moments are real time."""

    __tablename__ = "registrations"
    __table_args__ = (
        Index("ix_registrations_state", "state", "applied_at"),
        Index("ix_registrations_code", "code"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(200))
    code: Mapped[str] = mapped_column(String(18))  # 统一社会信用代码
    legal_representative: Mapped[str] = mapped_column(String(60))
    contact: Mapped[str] = mapped_column(String(60))  # whose account it will be
    mobile: Mapped[str] = mapped_column(String(20))
    email: Mapped[str] = mapped_column(String(254))
    username: Mapped[str] = mapped_column(String(60))  # wanted; an administrator may give another
    state: Mapped[str] = mapped_column(String(10), default=RegistrationState.WAITING)
    applied_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    reason: Mapped[str] = mapped_column(String(500), default="")  # of a rejection
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))  # the first one, once approved
