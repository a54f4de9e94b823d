"""Rows that verifying test keys leaves behind until the clock puts them away."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base, UtcDateTime


class KeyNonce(Base):
    """A random number that was presented with a test key, kept for as long as its timestamp would be accepted."""

    __tablename__ = "key_nonces"

    key_id: Mapped[str] = mapped_column(ForeignKey("issued_keys.id"), primary_key=True)
    nonce: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)  # real time


class KeyUse(Base):
    """How often a system presented a test key within one minute, and what it was answered; see `key_uses`."""

    __tablename__ = "key_uses"

    key_id: Mapped[str] = mapped_column(ForeignKey("issued_keys.id"), primary_key=True)
    system_id: Mapped[str] = mapped_column(ForeignKey("systems.id"), primary_key=True)
    minute: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)  # process time
    result: Mapped[str] = mapped_column(String(20), primary_key=True)
    count: Mapped[int]
