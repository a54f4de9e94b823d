"""What rejected registrations say of people goes after a while; who is approved has an account, and it goes with that.

The enterprise, its code, the decision and the reason stay: they tell administrators what was decided before.
"""

from datetime import datetime, timedelta

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from engine.definitions.masking import ERASED
from engine.membership.tables import Registration, RegistrationState

REJECTED_KEPT = timedelta(days=180)  # half a year in which a decision can be asked about


def forget_rejected(session: Session, before: datetime) -> int:
    """Of those rejected before a moment of real time; how many."""
    people = (Registration.legal_representative, Registration.contact, Registration.mobile)
    ways = (Registration.email, Registration.username)
    rejected = (Registration.state == RegistrationState.REJECTED, Registration.decided_at < before)
    forgotten = update(Registration).where(*rejected, Registration.contact != ERASED)
    done = session.execute(forgotten.values(dict.fromkeys((*people, *ways), ERASED)))
    return done.rowcount if isinstance(done, CursorResult) else 0
