"""`flask --app web case …`: where one application stands, and the operators' levers."""

import click
from flask.cli import with_appcontext

from engine.errors import Invalid
from engine.levers import interventions
from engine.levers.correcting import correct_variable
from engine.levers.deadlines import change_deadline
from engine.levers.moving import move
from engine.limits.time_left import ends_at
from engine.reading.case_desk import CaseDesk, case_desk
from engine.text import Text
from web.command_line import Command, language, now, person, runtime, say, shown
from web.commands_upkeep import AS
from web.moments import end_of

CASE = click.argument("case", metavar="ID|NUMBER")
REASON = click.option("--reason", required=True, help="理由，会留存并告知双方 / why; both sides are told")


class NoSuchStep(Invalid):
    sentence = Text(
        "该申请没有停在“{step}”；当前步骤和期限见 case show。",
        "The application does not wait at “{step}”; case show lists its steps and limits.",
    )


@click.group("case", help="查看一件申请，暂停、恢复、终止、转移或更正。See and correct one application.")
def case_group() -> None:
    pass


@case_group.command(cls=Command, help="当前步骤、可转到的步骤和期限。Where it stands, where it may go, its limits.")
@CASE
@AS
@with_appcontext
def show(case: str, username: str) -> None:
    found = _found(case, username)
    line = found.line
    click.echo(f"{line.number or '-'}  {line.id}  {line.title.to(language())}")
    standing = line.ended_early or ("suspended" if line.suspended_at else "closed" if line.closed_at else "open")
    since = shown(line.suspended_at or line.closed_at or line.started_at)
    click.echo(f"{standing}  {since}  {found.why or ''}".rstrip())
    for token in found.tokens:
        click.echo(f"→ {token.element.id}  {token.element.name.to(language())}")
        click.echo(f"    {' '.join(target.id for target in token.targets)}")
    for limit in found.limits:
        standing = f"⏸ {shown(limit.paused_at)}" if limit.paused_at else ends_at(limit.due_at)
        click.echo(f"⏱ {limit.element_id}  {limit.name.to(language())}  {standing}")


@case_group.command(cls=Command, help="暂停办理。Suspend it.")
@CASE
@REASON
@AS
@with_appcontext
def suspend(case: str, reason: str, username: str) -> None:
    interventions.suspend(runtime(), _found(case, username).line.id, reason, person(username), now())
    say(Text("已暂停办理。", "Suspended."))


@case_group.command(cls=Command, help="恢复办理。Resume it.")
@CASE
@REASON
@AS
@with_appcontext
def resume(case: str, reason: str, username: str) -> None:
    interventions.resume(runtime(), _found(case, username).line.id, reason, person(username), now())
    say(Text("已恢复办理。", "Resumed."))


@case_group.command(cls=Command, help="终止申请，不能撤销。Cancel it for good.")
@CASE
@REASON
@AS
@with_appcontext
def cancel(case: str, reason: str, username: str) -> None:
    interventions.cancel(runtime(), _found(case, username).line.id, reason, person(username), now())
    say(Text("申请已终止。", "Cancelled."))


@case_group.command("move", cls=Command, help="从一个步骤转到另一个步骤。Move it from one step to another.")
@CASE
@click.argument("step")
@click.argument("to")
@REASON
@AS
@with_appcontext
def move_command(case: str, step: str, to: str, reason: str, username: str) -> None:
    found = _found(case, username)
    token = next((t for t in found.tokens if step in (t.id, t.element.id)), None)
    if token is None:
        raise NoSuchStep(step=step)
    move(runtime(), found.line.id, token.id, to, reason, person(username), now())
    say(Text("已转移。", "Moved."))


@case_group.command(cls=Command, help="更改正在计算的期限（日期当天 24:00 届满）。Let a limit end on another day.")
@CASE
@click.argument("limit")
@click.argument("ends", metavar="DATE|ISO8601")
@click.option("--basis", default="", help="依据 / legal basis")
@REASON
@AS
@with_appcontext
def deadline(case: str, limit: str, ends: str, basis: str, reason: str, username: str) -> None:
    found = _found(case, username)
    running = next((t for t in found.limits if limit in (t.timer_id, t.element_id)), None)
    if running is None:
        raise NoSuchStep(step=limit)
    end = end_of(ends)
    change_deadline(runtime(), found.line.id, running.timer_id, end, reason, person(username), now(), basis=basis)
    say(Text("期限改至 {end}。", "The limit now ends at {end}.").filled(end=ends_at(end)))


@case_group.command(cls=Command, help="更正一项办理数据，如 basic.city。Correct a variable such as basic.city.")
@CASE
@click.argument("variable")
@click.argument("value")
@REASON
@AS
@with_appcontext
def correct(case: str, variable: str, value: str, reason: str, username: str) -> None:
    id_ = _found(case, username).line.id
    correct_variable(runtime(), id_, variable, value, reason, person(username), now(), written=True)
    say(Text("已更正。", "Corrected."))


def _found(case: str, username: str) -> CaseDesk:
    with runtime().database.read() as session:
        return case_desk(session, runtime().definitions, case, person(username), now())


COMMANDS = (case_group,)
