"""Which instances somebody may read."""

from sqlalchemy import ColumnElement

from engine.people import access
from engine.people.accounts import Actor
from engine.runtime.tables import Instance, Party


def seen_by(actor: Actor) -> ColumnElement[bool]:
    """The condition every query for instances carries."""
    return access.sees_instance(
        actor, Instance.id, party_instance_id=Party.instance_id, party_organisation_id=Party.organisation_id
    )
