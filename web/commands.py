"""`flask --app web …` for those who run the system: definitions, people, the clock and the server."""

import json
import signal
import threading
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy import func, select

from engine import clock
from engine.definitions import deployment
from engine.definitions.lint import has_errors, lint
from engine.definitions.tables import DefinitionInForce, DefinitionVersion
from engine.errors import Invalid, NotAllowed
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import create_account, create_organisation, organisation_for
from engine.people.tables import Role
from engine.runtime import timers, trial
from engine.runtime.tables import Instance
from engine.text import Text
from handlers import HANDLERS
from web import (
    commands_accounts,
    commands_audit,
    commands_calendar,
    commands_case,
    commands_check,
    commands_contacts,
    commands_keyring,
    commands_privacy,
    commands_process,
    commands_registrations,
    commands_upkeep,
    trial_cast,
)
from web.command_line import Command, language, now, person, runtime, say, settings, show_findings, shown
from web.rehearsal import rehearse
from web.scheduler import clock_of, tick
from web.settings import ROOT, Settings

FOLDER = click.Path(exists=True, path_type=Path)


class NotInTrial(NotAllowed):
    sentence = Text("此命令只能在试用模式（TRIAL=1）下使用。", "This command is for trial mode (TRIAL=1) only.")


class NothingToDeploy(Invalid):
    sentence = Text("{path} 里没有流程图（.bpmn）。", "There is no diagram (.bpmn) in {path}.")


class NoSuchOrganisation(Invalid):
    sentence = Text(
        "没有登记代码为“{key}”的{role}单位；请先用 create-organisation 登记。",
        "No organisation of role {role} has the code “{key}”; register it with create-organisation first.",
    )


class MomentUnreadable(Invalid):
    sentence = Text(
        "“{given}”不是带时区的 ISO 8601 时刻，如 2026-09-22T18:00+08:00。",
        "“{given}” is no ISO 8601 moment with a time zone, such as 2026-09-22T18:00+08:00.",
    )


def init_app(app: Flask) -> None:
    rooms = (
        commands_process,
        commands_privacy,
        commands_case,
        commands_calendar,
        commands_check,
        commands_audit,
        commands_contacts,
        commands_keyring,
        commands_upkeep,
        commands_accounts,
        commands_registrations,
    )
    for command in (*COMMANDS, *(command for room in rooms for command in room.COMMANDS)):
        app.cli.add_command(command)


@click.command(
    cls=Command, help="建立或升级数据库，并部署 bpmn/ 下的流程。Migrate the database, deploy the folders of bpmn/."
)
@with_appcontext
def init() -> None:
    deploy_project_folders()
    say(Text("数据库已是最新版本。", "The database is up to date."))


@click.command(
    cls=Command, help="部署流程图及其表单并立即启用。Deploy a diagram with the forms beside it and put it in force."
)
@click.argument("path", type=FOLDER)
@click.option("--as", "username", metavar="USER", help="流程分析员账号 / an analyst's account")
@click.option("--note", default="", help="版本说明 / what is new")
@with_appcontext
def deploy(path: Path, username: str | None, note: str) -> None:
    by = person(username) if username else None
    if by:
        access.require(by, Action.DEPLOY)
    forms = deployment.read_forms(_folder(path))
    for diagram in _diagrams(path):
        try:
            with runtime().database.write() as session:
                version = deployment.deploy(
                    session,
                    diagram=diagram.read_bytes(),
                    forms=forms,
                    handlers=runtime().handlers,
                    by=by.account_id if by else None,
                    now=now(),
                    note=note,
                )
        except deployment.DeploymentRefused as refused:
            show_findings(refused.findings)
            raise
        in_force = Text("{process} 第 {number} 版已启用。", "{process} version {number} is in force.")
        say(in_force.filled(process=version.process_id, number=version.number))


