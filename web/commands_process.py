"""`flask --app web …` for taking part in the process without a browser: the same calls the pages make."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from engine.definitions.fields import Personal
from engine.definitions.masking import masked
from engine.reading import inbox
from engine.runtime import instances
from engine.text import Text
from web.command_line import Command, language, now, person, read_answers, runtime, say, shown

ANSWERS = click.option(
    "--answers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='JSON：{"表单": {"字段": 值}} / {"form": {"field": value}}',
)
AS = click.option("--as", "username", required=True, metavar="USER", help="以谁的账号 / whose account")

ONCE = click.option(
    "--once",
    metavar="KEY",
    help="同一标识只执行一次，重复时结果相同 / do it once under this key; a repeat answers the same",
)


@click.command(cls=Command, help="发起申请，输出其编号。Start an application; prints its id.")
@click.argument("process")
@AS
@ANSWERS
@ONCE
@with_appcontext
def start(process: str, username: str, answers: Path | None, once: str | None) -> None:
    actor = person(username)
    given = read_answers(answers, actor)
    click.echo(instances.start(runtime(), process_id=process, answers=given, actor=actor, now=now(), once=once))


@click.command("inbox", cls=Command, help="列出某人所在单位的待办。List the open tasks of somebody's organisation.")
@AS
@with_appcontext
def inbox_command(username: str) -> None:
    actor, after, more = person(username), "", True
    while more:
        with runtime().database.read() as session:
            found = inbox.open_tasks(session, actor, now(), after=after, size=100)
        for line in found.items:
            claimed = masked(Personal.NAME, line.claimed_by) if line.claimed_by else "-"
            due = shown(line.left.due_at) if line.left else "-"
            number, name, title = line.number or "-", line.name.to(language()), line.title.to(language())
            click.echo(f"{line.id}  {due}  {number}  {name}  {title}  {claimed}  {line.instance_id}")
            after = line.id
        more = not found.ends


@click.command(cls=Command, help="办理任务。Complete a task.")
@click.argument("task")
@AS
@ANSWERS
@ONCE
@with_appcontext
def complete(task: str, username: str, answers: Path | None, once: str | None) -> None:
    actor = person(username)
    instances.complete(runtime(), task, read_answers(answers, actor), actor, now(), once=once)
    say(Text("任务已办理完毕。", "The task is completed."))


@click.command(
    "send-message", cls=Command, help="发送流程正在等待的消息，如 complaint。Send a message, such as complaint."
)
@click.argument("instance")
@click.argument("message")
@AS
@ANSWERS
@ONCE
@with_appcontext
def send_message(instance: str, message: str, username: str, answers: Path | None, once: str | None) -> None:
    actor = person(username)
    instances.send_message(runtime(), instance, message, read_answers(answers, actor), actor, now(), once=once)
    say(Text("已提交。", "It was received."))


COMMANDS = (start, inbox_command, complete, send_message)
