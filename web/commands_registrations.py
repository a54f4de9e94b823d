"""`flask --app web …` for enterprises that ask for an account."""

import click
from flask.cli import with_appcontext

from engine import clock
from engine.membership import deciding
from engine.text import Text
from web.command_line import Command, person, runtime, say, settings, shown


@click.command("registrations", cls=Command, help="列出企业注册申请。List the enterprises that ask for an account.")
@click.option("--decided", is_flag=True, help="已处理的 / those decided")
@click.option("--as", "username", required=True, metavar="ADMINISTRATOR")
@with_appcontext
def registrations(decided: bool, username: str) -> None:
    actor, number = person(username), 1
    while True:
        with runtime().database.read() as session:
            page = deciding.listed(session, actor, decided=decided, page=number)
        for each in page.items:
            facts = (each.id, each.state, shown(each.applied_at), each.code, each.name, each.contact, each.email)
            click.echo("  ".join((*facts, *([each.reason] if each.reason else []))))
        if number >= page.pages:
            break
        number += 1


@click.command("approve-registration", cls=Command, help="通过企业注册。Approve an enterprise's registration.")
@click.argument("registration_id")
@click.option("--username", "given", default="", help="另给用户名 / another user name than the one asked for")
@click.option("--as", "username", required=True, metavar="ADMINISTRATOR")
@with_appcontext
def approve_registration(registration_id: str, given: str, username: str) -> None:
    mails_links = settings().mails_links
    approved = deciding.approve(
        runtime(), registration_id, person(username), username=given, mails_links=mails_links, now=clock.now()
    )
    say(Text("已开立账号 {username}。", "Created the account {username}.").filled(username=approved.username))
    if mails_links:
        say(Text("设置密码的链接会发往企业的邮箱。", "A letter takes the link to set the password to the enterprise."))
        return
    site = settings().public_url or f"http://{settings().host}:{settings().port}"
    click.echo(f"{site}/set-password/{approved.token}")


@click.command("reject-registration", cls=Command, help="退回企业注册。Reject an enterprise's registration.")
@click.argument("registration_id")
@click.option("--reason", required=True, help="理由，会告知企业 / the enterprise is told")
@click.option("--as", "username", required=True, metavar="ADMINISTRATOR")
@with_appcontext
def reject_registration(registration_id: str, reason: str, username: str) -> None:
    deciding.reject(runtime(), registration_id, person(username), reason=reason, now=clock.now())
    say(Text("已退回。", "Rejected."))


COMMANDS = (registrations, approve_registration, reject_registration)
