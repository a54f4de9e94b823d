"""What people see: thin pages over the engine, and the command line."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def create_app() -> "Flask":
    """The application with the settings of the environment; what `flask --app web` and a WSGI server call.

    What keeps it from starting is a sentence on standard error and exit code 1.
    """
    from engine.errors import Refusal
    from web.assembly import create_app as assemble
    from web.command_line import language
    from web.settings import Settings

    try:
        return assemble(Settings.from_environment())
    except Refusal as refusal:
        raise SystemExit(refusal.to(language())) from refusal
