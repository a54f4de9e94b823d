"""The built style sheets and scripts, found by entry through the manifest the build writes."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, url_for

DIST = Path(__file__).parent / "static" / "dist"


def asset(entry: str) -> str:
    """Address of the script of an entry (`app`, `viewer`, …). Raises KeyError for one that was not built."""
    return _address(_entry(entry)["file"])


def stylesheets(entry: str) -> list[str]:
    """Addresses of the style sheets an entry needs."""
    return [_address(file) for file in _entry(entry).get("css", [])]


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(asset=asset, stylesheets=stylesheets)


def _entry(entry: str) -> dict[str, Any]:
    found: dict[str, Any] = _manifest()[f"src/{entry}.js"]
    return found


def _address(file: str) -> str:
    return url_for("static", filename=f"dist/{file}")


@cache
def _manifest() -> dict[str, dict[str, Any]]:
    manifest: dict[str, dict[str, Any]] = json.loads((DIST / "manifest.json").read_text("utf-8"))
    return manifest
