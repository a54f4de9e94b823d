"""Refusals to machines: application/problem+json (RFC 9457) with a sentence in the language they accept."""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Response, json, request

from engine.text import Language, Text

ADDRESSES = "/api/"  # what lies under it is asked by machines


def by_machine() -> bool:
    return request.path.startswith(ADDRESSES)


def accepted_language() -> Language:
    """The first of the two in the order of the caller's liking; a machine has no cookie to say it by."""
    liked = (tag.lower().partition("-")[0] for tag in request.accept_languages.values())
    return "en" if next((tag for tag in liked if tag in ("zh", "en")), "zh") == "en" else "zh"


def problem(
    status: int, detail: Text, *, headers: Mapping[str, str] | None = None, errors: Mapping[str, Text] | None = None
) -> Response:
    """`errors` says by field what is wrong with what was sent."""
    chosen = accepted_language()
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail.to(chosen),
    }
    if errors:
        body["errors"] = [{"field": field, "detail": why.to(chosen)} for field, why in errors.items()]
    answer = Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/problem+json")
    answer.headers.update({"Cache-Control": "no-store", "Content-Language": chosen, **(headers or {})})
    return answer
