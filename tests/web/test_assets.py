"""The built files are the sources' own, and everything a page refers to is there."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from web.look import asset, stylesheets

WEB = Path(__file__).resolve().parents[2] / "web"
SOURCES, DIST = WEB / "assets", WEB / "static" / "dist"


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.skipif(not shutil.which("npm"), reason="needs Node.js")
def test_building_again_gives_the_same_files_byte_by_byte(tmp_path: Path) -> None:
    sources = tmp_path / "assets"
    shutil.copytree(SOURCES, sources, ignore=shutil.ignore_patterns("node_modules"))
    environment = os.environ | {"DIST": str(tmp_path / "dist")}
    for command in (["npm", "ci", "--no-audit", "--no-fund", "--prefer-offline"], ["npm", "run", "build"]):
        done = subprocess.run(command, cwd=sources, env=environment, capture_output=True, text=True)
        if command[1] == "ci" and done.returncode and re.search(r"ENOTFOUND|ECONN|ETIMEDOUT|EAI_AGAIN", done.stderr):
            pytest.skip("no registry to install from")
        assert done.returncode == 0, done.stderr
    built, committed = content(tmp_path / "dist"), content(DIST)
    assert built.keys() == committed.keys(), "run `npm ci && npm run build` in web/assets and commit web/static/dist"
    assert [name for name in built if built[name] != committed[name]] == []


def test_the_lock_file_names_no_registry() -> None:
    assert "resolved" not in (SOURCES / "package-lock.json").read_text("utf-8")


def test_the_macros_and_the_style_sheets_are_of_one_version() -> None:
    from importlib.metadata import version

    assert version("govuk-frontend-jinja").startswith("4.1.")
    lock = (SOURCES / "package-lock.json").read_text("utf-8")
    assert re.search(r'"node_modules/govuk-frontend": \{\s*"version": "6\.3\.0"', lock)


@pytest.mark.parametrize("entry", ["app", "viewer"])
def test_every_entry_is_served(app: Flask, stranger: FlaskClient, entry: str) -> None:
    with app.test_request_context():
        addresses = [asset(entry), *stylesheets(entry)]
    for address in addresses:
        assert stranger.get(address, buffered=True).status_code == 200, address


def test_nothing_of_the_crown_or_of_gov_uk_is_served() -> None:
    names = {file.name for file in DIST.rglob("*")}
    styles = "".join(file.read_text("utf-8") for file in DIST.glob("*.css"))
    assert not [name for name in names if "crest" in name or "crown" in name]
    assert "GDS Transport" not in styles
    assert "crest" not in styles


def test_style_sheets_load_nothing_from_elsewhere() -> None:
    for file in DIST.glob("*.css"):
        addresses = re.findall(r"url\(([^)]*)\)", file.read_text("utf-8"))
        assert not [
            address for address in addresses if "//" in address and not address.strip("\"'").startswith("data:")
        ]
