"""How a case ended (boxes F9, F11, F15, F16): kept in the register of connections, and told to both sides."""

from engine.database import insert
from engine.runtime.calls import Call
from engine.runtime.tables import Connection
from engine.text import Text
from handlers.notify import notify


def record_outcome(call: Call, *, product: str, city: str) -> None:
    """Write the outcome of the end event that calls this into the register, for a product and a city code."""
    outcome = call.element.outcome or Text("")
    said = {"city": city, "product": product, "outcome": outcome.zh, "at": call.now}
    written = insert(call.session, Connection).values(
        instance_id=call.instance.id, organisation_id=call.instance.organisation_id, **said
    )
    call.session.execute(written.on_conflict_do_update(index_elements=[Connection.instance_id], set_=said))
    notify(
        call,
        to=["enterprise", "authority"],
        text=f"流程结束：{outcome.zh}",
        text_en=f"The process has ended: {outcome.to('en')}",
    )
