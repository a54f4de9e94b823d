"""Deactivating an account: its person is logged out, and what that person had claimed goes back to the colleagues."""

from datetime import datetime

from sqlalchemy import delete, select

from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.errors import Conflict
from engine.people import sessions
from engine.people.accounts import Actor
from engine.people.management import managed
from engine.people.tables import OneTimeLink
from engine.runtime import history
from engine.runtime.rows import locked_rows
from engine.runtime.runtime import Runtime
from engine.runtime.tables import EventKind, Instance, Task, TaskState
from engine.text import Text


class OwnAccount(Conflict):
    sentence = Text("不能停用自己的账号。", "You can't deactivate your own account.")


def deactivate(runtime: Runtime, account_id: str, actor: Actor, *, now: datetime, real_now: datetime) -> int:
    """Returns how many tasks were put back; `now` is process time. Raises NotAllowed, NotFound, OwnAccount."""
    if account_id == actor.account_id:
        raise OwnAccount()
    with runtime.database.write() as session:
        account, _ = managed(session, actor, account_id)
        if not account.active:
            return 0
        account.active = False
        sessions.end_all(session, account_id)
        session.execute(delete(OneTimeLink).where(OneTimeLink.account_id == account_id))
        claimed = select(Task).where(Task.claimed_by == account_id, Task.state == TaskState.OPEN)
        # Instances before their tasks, and in one order, as whoever else locks several.
        locked = locked_rows(Instance.id.in_(claimed.with_only_columns(Task.instance_id)))
        instances = {instance.id: instance for instance in session.scalars(locked)}
        put_back = 0
        for task in session.scalars(claimed.order_by(Task.id)):
            if instance := instances.get(task.instance_id):
                task.claimed_by = task.claimed_at = None
                history.append(
                    session,
                    instance,
                    EventKind.TASK_RELEASED,
                    at=now,
                    element_id=task.element_id,
                    actor_id=actor.account_id,
                    task_id=task.id,
                )
                put_back += 1
        facts = {"account_id": account_id, "put_back": put_back}
        record(session, SystemEventKind.ACCOUNT_DEACTIVATED, at=real_now, actor_id=actor.account_id, **facts)
        return put_back
