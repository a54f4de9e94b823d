"""Doing a command once, however often it arrives: a double click, a browser's re-send, a proxy's retry.

Whoever hands in a command may name it by a key of their own. The key is written in the command's own transaction, so
it is there exactly when the command is done; a repeat finds it, does nothing, and gets the answer of the first. One
that arrives while the first still runs waits for it: on PostgreSQL for the key's row, on SQLite for the write lock.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from engine.database import insert
from engine.errors import Conflict, Invalid, Refusal
from engine.runtime.tables import CommandDone
from engine.text import Text

KEPT = timedelta(days=30)  # nothing sends a request again after so long
KEY = re.compile(r"[!-~]{1,64}")  # visible ASCII


class CommandKind(StrEnum):
    START = "start"
    COMPLETE = "complete"
    MESSAGE = "message"
    INTERVENE = "intervene"


class KeyUnusable(Invalid):
    sentence = Text(
        "防重复提交的标识只能是 1 至 64 个可见的 ASCII 字符。",
        "The key against repeated submission has to be 1 to 64 visible ASCII characters.",
    )


class DoneOtherwise(Conflict):
    sentence = Text(
        "这个页面已经提交过，内容与这次不同；这次的内容没有提交。如需再次提交，请重新打开页面填写。",
        "This page was submitted before, with other content; this time nothing was submitted. To submit again, "
        "open the page anew.",
    )


class AlreadyDone(Refusal):
    """The same command was done before. Ends the repeat's transaction; whoever gave the key catches it."""

    def __init__(self, result: str) -> None:
        super().__init__()
        self.result = result


@dataclass(frozen=True, slots=True)
class Once:
    """A command under its key. `about` and `answers` tell whether a repeat of the key is a repeat of the command."""

    account_id: str
    key: str
    kind: CommandKind
    about: tuple[str, ...]  # what it is done to: a process, a task, an instance and a message
    answers: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not KEY.fullmatch(self.key):
            raise KeyUnusable()

    def take(self, session: Session, result: str, now: datetime) -> None:
        """Mark the command as done with this result, as far as the transaction is ever committed. One statement, two
        for a repeat. Raises AlreadyDone for a repeat and DoneOtherwise where the key names another command."""
        request = self._request()
        done_now = {"account_id": self.account_id, "key": self.key, "kind": self.kind, "request": request}
        if session.connection().scalar(_taking(session), done_now | {"result": result, "at": now}):
            return
        done = session.execute(
            select(CommandDone.request, CommandDone.result).where(
                CommandDone.account_id == self.account_id, CommandDone.key == self.key
            )
        ).one()
        if done.request != request:
            raise DoneOtherwise()
        raise AlreadyDone(done.result)

    def _request(self) -> str:
        said = json.dumps([self.kind, self.about, _as_sent(self.answers)], sort_keys=True, default=str)
        return hashlib.sha256(said.encode()).hexdigest()


def _taking(session: Session) -> ReturningInsert[Any]:
    """Built once per database: every command takes its key."""
    memory = session.info.setdefault("memory", {})
    if "taking a key" not in memory:
        memory["taking a key"] = insert(session, CommandDone).on_conflict_do_nothing().returning(CommandDone.key)
    built: ReturningInsert[Any] = memory["taking a key"]
    return built


def forget_old(session: Session, before: datetime) -> int:
    """Delete the keys of commands done before a moment; how many they were."""
    gone = session.execute(delete(CommandDone).where(CommandDone.at < before))
    return gone.rowcount if isinstance(gone, CursorResult) else 0


def is_time_to_forget(session: Session, now: datetime) -> bool:
    """Whether some key is a day older than keys are kept: true at most once a day if `forget_old` follows."""
    oldest = session.scalar(select(func.min(CommandDone.at)))
    return oldest is not None and oldest < now - KEPT - timedelta(days=1)


def _as_sent(value: Any) -> Any:
    """Answers with each file as its content and name: the same file sent again is stored as an upload of its own."""
    if isinstance(value, Mapping):
        if "file_id" in value:
            return [value.get("name"), value.get("sha256") or value["file_id"]]
        return {str(key): _as_sent(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_as_sent(inner) for inner in value]
    return value
