"""`flask --app web check`: do the rows of every application agree with its state?"""

import click
from flask.cli import with_appcontext

from engine.runtime import checking
from engine.text import Text
from web.command_line import Command, language, now, runtime, say


@click.command(
    cls=Command, help="核对每件申请的状态与记录，不一致时退出码为 1。Compare every application's rows with its state."
)
@click.option("--repair", is_flag=True, help="按状态修复记录 / put the rows right")
@with_appcontext
def check(repair: bool) -> None:
    with runtime().database.read() as session:
        found = checking.check(session, runtime().definitions)
    for each in found:
        place = " ".join(part for part in (each.instance_id, each.element_id, each.row_id) if part)
        click.echo(f"{place}  {each.wrong.value.to(language())}")
    if not found:
        say(Text("全部一致。", "Everything agrees."))
        return
    if repair:
        repaired = len(checking.repair_all(runtime(), found, now()))
        say(Text("已修复 {repaired} 处。", "Put {repaired} right.").filled(repaired=repaired))
    raise click.exceptions.Exit(1)


COMMANDS = (check,)
