"""`flask --app web calendar …`: the working days of the country, the province and its cities."""

import json
from datetime import datetime
from pathlib import Path

import click
from flask.cli import with_appcontext

from engine.calendar import versions
from engine.calendar.book import announced_years
from engine.calendar.entries import Closure, DayEnds, EntryRefused, Notice, Proposal, Withdrawal, clock_time
from engine.calendar.examining import examine
from engine.calendar.reading import read
from engine.calendar.regions import NAMES
from engine.clock import SHANGHAI
from engine.limits import calendars
from engine.limits.explaining import explain
from engine.limits.recomputing import recompute_all
from engine.limits.time_left import ends_at
from engine.text import Text
from web.command_line import Command, language, now, person, runtime, say, shown
from web.commands_upkeep import AS

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group(help="工作日历：查看、录入、试算。The calendar of working days.")
def calendar() -> None:
    pass


@calendar.command(cls=Command, help="显示日历版本和已录入的内容。Show the version and what was entered.")
@with_appcontext
def show() -> None:
    with runtime().database.read() as session:
        book = versions.newest(session)
        missing = calendars.missing_notice(session, now())
    say(Text("日历第 {version} 版", "Calendar version {version}").filled(version=book.version))
    years = announced_years(book)
    say(Text("已公布的年份：{first}–{last}", "Announced years: {first}–{last}").filled(first=years[0], last=years[-1]))
    for entry in book.entries:
        withdrawn = Text("（第 {version} 版撤回）", " (withdrawn in version {version})").filled(
            version=entry.withdrawn_in
        )
        mark = withdrawn.to(language()) if entry.withdrawn_in else ""
        click.echo(f"{entry.id}  v{entry.version}  {shown(entry.at)}  {_said(entry.what).to(language())}{mark}")
    if missing:
        text = Text("{year} 年的放假通知尚未录入。", "The notice of {year} has not been entered yet.")
        say(text.filled(year=missing))


@calendar.command("explain", cls=Command, help="逐日说明期限如何算出。Count working days and explain every day.")
@click.argument("start", metavar="ISO8601")
@click.argument("days", type=int)
@click.option("--region", default="", help="440100 …；不填为全国 / empty: the country")
@click.option("--side", default="", help="enterprise, authority, support")
@click.option("--version", type=click.IntRange(min=0), help="日历版本 / calendar version")
@with_appcontext
def explain_command(start: str, days: int, region: str, side: str, version: int | None) -> None:
    if region not in NAMES:
        raise EntryRefused("没有地区“{region}”。", "There is no region “{region}”.", region=region)
    with runtime().database.read() as session:
        told = explain(session, start=_start(start), days=days, region=region, side=side, version=version)
    for day in told.deadline.days:
        mark = "✓" if day.counts else "·"
        source = day.source.to(language())
        click.echo(f"{mark} {day.date:%Y-%m-%d}  {day.reason.to(language())}{f'  {source}' if source else ''}")
    ends = Text("截止：{end}（{region}，日历第 {version} 版）", "Ends: {end} ({region}, calendar version {version})")
    say(ends.filled(end=ends_at(told.deadline.due_at), region=NAMES[region], version=told.version))
    if told.deadline.provisional:
        text = Text(
            "暂定；无论通知如何安排，最迟 {end}。", "Provisional; whatever the notice says, {end} at the latest."
        )
        say(text.filled(end=ends_at(told.fires_at)))


@calendar.command(cls=Command, help="录入通知或停工停业（JSON 文件）。Enter a notice or a closure from a JSON file.")
@FILE
@AS
@with_appcontext
def enter(file: Path, username: str) -> None:
    _publish(_read(file), username)


@calendar.command(cls=Command, help="撤回已录入的一项。Withdraw an entry.")
@click.argument("entry", type=int)
@click.option("--reason", required=True, help="理由 / why")
@AS
@with_appcontext
def withdraw(entry: int, reason: str, username: str) -> None:
    _publish(read({"withdraw": entry, "reason": reason}), username)


@calendar.command(cls=Command, help="录入前预览哪些期限会变。Show which limits entering a file would move.")
@FILE
@AS
@with_appcontext
def preview(file: Path, username: str) -> None:
    with runtime().database.read() as session:
        shows = calendars.preview(session, runtime().definitions, _read(file), person(username))
    for remark in shows.remarks:
        say(remark)
    for move in shows.moves:
        where = f"{move.number or move.instance_id}  {move.title.to(language())}  {move.step.to(language())}"
        click.echo(f"{move.change:11}  {ends_at(move.before)} → {ends_at(move.after)}  {where}")
    say(Text("{count} 项期限会变。", "{count} limits would change.").filled(count=len(shows.moves)))


@calendar.command(cls=Command, help="按最新日历重算进行中的期限。Recompute the limits that run.")
@with_appcontext
def recompute() -> None:
    done = recompute_all(runtime(), now())
    say(Text("已按最新日历核对 {done} 项期限。", "Brought {done} limits to the newest calendar.").filled(done=done))


def _publish(proposals: tuple[Proposal, ...], username: str) -> None:
    with runtime().database.read() as session:
        book = versions.newest(session)
        remarks = examine(book, proposals)
    for remark in remarks:
        say(remark)
    actor, moment = person(username), now()
    version = calendars.publish(runtime(), proposals, after=book.version, actor=actor, now=moment)
    done = recompute_all(runtime(), moment)
    published = Text(
        "日历第 {version} 版已发布，核对了 {done} 项期限。",
        "Calendar version {version} is published; {done} limits were brought to it.",
    )
    say(published.filled(version=version, done=done))


def _read(file: Path) -> tuple[Proposal, ...]:
    try:
        raw = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as problem:
        raise EntryRefused(
            "{file} 不是 JSON 文件：{problem}", "{file} is no JSON file: {problem}", file=file, problem=problem
        ) from problem
    return read(raw)


def _start(text: str) -> datetime:
    """A moment or a date; without a zone it is Shanghai's."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise EntryRefused(
            "“{text}”不是时刻，请写成 2026-09-18T10:00 的样子。",
            "“{text}” is no moment; write it like 2026-09-18T10:00.",
            text=text,
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def _said(what: Proposal) -> Text:
    match what:
        case Notice():
            return Text("{year} 年放假通知 {document}", "notice of {year} {document}").filled(
                year=what.year, document=what.document
            )
        case Closure():
            days = ", ".join(day.isoformat() for day in what.days)
            return Text("{region} {days} 停工停业：{why}", "{region} closed {days}: {why}").filled(
                region=NAMES[what.region], days=days, why=what.reason
            )
        case DayEnds():
            return Text("{side} 每天到 {at} 为止：{why}", "the day of {side} ends at {at}: {why}").filled(
                side=what.side, at=clock_time(what.after), why=what.reason
            )
        case Withdrawal():
            return Text("撤回第 {entry} 项：{why}", "withdraws entry {entry}: {why}").filled(
                entry=what.entry, why=what.reason
            )


COMMANDS = (calendar,)
