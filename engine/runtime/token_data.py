"""What the expressions at one place of one instance can see."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.specs import Compiled
from engine.runtime import state
from engine.runtime.tables import Instance


def token_data(session: Session, compiled: Compiled, instance_id: str, token_id: str) -> Mapping[str, Any]:
    """The variables of an open task, or of an event that waits, so that a page decides what to show by the same
    facts by which its answers will be checked.

    The only reading page-side that restores a workflow, and of one instance only; lists never do.
    """
    stored = session.scalars(select(Instance.state).where(Instance.id == instance_id)).one()
    data: Mapping[str, Any] = state.load(stored, compiled).get_task_from_id(UUID(token_id)).data
    return data
