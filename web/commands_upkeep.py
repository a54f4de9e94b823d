"""`flask --app web …` for what failed, and for what can be thrown away."""

import click
from flask.cli import with_appcontext

from engine import clock, files
from engine.definitions.fields import Personal
from engine.definitions.masking import masked
from engine.files.leaving import DRAFTS_KEPT
from engine.levers import incidents
from engine.reading.incident_desk import desk
from engine.runtime import once
from engine.text import Text
from web.command_line import Command, language, now, person, runtime, say, shown

AS = click.option(
    "--as",
    "username",
    default="admin",
    show_default=True,
    metavar="USER",
    help="管理员账号 / an administrator's account",
)


@click.command("incidents", cls=Command, help="列出待处理的故障。List the open incidents.")
@click.option("--all", "everything", is_flag=True, help="包括处理过的 / those resolved too")
@AS
@with_appcontext
def incidents_command(everything: bool, username: str) -> None:
    actor = person(username)
    for resolved in (False, True) if everything else (False,):
        with runtime().database.read() as session:
            found = desk(session, runtime().definitions, actor, resolved=resolved, limit=None)
        for group in found.groups:
            for line in group.lines:
                where = f"{line.element_id or '-'}  {line.number or line.instance_id or '-'}"
                click.echo(f"{line.id}  {shown(line.at)}  ×{line.times}  {line.action}  {where}  {line.cause}")
                if line.resolved_at:
                    how = line.reason or Text("重试成功", "a retry succeeded").to(language())
                    by = masked(Personal.NAME, line.resolved_by) if line.resolved_by else "-"
                    click.echo(f"    {shown(line.resolved_at)}  {by}  {how}")


@click.command(
    cls=Command, help="重试故障；仍有未成功的，退出码为 1。Retry incidents; exit code 1 if any failed again."
)
@click.argument("incident", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="全部待处理的 / every open one")
@AS
@with_appcontext
def retry(incident: tuple[str, ...], everything: bool, username: str) -> None:
    if everything == bool(incident):
        raise click.UsageError("INCIDENT… | --all")
    actor = person(username)
    with runtime().database.read() as session:
        ids = incidents.open_ids(session, incidents.matching()) if everything else list(incident)
    told = incidents.retry_many(runtime(), ids, actor, now())
    sentence = Text("重试成功 {succeeded} 条，仍未成功 {failed} 条。", "{succeeded} succeeded, {failed} failed again.")
    say(sentence.filled(succeeded=told.succeeded, failed=told.failed))
    if told.failed:
        raise click.exceptions.Exit(1)


@click.command(cls=Command, help="不再重试，标记为处理完毕。Put incidents away without retrying.")
@click.argument("incident", nargs=-1, required=True)
@click.option("--reason", required=True, help="处理理由，会留存 / why; it is kept")
@AS
@with_appcontext
def resolve(incident: tuple[str, ...], reason: str, username: str) -> None:
    resolved = incidents.resolve(runtime(), incident, reason, person(username), now())
    say(Text("已标记为处理完毕：{resolved} 条。", "{resolved} resolved.").filled(resolved=resolved))


@click.command(
    cls=Command,
    help="清除过期的防重复标识和无人提交的附件。Delete keys of commands done long ago, and files never handed in.",
)
@with_appcontext
def tidy() -> None:
    with runtime().database.write() as session:
        keys = once.forget_old(session, now() - once.KEPT)
        drafts = files.forget_drafts(session, now() - DRAFTS_KEPT)
    contents = files.sweep(runtime().database, runtime().files, clock.now())
    gone = {"keys": keys, "drafts": drafts, "contents": contents}
    sentence = Text(
        "已清除标识 {keys} 个、附件草稿 {drafts} 个、无主的文件内容 {contents} 个。",
        "Deleted: {keys} keys, {drafts} drafts of files, {contents} contents that no file names.",
    )
    say(sentence.filled(**gone))


COMMANDS = (incidents_command, retry, resolve, tidy)
