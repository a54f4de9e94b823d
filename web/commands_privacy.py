"""`flask --app web …` for the law on personal data: what is kept how long, erased and handed out."""

from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from engine import clock
from engine.errors import NotFound
from engine.limits.time_left import ends_at
from engine.people.accounts import normalised, organisation_for
from engine.people.tables import Account
from engine.privacy.erasure import erase, preview
from engine.privacy.export import of_organisation, of_person, write_zip
from engine.privacy.retention import remove_due, upcoming
from engine.text import Text
from web.command_line import Command, language, now, person, runtime, say, shown
from web.commands_upkeep import AS


@click.command(
    cls=Command,
    help="删除已过保存期限的内容；--preview 只列出将要删除的。Remove what is past its retention period, or list it.",
)
@click.option("--preview", is_flag=True, help="只列出各件保存到哪一天，不删除 / list until when each is kept")
@AS
@with_appcontext
def retention(preview: bool, username: str) -> None:
    actor = person(username)
    with runtime().database.read() as session:
        kept = upcoming(session, runtime().definitions, actor, 1_000)
    if not preview:
        removed = remove_due(runtime(), now(), real_now=clock.now())
        say(
            Text("已删除 {removed} 件的内容。", "Removed the content of {removed} applications.").filled(
                removed=removed
            )
        )
        return
    for each in kept:
        due = Text("即将删除", "due").to(language()) if each.ends <= now() and not each.held else ""
        held = Text("保留：{reason}", "held: {reason}").filled(reason=each.held).to(language()) if each.held else ""
        line = f"{each.number or each.id}  {shown(each.closed_at)}  → {ends_at(each.ends)}  {each.title.to(language())}"
        click.echo(f"{line}  {held}{due}".rstrip())


@click.command(
    "erase-account",
    cls=Command,
    help="删除一个账号的个人信息；不加 --yes 只预览。Erase the person of an account; without --yes only a preview.",
)
@click.argument("account", metavar="USERNAME")
@click.option("--reason", required=True, help="理由，会留存 / why; it is kept")
@click.option("--yes", is_flag=True, help="确认删除，不能恢复 / do it, for good")
@AS
@with_appcontext
def erase_account(account: str, reason: str, yes: bool, username: str) -> None:
    actor, account_id = person(username), _account_id(account)
    with runtime().database.read() as session:
        foreseen = preview(session, runtime().definitions, account_id, actor)
    would = Text(
        "{username}：退回待办 {claimed} 件；删除 {applications} 件申请中的 {answers} 份填写内容里的个人信息。",
        "{username}: {claimed} tasks are put back; {answers} answers in {applications} applications lose what is "
        "personal.",
    )
    say(
        would.filled(
            username=foreseen.username,
            claimed=foreseen.claimed,
            applications=foreseen.applications,
            answers=foreseen.answers,
        )
    )
    if foreseen.refusal:
        raise foreseen.refusal
    if not yes:
        say(Text("这只是预览；确认删除请加 --yes。", "This was a preview; add --yes to erase."))
        return
    erase(runtime(), account_id, reason, actor, now=now(), real_now=clock.now())
    say(Text("个人信息已删除。", "The personal data is erased."))


@click.command(
    "export-data",
    cls=Command,
    help="导出一个账号或一个单位的数据（zip）。Export the data of an account or an organisation as a zip.",
)
@click.option("--account", metavar="USER", help="账号 / an account")
@click.option("--organisation", nargs=2, metavar="ROLE KEY", help="单位的角色和代码 / an organisation's role and code")
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), required=True)
@AS
@with_appcontext
def export_data(account: str | None, organisation: tuple[str, str] | None, target: Path, username: str) -> None:
    if (account is None) == (organisation is None):
        raise click.UsageError("--account USER | --organisation ROLE KEY")
    actor, definitions = person(username), runtime().definitions
    with runtime().database.write() as session:
        if organisation:
            found = organisation_for(session, *organisation)
            if found is None:
                raise NotFound()
            export = of_organisation(session, definitions, found.id, actor, clock.now())
        else:
            export = of_person(session, definitions, _account_id(account or ""), actor, clock.now())
    with target.open("xb") as archive:
        write_zip(export, runtime().files, archive)
    say(
        Text("已导出到 {target}，含附件 {files} 个。", "Exported to {target}, with {files} files.").filled(
            target=target, files=len(export.files)
        )
    )


def _account_id(username: str) -> str:
    """Of an account, active or not. Raises NotFound."""
    with runtime().database.read() as session:
        account_id = session.scalar(select(Account.id).where(Account.username == normalised(username)))
    if account_id is None:
        raise NotFound()
    return account_id


COMMANDS = (retention, erase_account, export_data)
