"""How long the diagram's words may be that go into the database, in characters: the columns and the gate agree here.

PostgreSQL refuses a longer text, in the middle of somebody's application.
"""

PROCESS_ID = 100
PROCESS_NAME = 200
ELEMENT_ID = 200
STEP_NAME = 400
OUTCOME = 100
MESSAGE = 100
FORM = 100
NUMBER_PREFIX = 20


def is_number_prefix(value: object) -> bool:
    """Can applications' numbers begin with this?"""
    return isinstance(value, str) and bool(value.strip()) and len(value) <= NUMBER_PREFIX
