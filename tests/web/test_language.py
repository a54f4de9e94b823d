"""Every string of the pages has its English, and the compiled catalogue is the written one."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient

from engine.people.accounts import Actor
from engine.text import Text
from tests.conftest import Cast
from web.language import COOKIE, day, filesize, last_day, t, when

WEB = Path(__file__).resolve().parents[2] / "web"
ENGLISH = WEB / "translations" / "en" / "LC_MESSAGES"
HOW = """
Bring the catalogue up to date with (messages.pot is no file of the project):
  mkdir -p var
  pybabel extract -F web/translations/babel.cfg --ignore-dirs "assets static .*" --no-location --omit-header \\
    -o var/messages.pot web
  pybabel update -i var/messages.pot -d web/translations -l en --no-fuzzy-matching --ignore-obsolete --omit-header
then write the missing msgstr lines in web/translations/en/LC_MESSAGES/messages.po, and
  pybabel compile -d web/translations -l en
"""


def used_in_pages() -> set[str]:
    with (WEB / "translations" / "babel.cfg").open(encoding="utf-8") as config:
        methods, options = parse_mapping_cfg(config)  # type: ignore[no-untyped-call]
    kept = {"assets", "static", "translations"}
    found = extract_from_dir(
        WEB, methods, options, directory_filter=lambda folder: Path(folder).name not in kept | {"__pycache__"}
    )
    return {str(message) for _, _, message, _, _ in found}


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    with (ENGLISH / "messages.po").open("rb") as file:
        return strings(read_po(file, locale="en"))


def strings(catalog: Catalog) -> dict[str, str]:
    """What is translated; a compiled catalogue holds nothing else."""
    given = (message for message in catalog if message.id and message.string and not message.fuzzy)
    return {str(message.id): str(message.string) for message in given}


def test_every_string_of_the_pages_has_its_english(written: dict[str, str]) -> None:
    missing = sorted(message for message in used_in_pages() if message not in written)
    assert not missing, f"without English: {missing}\n{HOW}"


def test_no_translation_is_left_over(written: dict[str, str]) -> None:
    assert not set(written) - used_in_pages(), HOW


def test_a_translation_takes_the_same_facts(written: dict[str, str]) -> None:
    def facts(text: str) -> set[str]:
        return set(re.findall(r"%\(\w+\)s|%%?\{\w+\}", text))

    differing = [message for message, english in written.items() if facts(message) != facts(english)]
    assert not differing


def test_the_compiled_catalogue_is_the_written_one(written: dict[str, str]) -> None:
    with (ENGLISH / "messages.mo").open("rb") as file:
        assert strings(read_mo(file)) == written, HOW


def test_no_english_translation_holds_chinese(written: dict[str, str]) -> None:
    assert not [english for english in written.values() if re.search(r"[\u4e00-\u9fff]", english)]


def test_a_reader_gets_chinese_until_choosing_english(stranger: FlaskClient) -> None:
    assert '<h1 class="govuk-heading-l">登录</h1>' in stranger.get("/login").text
    answer = stranger.post("/language", data={"language": "en", "next": "/login?next=/inbox"})
    assert (answer.status_code, answer.location) == (302, "/login?next=/inbox")
    page = stranger.get("/login").text
    assert '<h1 class="govuk-heading-l">Log in</h1>' in page
    assert '<html lang="en"' in page


def test_the_language_outlives_the_login(client_of: Callable[[Actor], FlaskClient], cast: Cast) -> None:
    client = client_of(cast.enterprise)
    client.post("/language", data={"language": "en"})
    client.post("/logout")
    assert "Log in" in client.get("/login").text


@pytest.mark.parametrize(
    ("language", "moment_text", "day_text", "limit_text"),
    [
        ("zh", "2026年9月22日 18:00", "2026年9月22日", "2026年9月22日 24:00 前"),
        ("en", "22 Sep 2026 18:00", "22 Sep 2026", "by the end of 22 Sep 2026"),
    ],
)
def test_moments_read_in_shanghai_time(
    app: Flask, language: str, moment_text: str, day_text: str, limit_text: str
) -> None:
    moment, midnight_after = datetime(2026, 9, 22, 10, tzinfo=UTC), datetime(2026, 9, 22, 16, tzinfo=UTC)
    with app.test_request_context(headers={"Cookie": f"{COOKIE}={language}"}):
        assert when(moment) == moment_text
        assert day(moment) == day_text
        assert last_day(midnight_after) == limit_text


def test_what_is_not_there_reads_as_nothing(app: Flask) -> None:
    with app.test_request_context():
        assert (when(None), day(None), last_day(None), t(None), filesize(None)) == ("",) * 5


def test_a_text_without_english_stays_chinese(app: Flask) -> None:
    with app.test_request_context(headers={"Cookie": f"{COOKIE}=en"}):
        assert t(Text("审核材料")) == "审核材料"
        assert t("陈嘉欣") == "陈嘉欣"


@pytest.mark.parametrize(
    ("size", "text"), [(1, "1 KB"), (2048, "2 KB"), (1024 * 1024, "1.0 MB"), (5_400_000, "5.1 MB")]
)
def test_sizes_read_in_kilobytes_and_megabytes(size: int, text: str) -> None:
    assert filesize(size) == text
