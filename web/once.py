"""The key a form carries so that a double click, a re-send or going back and sending again does its thing once.

A page makes one when it is first shown; a refused page is shown again with the key it was sent with.
"""

import secrets

from flask import Flask, request

from engine.runtime.once import KEY

FIELD = "_once"


def key_sent() -> str | None:
    """The key of the form that was posted, for the engine; None where it carried none that can be used."""
    sent = request.form.get(FIELD, "")
    return sent if KEY.fullmatch(sent) else None


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(once_key=lambda: key_sent() or secrets.token_urlsafe(16))
