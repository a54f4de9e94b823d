"""What somebody goes on with in an application."""

from functools import cache

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from engine.people import access
from engine.people.accounts import Actor
from engine.people.tables import Role
from engine.runtime.tables import Task, TaskState


def first_open_task(session: Session, instance_id: str, actor: Actor) -> str | None:
    """The id of the actor's next task in one instance, where there is one."""
    wanted = {"instance_id": instance_id, "organisation_id": actor.organisation_id}
    return session.connection().scalar(_first_open_task(actor.role), wanted)


@cache
def _first_open_task(role: Role) -> Select[str]:
    return (
        select(Task.id)
        .where(access.works_on_task(access.anybody(role), Task.organisation_id, Task.role))
        .where(Task.instance_id == bindparam("instance_id"), Task.state == TaskState.OPEN)
        .order_by(Task.due_at.is_(None), Task.due_at, Task.opened_at, Task.id)
        .limit(1)
    )
