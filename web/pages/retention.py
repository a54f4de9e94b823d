"""资料保存: what goes next of closed applications, and when."""

from flask import Blueprint, render_template

from engine.privacy.retention import upcoming
from web.session import current_actor, now, runtime

blueprint = Blueprint("retention", __name__, url_prefix="/admin/retention")

SHOWN = 200


@blueprint.get("")
def listed() -> str:
    with runtime().database.read() as reading:
        kept = upcoming(reading, runtime().definitions, current_actor(), SHOWN)
    return render_template("admin/retention.html", kept=kept, now=now(), shown=SHOWN)
