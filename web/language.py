"""Which language a reader gets, and how moments and texts read in it. Chinese is the language of the msgids."""

from datetime import date, datetime, timedelta

from babel import Locale
from babel.dates import format_date, format_datetime
from flask import Flask, has_request_context, request
from flask_babel import Babel, gettext

from engine.calendar.entries import clock_time
from engine.clock import SHANGHAI
from engine.text import Language, Text

COOKIE = "language"
_DAYS: dict[Language, str] = {"zh": "y年M月d日", "en": "d MMM y"}
MIDNIGHT = "24:00"  # how the end of a day is said
_BABEL: dict[Language, Locale] = {"zh": Locale.parse("zh_CN"), "en": Locale.parse("en")}


def language() -> Language:
    """The language chosen in the header; Chinese where nobody chose, and outside a request."""
    return "en" if has_request_context() and request.cookies.get(COOKIE) == "en" else "zh"


def t(text: Text | str | None) -> str:
    """A text in the reader's language; a plain string (a name, what somebody wrote) stays as it is."""
    if isinstance(text, Text):
        return text.to(language())
    return text or ""


def when(moment: datetime | None) -> str:
    """2026年9月22日 18:00, 22 Sep 2026 18:00: in Shanghai, whatever the server's or the reader's zone."""
    if moment is None:
        return ""
    return _formatted(moment, {"zh": "y年M月d日 HH:mm", "en": "d MMM y HH:mm"})


def day(moment: datetime | None) -> str:
    """2026年9月22日, 22 Sep 2026: the day in Shanghai."""
    return _formatted(moment, _DAYS) if moment else ""


def last_day(due_at: datetime | None) -> str:
    """2026年9月22日 24:00 前, …17:30 前: the last day of a limit, whose end may be kept as the midnight after it."""
    if due_at is None:
        return ""
    last, at = _end(due_at, _DAYS)
    if at == MIDNIGHT:
        return str(gettext("%(day)s 24:00 前", day=last))
    return str(gettext("%(day)s %(time)s 前", day=last, time=at))


def end(due_at: datetime) -> str:
    """2026年9月22日 24:00, 22 Sep 2026 17:30: the end of a limit with its year."""
    return " ".join(_end(due_at, _DAYS))


def weekday(date_: date) -> str:
    """周二, Tue."""
    return format_date(date_, "EEE", locale=_BABEL[language()])


def filesize(size: int | None) -> str:
    """A number of bytes as people read it."""
    if size is None:
        return ""
    if size < 1024 * 1024:
        return f"{max(1, round(size / 1024))} KB"
    return f"{size / 1024 / 1024:.1f} MB"


def init_app(app: Flask) -> None:
    Babel(app, default_locale=str(_BABEL["zh"]), locale_selector=lambda: _BABEL[language()])
    app.jinja_env.globals.update(language=language)
    app.jinja_env.filters.update(t=t, when=when, day=day, last_day=last_day, filesize=filesize)
    app.jinja_env.filters.update(end=end, weekday=weekday, clock_time=clock_time)


def _end(due_at: datetime, patterns: dict[Language, str]) -> tuple[str, str]:
    """The last day and the time on it: an end at midnight is the day before's."""
    at = f"{due_at.astimezone(SHANGHAI):%H:%M}"
    return _formatted(due_at - timedelta(microseconds=1), patterns), MIDNIGHT if at == "00:00" else at


def _formatted(moment: datetime, patterns: dict[Language, str]) -> str:
    chosen = language()
    return format_datetime(moment, patterns[chosen], tzinfo=SHANGHAI, locale=_BABEL[chosen])
