"""The rows of uploaded files: one per upload."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base, UtcDateTime, new_id

MAX_NAME = 200  # characters


class StoredFile(Base):
    """One upload. A draft until the answers that hold it are submitted; then it belongs to their instance."""

    __tablename__ = "stored_files"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str] = mapped_column(String(MAX_NAME))
    size: Mapped[int]  # bytes
    media_type: Mapped[str] = mapped_column(String(100))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)  # the uploader's
    uploaded_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    instance_id: Mapped[str | None] = mapped_column(String(32), index=True)  # no foreign key: a room above this one

    def as_answer(self) -> dict[str, str | int]:
        """What a form's answers hold of the file."""
        return {"file_id": self.id, "name": self.name, "size": self.size, "sha256": self.sha256}
