"""What people see: thin pages over the engine, and the command line."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def create_app() -> "Flask":
    """The application with the settings of the environment; what `flask --app web` and a WSGI server call."""
    from web.assembly import create_app as assemble
    from web.settings import Settings

    return assemble(Settings.from_environment())
