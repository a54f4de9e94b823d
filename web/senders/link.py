"""Where a recipient of a notice reads on."""

from engine.people.access import ALLOWED, Action
from engine.people.tables import Role
from engine.telling.outbox import Parcel


def link_of(parcel: Parcel, public_url: str) -> str | None:
    """The application's page, or the list of notices for those who may not see it; None where PUBLIC_URL is not set."""
    if not public_url:
        return None
    if Action.SEE_INSTANCES in ALLOWED[Role(parcel.body["role"])]:
        return f"{public_url}/instances/{parcel.body['instance_id']}"
    return f"{public_url}/notices"
