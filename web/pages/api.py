"""What machines ask: JSON in and out, who asks known by a header only, no cookie, kept by no cache.

A browser's cookie opens nothing here, so there is no form token to check either.
"""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, json, request
from werkzeug.exceptions import UnsupportedMediaType

from engine import clock
from engine.clock import SHANGHAI
from engine.keys.verifying import SENTENCES, Presented, Result, verify
from engine.people import systems
from engine.people.systems import Caller
from web.api_description import description
from web.problems import accepted_language
from web.session import now, public, runtime, settings

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
blueprint.record_once(lambda state: state.app.extensions["csrf"].exempt(blueprint))

MOST_BYTES = 16 * 1024  # of a question


@blueprint.get("/openapi.json")
@public
def openapi() -> Response:
    site = settings().public_url or request.url_root.rstrip("/")
    return Response(json.dumps(description(site), ensure_ascii=False), mimetype="application/json")


@blueprint.post("/test-keys/verify")
@public
def verify_test_key() -> Response:
    """Is what a device presents genuine? Whatever the verdict, the answer is 200: the question was answered."""
    caller = _caller()
    presented = Presented.checked(_sent())
    verdict = verify(runtime(), caller, presented, now=now(), real_now=clock.now())
    chosen = accepted_language()
    body: dict[str, Any] = {
        "key_id": presented.key_id,
        "result": verdict.result,
        "valid": verdict.result is Result.VALID,
        "detail": SENTENCES[verdict.result].to(chosen),
    }
    if verdict.enterprise is not None:
        body["enterprise"] = {"name": verdict.enterprise.to(chosen), "credit_code": verdict.credit_code}
        body["application"] = verdict.number
        body["expires_at"] = _moment(verdict.expires_at)
    answer = Response(json.dumps(body, ensure_ascii=False), mimetype="application/json")
    answer.headers["Content-Language"] = chosen
    return answer


@blueprint.after_request
def _kept_by_nobody(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _caller() -> Caller:
    """Raises CredentialRefused, TooOften."""
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    shown = credential.strip() if scheme.lower() == "bearer" else ""
    return systems.authenticate(runtime().database, shown, address=request.remote_addr or "", now=clock.now())


def _sent() -> object:
    """What was sent; None where it is no JSON."""
    request.max_content_length = MOST_BYTES
    if not request.is_json:
        raise UnsupportedMediaType()
    try:
        return request.get_json(silent=True)
    except RecursionError:  # thousands of brackets
        return None


def _moment(moment: datetime | None) -> str | None:
    return moment.astimezone(SHANGHAI).isoformat(timespec="seconds") if moment else None
