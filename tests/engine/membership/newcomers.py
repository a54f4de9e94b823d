"""An enterprise that has no account yet, and what it is told by e-mail."""

from sqlalchemy import select

from engine import clock
from engine.definitions.checks import uscc_check_character
from engine.membership.registering import register
from engine.membership.tables import Registration
from engine.runtime.runtime import Runtime
from engine.telling import outbox
from engine.telling.outbox import Parcel

CODE = "91440605MA4XNEW00" + uscc_check_character("91440605MA4XNEW00")
NEWCOMER = {
    "name": "佛山智岗科技有限公司",
    "code": CODE,
    "legal_representative": "何建华",
    "contact": "刘思琪",
    "mobile": "13800138000",
    "email": "liu@zhigang.example.cn",
    "username": "liu.siqi",
}


def registers(runtime: Runtime, *, address: str = "203.0.113.7", **changes: str) -> Registration:
    """The newest registration after this one."""
    register(runtime.database, NEWCOMER | changes, address=address, now=clock.now())
    return registrations(runtime)[0]


def registrations(runtime: Runtime) -> list[Registration]:
    """Newest first."""
    with runtime.database.read() as session:
        return list(session.scalars(select(Registration).order_by(Registration.applied_at.desc())))


def letters(runtime: Runtime) -> list[Parcel]:
    """What the outbox sends by e-mail just now, in order."""
    sent: list[Parcel] = []
    outbox.deliver_due(runtime, clock.now, {"email": sent.append})
    return sent
