"""`flask --app web …` for accounts whose person can't get in."""

import click
from flask.cli import with_appcontext

from engine import clock
from engine.people import accounts, management, second_factor, sessions
from engine.text import Text
from web.command_line import Command, runtime, say, settings


@click.command("reset-link", cls=Command, help="发放设置密码的一次性链接。Print a link that sets a password, once.")
@click.argument("username")
@with_appcontext
def reset_link(username: str) -> None:
    with runtime().database.write() as session:
        account = accounts.named(session, username)
        token = management.issue_link(session, account, by=None, now=clock.now())
    site = settings().public_url or f"http://{settings().host}:{settings().port}"
    click.echo(f"{site}/set-password/{token}")
    say(Text("24 小时内有效，只能用一次。", "It works once, within 24 hours."))


@click.command(
    "remove-second-factor", cls=Command, help="解除两步验证。Remove an account's second factor: its phone is lost."
)
@click.argument("username")
@with_appcontext
def remove_second_factor(username: str) -> None:
    with runtime().database.write() as session:
        account = accounts.named(session, username)
        sessions.end_all(session, account.id)
        second_factor.remove(session, account.id, by=None, now=clock.now())
    say(Text("已解除 {username} 的两步验证。", "{username} has no second factor now.").filled(username=username))


COMMANDS = (reset_link, remove_second_factor)
