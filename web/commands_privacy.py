"""`flask --app web …` for the law on personal data: what is kept how long."""

import click
from flask.cli import with_appcontext

from engine import clock
from engine.privacy.retention import remove_due, upcoming
from engine.runtime.time_left import ends_at
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


COMMANDS = (retention,)
