"""Rows of running instances. The blob in `instances.state` is the truth; tasks, timers and subscriptions are
projections of it, rewritten in the same transaction."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.audit.chain import GENESIS
from engine.database import Base, UtcDateTime, new_id
from engine.definitions import lengths


class TaskState(StrEnum):
    OPEN = "open"  # waits in an inbox
    COMPLETED = "completed"  # answered by a person
    CANCELLED = "cancelled"  # interrupted by an event of the diagram; still readable


class TimerState(StrEnum):
    WAITING = "waiting"  # due in the future, or due and not yet swept
    PAUSED = "paused"  # the clock stands still; what is left of the limit runs on when it is resumed
    FIRED = "fired"
    CANCELLED = "cancelled"  # what it was attached to ended first


UNENDED = (TimerState.WAITING, TimerState.PAUSED)


class EndedEarly(StrEnum):
    """Why an instance closed before an end event of its diagram was reached."""

    CANCELLED = "cancelled"  # by an operator
    WITHDRAWN = "withdrawn"  # by the organisation that started it


class Instance(Base):
    """One application (one run of the process)."""

    __tablename__ = "instances"
    __table_args__ = (
        # So that finding what the next anchor needs costs what is new, not what there is.
        Index(
            "ix_instances_unanchored",
            "id",
            sqlite_where=text("history_length > anchored_length"),
            postgresql_where=text("history_length > anchored_length"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    version_id: Mapped[str] = mapped_column(ForeignKey("definition_versions.id"), index=True)
    number: Mapped[str | None] = mapped_column(String(40), unique=True)  # city + Shanghai date + sequence
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)  # who started it
    started_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    subject: Mapped[str] = mapped_column(String(300), default="")  # what lists call it, from the diagram
    outcome: Mapped[str | None] = mapped_column(String(lengths.OUTCOME))  # of the first end event that names one
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    suspended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # stands still until an operator resumes it
    ended_early: Mapped[str | None] = mapped_column(String(20))  # an EndedEarly, where it was
    history_length: Mapped[int] = mapped_column(default=0)  # sequence of its last event
    history_head: Mapped[str] = mapped_column(String(64), default=GENESIS)  # hash of its last event
    history_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # moment of its last event
    anchored_length: Mapped[int] = mapped_column(default=0)  # what the last anchor with this instance had of it
    revision: Mapped[int] = mapped_column()
    state: Mapped[bytes] = mapped_column(LargeBinary)

    __mapper_args__ = {"version_id_col": revision}  # noqa: RUF012 (each save swaps the revision it read, or fails)


class Party(Base):
    """An organisation that takes part in an instance, in a role; it may see the instance."""

    __tablename__ = "parties"

    instance_id: Mapped[str] = mapped_column(ForeignKey("instances.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"), primary_key=True, index=True)


class Task(Base):
    """A user task in an organisation's inbox. `id` is the engine's task id, 32 hexadecimal characters."""

    __tablename__ = "tasks"
    __table_args__ = (
        # In the order of the lists, so that a page costs the same however much waits or was done: see `inbox`.
        Index(
            "ix_tasks_open",
            *("organisation_id", "role", "due_at", "opened_at", "id"),
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "ix_tasks_done",
            *("organisation_id", "role", "closed_at", "id"),
            sqlite_where=text("closed_at IS NOT NULL"),
            postgresql_where=text("closed_at IS NOT NULL"),
        ),
        Index("ix_tasks_instance_id", "instance_id", "state"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    instance_id: Mapped[str] = mapped_column(ForeignKey("instances.id"))
    element_id: Mapped[str] = mapped_column(String(lengths.ELEMENT_ID))
    name: Mapped[str] = mapped_column(String(lengths.STEP_NAME))
    name_en: Mapped[str] = mapped_column(String(lengths.STEP_NAME), default="")
    state: Mapped[str] = mapped_column(String(20), default=TaskState.OPEN)
    role: Mapped[str] = mapped_column(String(20))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # end of the last day, exclusive
    provisional: Mapped[bool] = mapped_column(default=False)  # 暂定: reaches into an unannounced year
    region: Mapped[str] = mapped_column(String(20), default="")  # whose calendar counts, such as 440100
    claimed_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_by: Mapped[str | None] = mapped_column(String(lengths.ELEMENT_ID))  # an event, or an EventKind


class Timer(Base):
    """A timer event that waits. `limit` says what it is (start, n, …); `due_at` when, under `calendar_version`.

    A provisional limit ends at `due_at` as far as is known; it fires at `fires_at`, when it is over whatever the
    notice will say.
    """

    __tablename__ = "timers"
    __table_args__ = (
        Index("ix_timers_due", "state", "fires_at"),
        Index("ix_timers_calendar_version", "state", "calendar_version"),
        Index("ix_timers_instance_id", "instance_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    instance_id: Mapped[str] = mapped_column(ForeignKey("instances.id"))
    element_id: Mapped[str] = mapped_column(String(lengths.ELEMENT_ID))
    state: Mapped[str] = mapped_column(String(20), default=TimerState.WAITING)
    limit: Mapped[dict[str, Any]] = mapped_column(JSON)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    fires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    provisional: Mapped[bool] = mapped_column(default=False)
    region: Mapped[str] = mapped_column(String(20), default="")  # whose calendar counts, such as 440100
    calendar_version: Mapped[int] = mapped_column(default=0)  # the one `due_at` was counted under
    shortened_to: Mapped[datetime | None] = mapped_column(UtcDateTime)  # an earlier end that an official has to confirm
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    parked: Mapped[bool] = mapped_column(default=False)  # failed; waits for an operator's retry
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Subscription(Base):
    """A message the diagram waits for just now, and whose inbox may send it. Deleted when it stops waiting."""

    __tablename__ = "subscriptions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    instance_id: Mapped[str] = mapped_column(ForeignKey("instances.id"), index=True)
    element_id: Mapped[str] = mapped_column(String(lengths.ELEMENT_ID))
    message: Mapped[str] = mapped_column(String(lengths.MESSAGE))
    role: Mapped[str] = mapped_column(String(20))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)


class Answer(Base):
    """What somebody filled in, by form: kept for ever, the newest of a form is the one that counts."""

    __tablename__ = "answers"
    __table_args__ = (Index("ix_answers_instance_id", "instance_id", "form", "at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    instance_id: Mapped[str] = mapped_column(ForeignKey("instances.id"))
    task_id: Mapped[str | None] = mapped_column(String(32), index=True)  # none: start form or message
    message: Mapped[str | None] = mapped_column(String(lengths.MESSAGE))
    form: Mapped[str] = mapped_column(String(lengths.FORM))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    salt: Mapped[str] = mapped_column(String(32), default=new_id)  # else the hash of a phone number would tell it


class Intervention(Base):
    """What somebody did to an instance outside the course of its diagram, and why. The history refers to it by id and
    hash, as it does to answers: a reason is free text and may name people."""

    __tablename__ = "interventions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    instance_id: Mapped[str] = mapped_column(ForeignKey("instances.id"), index=True)
    kind: Mapped[str] = mapped_column(String(30))  # the EventKind of its entry in the history
    element_id: Mapped[str | None] = mapped_column(String(lengths.ELEMENT_ID))  # where, if anywhere
    reason: Mapped[str] = mapped_column(String(500))
    basis: Mapped[str] = mapped_column(String(500), default="")  # legal basis, where one is given
    details: Mapped[dict[str, Any]] = mapped_column(JSON)  # such as a variable's value before and after
    by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    salt: Mapped[str] = mapped_column(String(32), default=new_id)


class EventKind(StrEnum):
    """What happens to an instance. `details` of each in brackets; `answers` are ids and hashes of rows."""

    STARTED = "started"  # actor [answers]
    TASK_OPENED = "task_opened"  # element [task_id]
    TASK_CLAIMED = "task_claimed"  # element, actor [task_id]
    TASK_RELEASED = "task_released"  # element, actor [task_id]
    TASK_COMPLETED = "task_completed"  # element, actor [task_id, answers]
    TASK_CANCELLED = "task_cancelled"  # element [task_id, by: element id of the event]
    TIMER_FIRED = "timer_fired"  # element [timer_id, due_at]
    MESSAGE_RECEIVED = "message_received"  # element, actor [message, answers]
    SERVICE_DONE = "service_done"  # element [handler]
    PASSED = "passed"  # element: any other flow node the token went through; for the drawing, not for the timeline
    KEY_ISSUED = "key_issued"  # [key_id, revoked: ids of older ones]; the timeline tells of the service task
    KEY_REVEALED = "key_revealed"  # actor [key_id]
    KEY_REVOKED = "key_revoked"  # actor [intervention, key_id]
    KEY_USED = "key_used"  # [key_id, uses: system_id, minute, result and count of each; see engine.keys.uses]
    OUTCOME = "outcome"  # element [outcome]
    CLOSED = "closed"

    # A limit's own clock, by timer; that it was missed is told by `timer_fired`.
    LIMIT_STARTED = "limit_started"  # element [timer_id, limit, due_at, provisional, calendar_version]
    LIMIT_PAUSED = "limit_paused"  # element [timer_id]
    LIMIT_RESUMED = "limit_resumed"  # element [timer_id, limit, due_at, provisional, calendar_version]
    LIMIT_CHANGED = "limit_changed"  # as above
    LIMIT_ENDED = "limit_ended"  # element [timer_id, met: was what it limits done in time, or taken away?]

    # A newer calendar moved it. `before` and `due_at` are its old and its new end.
    LIMIT_RECOMPUTED = "limit_recomputed"  # element [timer_id, before, due_at, provisional, calendar_version]
    LIMIT_MAY_SHORTEN = "limit_may_shorten"  # as above; the old end stands until an official has confirmed the new one
    LIMIT_SHORTENED = "limit_shortened"  # element, actor [timer_id, before, due_at]; confirmed
    LIMIT_KEPT = "limit_kept"  # element, actor [timer_id, due_at, instead_of]; not confirmed

    # What somebody does outside the course of the diagram; `intervention` is id and hash of a row.
    SUSPENDED = "suspended"  # actor [intervention]
    RESUMED = "resumed"  # actor [intervention]
    CANCELLED = "cancelled"  # actor [intervention, revoked: ids of test keys]
    WITHDRAWN = "withdrawn"  # actor [intervention, revoked]
    MOVED = "moved"  # element it was taken from, actor [intervention, to: element id]
    DEADLINE_CHANGED = "deadline_changed"  # element, actor [intervention, timer_id, due_at]
    DEADLINE_PAUSED = "deadline_paused"  # element, actor [intervention, timer_id]; by an official, as those below
    DEADLINE_RESUMED = "deadline_resumed"  # element, actor [intervention, timer_id]
    DEADLINE_EXTENDED = "deadline_extended"  # element, actor [intervention, timer_id, days, due_at]
    TASK_HANDED_OVER = "task_handed_over"  # element, actor [intervention, task_id]; by the head of the section
    TASK_TAKEN_BACK = "task_taken_back"  # as above, back into the inbox
    VARIABLE_CORRECTED = "variable_corrected"  # actor [intervention, variable]
    HELD = "held"  # actor [intervention]; kept beyond its retention period
    HOLD_LIFTED = "hold_lifted"  # actor [intervention]

    # What is left of rows: `erased` are their ids and the hashes they have since.
    CONTENT_REMOVED = "content_removed"  # [erased]; its retention period is over
    PERSON_ERASED = "person_erased"  # actor [account_id, erased]


class Event(Base):
    """One line of an instance's history, in order of `sequence` within the instance: what the timeline reads, and the
    instance's stream of the audit trail. Only ever added: triggers refuse to change or delete it."""

    __tablename__ = "events"

    instance_id: Mapped[str] = mapped_column(ForeignKey("instances.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(String(30))
    element_id: Mapped[str | None] = mapped_column(String(lengths.ELEMENT_ID))
    actor_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)  # ids, hashes and the diagram's words; nothing personal
    hash: Mapped[str] = mapped_column(String(64))  # see engine.audit.chain


class IssuedKey(Base):
    """测试密钥 issued to an enterprise for a city: encrypted, shown once, revocable."""

    __tablename__ = "issued_keys"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    instance_id: Mapped[str] = mapped_column(ForeignKey("instances.id"), index=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"))  # the enterprise it is for
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    hint: Mapped[str] = mapped_column(String(8))  # last characters, to tell keys apart
    endpoint: Mapped[str] = mapped_column(String(500))
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revealed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revealed_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # presented to a city's system; to the minute
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Connection(Base):
    """联调结果: what a finished case says of an enterprise's product and a city, one row per instance."""

    __tablename__ = "connections"

    instance_id: Mapped[str] = mapped_column(ForeignKey("instances.id"), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)
    city: Mapped[str] = mapped_column(String(10), index=True)
    product: Mapped[str] = mapped_column(String(300))
    outcome: Mapped[str] = mapped_column(String(lengths.OUTCOME))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Incident(Base):
    """Something of an instance failed and was rolled back; it waits for an operator.

    The same failure of the same instance again counts up `times` of the open row instead of adding another.
    """

    __tablename__ = "incidents"
    __table_args__ = (Index("ix_incidents_open", "resolved_at", "at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    instance_id: Mapped[str | None] = mapped_column(ForeignKey("instances.id"), index=True)  # none: its start failed
    element_id: Mapped[str | None] = mapped_column(String(lengths.ELEMENT_ID))
    action: Mapped[str] = mapped_column(String(40))  # what was done: start, complete, message, timer, outbox, scan
    cause: Mapped[str] = mapped_column(Text)
    stack: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)  # the first time
    last_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the latest time, where it failed again
    times: Mapped[int] = mapped_column(default=1)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    reason: Mapped[str] = mapped_column(String(500), default="")  # why it was put away; empty: a retry succeeded


class CommandDone(Base):
    """A command that was done under a key of its sender's; see `engine.runtime.once`."""

    __tablename__ = "commands_done"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    request: Mapped[str] = mapped_column(String(64))  # SHA-256 of what was asked for
    result: Mapped[str] = mapped_column(String(32))  # id of the instance it was done to
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class NumberSequence(Base):
    """The last number given out under a prefix (city + date); counted up in the submission's transaction."""

    __tablename__ = "number_sequences"

    prefix: Mapped[str] = mapped_column(String(lengths.NUMBER_PREFIX + 10), primary_key=True)
    last: Mapped[int]


class TrialClock(Base):
    """How far a trial has moved process time ahead of real time, in seconds. One row, only ever increased."""

    __tablename__ = "trial_clock"

    id: Mapped[int] = mapped_column(primary_key=True)
    offset_seconds: Mapped[int]
