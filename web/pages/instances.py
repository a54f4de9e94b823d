"""One application: where it stands, what was handed in, its test keys."""

from flask import Blueprint, Response, make_response, render_template

from engine.errors import NotFound
from engine.keys.issuing import reveal
from engine.reading.casefile import CaseFile, KeyCard, case_file, drawing
from web import limits
from web.proof import require_proof
from web.session import current_actor, now, runtime
from web.settings import ROOT

EXAMPLES = ROOT / "web" / "examples"  # those of docs/test-keys.md
_EXAMPLES = (("Python", "sign.py.txt"), ("curl + OpenSSL", "sign.sh.txt"))

blueprint = Blueprint("instances", __name__)


@blueprint.get("/instances/<instance_id>")
def show(instance_id: str) -> str:
    return render_template("instances/instance.html", case=_case(instance_id))


@blueprint.get("/instances/<instance_id>/diagram.bpmn")
def diagram(instance_id: str) -> Response:
    with runtime().database.read() as reading:
        return Response(drawing(reading, instance_id, current_actor()), mimetype="application/xml")


@blueprint.get("/instances/<instance_id>/keys/<key_id>")
def confirm_reveal(instance_id: str, key_id: str) -> str:
    """Asks first: a test key is shown once."""
    case = _case(instance_id)
    key = _key(case, key_id)
    if key.may_reveal:
        require_proof()
    return render_template("instances/confirm_reveal.html", case=case, key=key)


@blueprint.post("/instances/<instance_id>/keys/<key_id>")
def show_key(instance_id: str, key_id: str) -> Response:
    """The only page that ever holds a key in clear: the answer to this one request, kept by no cache."""
    key = _key(_case(instance_id), key_id)
    require_proof()
    limits.count("reveal", limits.REVEALS)
    plain = reveal(runtime(), key.id, current_actor(), now())
    page = make_response(render_template("instances/key.html", case=_case(instance_id), key=key, plain=plain))
    page.headers["Cache-Control"] = "no-store"
    return page


@blueprint.get("/instances/<instance_id>/keys/<key_id>/usage")
def key_usage(instance_id: str, key_id: str) -> str:
    """How a device signs with the key; the key itself is not on it."""
    case = _case(instance_id)
    examples = [(title, (EXAMPLES / file).read_text("utf-8")) for title, file in _EXAMPLES]
    return render_template("instances/usage.html", case=case, key=_key(case, key_id), examples=examples)


def _case(instance_id: str) -> CaseFile:
    with runtime().database.read() as reading:
        return case_file(reading, runtime().definitions, instance_id, current_actor(), now())


def _key(case: CaseFile, key_id: str) -> KeyCard:
    for key in case.keys:
        if key.id == key_id and key.own:
            return key
    raise NotFound()
