"""Uploaded files (附件): content on disk under its SHA-256, one row per upload, type told by content, not by name.

What other rooms use of it stands here.
"""

from engine.files.leaving import forget, forget_drafts, sweep
from engine.files.names import clean_name
from engine.files.refusals import (
    ContentMissing,
    FileContentRefused,
    FileDangerous,
    FileElsewhere,
    FileEmpty,
    FileInfected,
    FileNameRefused,
    FileRefused,
    FileTooLarge,
    FileTypeRefused,
    NoRoomForFile,
)
from engine.files.store import FileStore, told_when_full
from engine.files.tables import StoredFile
from engine.files.taking_in import add, attach

__all__ = [
    "ContentMissing",
    "FileContentRefused",
    "FileDangerous",
    "FileElsewhere",
    "FileEmpty",
    "FileInfected",
    "FileNameRefused",
    "FileRefused",
    "FileStore",
    "FileTooLarge",
    "FileTypeRefused",
    "NoRoomForFile",
    "StoredFile",
    "add",
    "attach",
    "clean_name",
    "forget",
    "forget_drafts",
    "sweep",
    "told_when_full",
]
