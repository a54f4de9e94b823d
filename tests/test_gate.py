"""The commands, locks and documents that hold the project together agree with each other and with the code."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import ROOT
from tests.web.access.page import PAGE, page
from tests.web.access.reading import TABLE, routes, rows
from web import create_app
from web.settings import Settings

MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
LOCKS = ("requirements.txt", "requirements-dev.txt")


def modules() -> list[Path]:
    """The Python files of the three code folders, relative to the top."""
    return [
        path.relative_to(ROOT)
        for folder in ("engine", "handlers", "web")
        for path in (ROOT / folder).rglob("*.py")
        if "node_modules" not in path.parts
    ]


def pinned(lock: str) -> dict[str, str]:
    lines = (ROOT / lock).read_text("utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)", lines, re.MULTILINE))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The application as `flask --app web` makes it, to be looked at only."""
    environment = pytest.MonkeyPatch()
    environment.setenv("DATA_DIR", str(tmp_path_factory.mktemp("data")))
    app: Flask = create_app()
    environment.undo()
    app.extensions["runtime"].database.close()
    return app


@pytest.fixture(scope="module")
def commands(app: Flask) -> set[str]:
    """The commands of `flask --app web`, without Flask's own."""
    return set(app.cli.commands)


def test_the_machine_runs_the_very_command_a_person_runs() -> None:
    lines = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    does = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert does == ["exec make test"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o100


def test_make_lists_every_command() -> None:
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE)) - {"chromium"}
    listed = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(re.findall(r"^  make ([a-z]+)", listed.stdout, re.MULTILINE)) == targets
    assert targets <= set(re.findall(r"[a-z]+", MAKEFILE.split(".PHONY:")[1].splitlines()[0]))


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_package_by_hash_and_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    assert "index-url" not in text
    entries = re.split(r"\n(?=\S)", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).strip())
    assert entries
    for entry in entries:
        assert "==" in entry.splitlines()[0], entry
        assert "--hash=sha256:" in entry, entry


def test_what_is_tested_is_what_is_run() -> None:
    run, tested = (pinned(lock) for lock in LOCKS)
    assert run.items() <= tested.items()


def test_every_dependency_is_in_the_locks() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[\[=~<>! ]", requirement)[0].lower() for requirement in requirements}

    assert names(project["project"]["dependencies"]) <= set(pinned("requirements.txt"))
    assert names(project["dependency-groups"]["dev"]) <= set(pinned("requirements-dev.txt"))


def test_the_folder_map_knows_every_room() -> None:
    contributing = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    rooms = {f"{path.parent}/" for path in modules() if path.name == "__init__.py" and len(path.parts) <= 3}
    assert {room for room in rooms if f"`{room}`" not in contributing} == set()
    mapped = re.findall(r"^\| `([a-z/]+/)` \|", contributing, re.MULTILINE)
    assert [folder for folder in mapped if not (ROOT / folder).is_dir()] == []


def test_every_setting_is_documented() -> None:
    source = (ROOT / "web" / "settings.py").read_text("utf-8")
    settings = set(re.findall(r'environ(?:\.get\(|, )"([A-Z_]+)"', source))
    assert {"DATA_DIR", "DATABASE_URL", "TRIAL", "PORT"} <= settings
    documented = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert {name for name in settings if f"`{name}`" not in documented} == set()


def test_every_command_is_documented(commands: set[str]) -> None:
    documented = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert "serve" in commands
    assert {name for name in commands if f"`{name}`" not in documented} == set()


def test_defaults_in_the_documents_are_the_codes(tmp_path: Path) -> None:
    defaults = Settings.from_environment({"DATA_DIR": str(tmp_path)})
    documented = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert f"| `MAX_REQUEST_MB` | `{defaults.max_request_bytes // 1024 // 1024}` |" in documented
    assert f"| `TICK_SECONDS` | `{defaults.tick_seconds:.0f}` |" in documented
    assert f"| `HOST`, `PORT` | `{defaults.host}`, `{defaults.port}` |" in documented


def test_no_module_outgrows_a_room() -> None:
    sizes = {
        str(path): len((ROOT / path).read_text("utf-8").splitlines())
        for path in modules()
        if "versions" not in path.parts
    }
    assert {path: size for path, size in sizes.items() if size > 400} == {}


def test_every_address_stands_in_the_table_of_access(app: Flask) -> None:
    missing = routes(app) - {row.route for row in rows()}
    sentences = [f"{method} {address} has no row in {TABLE}" for method, address in sorted(missing)]
    assert not sentences, "; ".join(sentences) + ": say there what everybody gets, in the group it belongs to"


def test_nothing_else_stands_in_the_table_of_access(app: Flask) -> None:
    gone = {row.route for row in rows()} - routes(app)
    assert not gone, f"{sorted(gone)} is answered by nothing: take its rows out of {TABLE}"


def test_the_page_on_access_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "python -m tests.web.access.page writes it anew"


def test_the_page_on_security_names_tests_that_exist() -> None:
    named = set(re.findall(r"`([a-z_/]*test_[a-z_]+\.py)`", (ROOT / "docs" / "security.md").read_text("utf-8")))
    assert len(named) > 20
    assert [name for name in sorted(named) if not (ROOT / "tests" / name).is_file()] == []
