"""The use of test keys in the audit trail: counted by the minute, put into the history by the clock.

A key may be presented many times a second, and a history is written by one at a time: so a use is counted in a row of
its minute, system and answer, and minutes that are over become one entry of the history of the key's application.
"""

import logging
from datetime import datetime

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from engine.database import insert
from engine.errors import Unavailable
from engine.keys.tables import KeyNonce, KeyUse
from engine.runtime import history
from engine.runtime.runtime import Runtime
from engine.runtime.tables import EventKind, Instance, IssuedKey

log = logging.getLogger(__name__)

MOST = 200  # rows that become one entry


def count_use(session: Session, key_id: str, system_id: str, result: str, now: datetime) -> None:
    minute = now.replace(second=0, microsecond=0)
    one = insert(session, KeyUse).values(key_id=key_id, system_id=system_id, minute=minute, result=result, count=1)
    same = (KeyUse.key_id, KeyUse.system_id, KeyUse.minute, KeyUse.result)
    session.execute(one.on_conflict_do_update(index_elements=same, set_={"count": KeyUse.count + 1}))


def record_uses(runtime: Runtime, now: datetime) -> int:
    """Put the minutes that are over into the histories; how many entries that made. One key that fails is logged and
    does not hold up the others. Raises Unavailable."""
    over = now.replace(second=0, microsecond=0)
    with runtime.database.read() as session:
        used = session.scalars(select(KeyUse.key_id).where(KeyUse.minute < over).distinct()).all()
    made = 0
    for key_id in used:
        try:
            while _record_some(runtime, key_id, over, now):
                made += 1
        except Unavailable:
            raise
        except Exception:
            log.exception("the uses of key %s could not be recorded; the next time tries again", key_id)
    return made


def forget_nonces(session: Session, real_now: datetime) -> int:
    """Delete nonces whose timestamp would be refused by now; how many they were."""
    gone = session.execute(delete(KeyNonce).where(KeyNonce.expires_at < real_now))
    return gone.rowcount if isinstance(gone, CursorResult) else 0


def _record_some(runtime: Runtime, key_id: str, over: datetime, now: datetime) -> bool:
    with runtime.database.write() as session:
        key = session.get_one(IssuedKey, key_id)
        instance = session.scalars(select(Instance).where(Instance.id == key.instance_id).with_for_update()).one()
        # Read under the instance's lock: of several clocks one puts a row away.
        order = (KeyUse.minute, KeyUse.system_id, KeyUse.result)
        finished = select(KeyUse).where(KeyUse.key_id == key_id, KeyUse.minute < over).order_by(*order).limit(MOST)
        rows = session.scalars(finished.with_for_update()).all()
        if not rows:
            return False
        uses = [
            {"system_id": row.system_id, "minute": row.minute.isoformat(), "result": row.result, "count": row.count}
            for row in rows
        ]
        history.append(session, instance, EventKind.KEY_USED, at=now, key_id=key_id, uses=uses)
        key.last_used_at = max([key.last_used_at or rows[0].minute, *(row.minute for row in rows)])
        for row in rows:
            session.delete(row)
        return True