@click.command("lint", cls=Command, help="检查流程图和表单，不部署。Check a diagram and its forms without deploying.")
@click.argument("path", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出 / print JSON")
@click.option("--alone", is_flag=True, help="不查已部署的流程 / as if nothing were deployed that could be called")
@with_appcontext
def lint_command(path: Path, as_json: bool, alone: bool) -> None:
    forms = deployment.read_forms(_folder(path))
    diagrams = {diagram.name: diagram.read_bytes() for diagram in _diagrams(path)}
    if alone:
        findings = {name: lint(diagram, forms, HANDLERS) for name, diagram in diagrams.items()}
        note = Text("没有查看已部署的流程。", "What is deployed was not looked at.")
    else:
        with runtime().database.read() as session:
            findings = {
                name: deployment.findings_of(session, diagram, forms, HANDLERS) for name, diagram in diagrams.items()
            }
        note = Text("被调用的流程按已部署的版本检查。", "What is called was checked as it is deployed.")
    click.echo(note.to(language()), err=True)
    if as_json:
        told = [{"file": name} | asdict(finding) for name, each in findings.items() for finding in each]
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        for name, each in findings.items():
            if each:
                click.echo(f"{name}:", err=True)
            show_findings(each)
    if any(has_errors(each) for each in findings.values()):
        raise click.exceptions.Exit(1)
    if not as_json:
        say(Text("没有错误，可以部署。", "No errors; this can be deployed."))


@click.command(cls=Command, help="列出已部署的流程版本。List the deployed versions.")
@with_appcontext
def definitions() -> None:
    with runtime().database.read() as session:
        counted = session.execute(select(Instance.version_id, func.count()).group_by(Instance.version_id))
        used = dict(counted.all())
        in_force = set(session.scalars(select(DefinitionInForce.version_id)))
        order = (DefinitionVersion.process_id, DefinitionVersion.number.desc())
        for version in session.scalars(select(DefinitionVersion).order_by(*order)):
            standing = Text("启用", "in force") if version.id in in_force else Text("停用", "not in force")
            name = Text(version.name, version.name_en).to(language())
            line = f"{version.process_id} v{version.number} {version.sha256[:12]} {shown(version.deployed_at)} {name}"
            applications = Text("{count} 件申请", "{count} applications").filled(count=used.get(version.id, 0))
            click.echo(f"{line}  {standing.to(language())}  {applications.to(language())}")


@click.command("create-organisation", cls=Command, help="登记单位。Register an organisation.")
@click.argument("role", type=click.Choice([role.value for role in Role]))
@click.argument("name")
@click.option("--key", "keys", multiple=True, required=True, help="信用代码或城市代码 / credit code or city code")
@click.option("--name-en", default="")
@with_appcontext
def create_organisation_command(role: str, name: str, keys: tuple[str, ...], name_en: str) -> None:
    with runtime().database.write() as session:
        create_organisation(session, Role(role), name, keys, now=clock.now(), name_en=name_en)
    say(Text("已登记{name}。", "Registered {name}.").filled(name=Text(name, name_en)))


@click.command("create-user", cls=Command, help="开立账号，密码另行输入。Create an account; the password is asked for.")
@click.argument("username")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--key", required=True, help="单位的信用代码或城市代码 / the organisation's credit code or city code")
@click.option("--name", default="", help="姓名 / the person's name")
@click.option("--manages", is_flag=True, help="本单位账号管理员 / looks after the organisation's accounts")
@click.option("--password-file", type=click.File(), help="从文件读密码，- 为标准输入 / read it from a file, - is stdin")
@with_appcontext
def create_user(username: str, role: str, key: str, name: str, manages: bool, password_file: IO[str] | None) -> None:
    if password_file:
        password = password_file.read().rstrip("\r\n")
    else:
        password = click.prompt("密码 / Password", hide_input=True, confirmation_prompt=True)
    with runtime().database.write() as session:
        organisation = organisation_for(session, role, key)
        if organisation is None:
            raise NoSuchOrganisation(role=role, key=key)
        account = create_account(
            session,
            organisation=organisation,
            username=username,
            password=password,
            name=name,
            manages=manages,
            now=clock.now(),
        )
    say(Text("已开立账号 {username}。", "Created the account {username}.").filled(username=account.username))


@click.command(
    "seed-trial", cls=Command, help="登记试用单位和账号（仅试用模式）。Register the trial's people (trial mode only)."
)
@with_appcontext
def seed_trial() -> None:
    _require_trial()
    with runtime().database.write() as session:
        made = trial_cast.seed(session, password=settings().trial_password, now=clock.now())
    say(Text("试用账号已就绪，新开立 {made} 个。", "The trial's accounts are ready; {made} are new.").filled(made=made))


@click.command("tick", cls=Command, help="处理到期的时限。Fire the timers that are due.")
@click.option("--now", "moment", metavar="ISO8601", help="按此时刻处理（试用模式） / as of this moment (trial mode)")
@with_appcontext
def tick_command(moment: str | None) -> None:
    if moment is None:
        done = tick(runtime())
    else:
        _require_trial()
        done = timers.fire_due(runtime(), _moment(moment))
    say(Text("已处理 {done} 件。", "Brought {done} instances up to date.").filled(done=done))


@click.command(cls=Command, help="拨快流程时钟（仅试用模式）。Move the process clock forward (trial mode only).")
@click.argument("working_days", type=int)
@click.option("--as", "username", default="admin", show_default=True, metavar="USER")
@with_appcontext
def advance(working_days: int, username: str) -> None:
    moved = trial.advance(runtime(), working_days=working_days, actor=person(username), real_now=clock.now())
    say(Text("流程时间：{moment}", "Process time: {moment}").filled(moment=shown(moved)))


@click.command("clock", cls=Command, help="单独运行时钟，直到被终止。Run the clock alone until told to stop.")
@with_appcontext
def clock_command() -> None:
    ticking = clock_of(runtime(), settings())
    stop = threading.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: stop.set())
    ticking.start()
    say(Text("时钟已启动。", "The clock is running."))
    stop.wait()
    ticking.stop()


