"""What a handler is given when the diagram calls it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from engine.definitions.diagrams import Element
from engine.people.tables import Organisation
from engine.runtime.tables import Instance
from engine.secrets import Keyring


@dataclass(frozen=True)
class Call:
    """One call of a handler, inside the transaction of the step that made it.

    `organisation(role)` is who plays that role for this instance: through the diagram's lane of that role, or the
    only organisation registered with the role (the province).

    What is added to the session is written when the step is over: no query made before finds it.
    """

    session: Session
    instance: Instance
    element: Element
    now: datetime
    keyring: Keyring
    organisation: Callable[[str], Organisation]