@click.command(cls=Command, help="启动网站和时钟。Serve the pages and run the clock.")
@click.option("--host", help="默认取 HOST / default: HOST")
@click.option("--port", type=click.IntRange(1, 65535), help="默认取 PORT / default: PORT")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="SQLite 只用 1 个 / 1 on SQLite"
)
@click.option("--clock/--no-clock", "with_clock", default=True, show_default=True)
@with_appcontext
def serve(host: str | None, port: int | None, workers: int, with_clock: bool) -> None:
    from web.server import Server  # only here: gunicorn exists for POSIX systems only

    chosen = replace(settings(), host=host or settings().host, port=port or settings().port)
    if workers > 1 and runtime().database.engine.dialect.name == "sqlite":
        raise click.UsageError("SQLite: --workers 1")
    deploy_project_folders()
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    Server(app, chosen, workers=workers, clock=with_clock, on_ready=lambda: _welcome(chosen)).run()


@click.command(cls=Command, help="在临时数据库上演练流程场景。Play a folder's scenarios on a database of their own.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--story", is_flag=True, help="显示经过 / tell what happened")
@with_appcontext
def scenarios(folder: Path, story: bool) -> None:
    failed = 0
    for scenario, told, failure in rehearse(folder):
        failed += failure is not None
        click.echo(f"{'✗' if failure else '✓'} {scenario.file}  {scenario.title.to(language())}")
        for line in told if story or failure else ():
            click.echo(f"    {line}")
        if failure:
            click.echo(f"    {failure}", err=True)
    if failed:
        raise click.ClickException(Text("{n} 个场景未通过。", "{n} scenarios failed.").filled(n=failed).to(language()))


def deploy_project_folders() -> None:
    """Deploy what lies in bpmn/ and was never deployed before. Raises DeploymentRefused, after showing the findings."""
    for folder in sorted({diagram.parent for diagram in (ROOT / "bpmn").glob("*/*.bpmn")}):
        try:
            with runtime().database.write() as session:
                new = deployment.deploy_folder(session, folder, handlers=runtime().handlers, now=now())
        except deployment.DeploymentRefused as refused:
            show_findings(refused.findings)
            raise
        for version in new:
            deployed = Text("已部署 {process} 第 {number} 版。", "Deployed {process} version {number}.")
            say(deployed.filled(process=version.process_id, number=version.number))


def _welcome(settings: Settings) -> None:
    """What to open, and in a trial as whom."""
    say(Text("请打开 {address}", "Open {address}").filled(address=f"http://{settings.host}:{settings.port}"))
    if settings.trial:
        accounts = Text("试用账号（密码都是 {password}）：", "Trial accounts (all with the password {password}):")
        say(accounts.filled(password=settings.trial_password))
        for _role, organisation, username, name in trial_cast.listed():
            click.echo(f"  {username:18} {name}　{organisation.to(language())}")


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _diagrams(path: Path) -> list[Path]:
    """Raises NothingToDeploy."""
    found = sorted(path.glob("*.bpmn")) if path.is_dir() else [path]
    if not found:
        raise NothingToDeploy(path=path)
    return found


def _require_trial() -> None:
    if not runtime().trial:
        raise NotInTrial()


def _moment(given: str) -> datetime:
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise MomentUnreadable(given=given) from None
    if moment.tzinfo is None:
        raise MomentUnreadable(given=given)
    return moment.astimezone(UTC)


COMMANDS = (
    init,
    deploy,
    lint_command,
    definitions,
    scenarios,
    create_organisation_command,
    create_user,
    seed_trial,
    tick_command,
    advance,
    clock_command,
    serve,
)
