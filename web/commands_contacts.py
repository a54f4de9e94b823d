"""`flask --app web …` for what leaves the platform: whom to tell where, and sending what waits."""

import click
from flask.cli import with_appcontext

from engine import clock
from engine.people.tables import ContactKind, Role
from engine.telling import contacts, outbox
from engine.text import Text
from web import senders
from web.command_line import Command, language, runtime, say, settings


@click.command("add-contact", cls=Command, help="登记单位的邮箱或推送网址。Register where an organisation is told.")
@click.argument("role", type=click.Choice([role.value for role in Role]))
@click.option("--key", required=True, help="信用代码或城市代码 / credit code or city code")
@click.argument("kind", type=click.Choice([kind.value for kind in ContactKind]))
@click.argument("address")
@with_appcontext
def add_contact(role: str, key: str, kind: str, address: str) -> None:
    entry, secret = contacts.add(
        runtime(),
        role=role,
        key=key,
        kind=kind,
        address=address,
        private=settings().private_webhooks,
        now=clock.now(),
    )
    added = Text("已为{organisation}登记 {address}。", "{organisation} is told at {address} from now on.")
    say(added.filled(organisation=entry.organisation, address=entry.address))
    if secret:
        say(Text("签名密钥（只显示一次）：{secret}", "Signing secret (shown once): {secret}").filled(secret=secret))
    if kind not in senders.from_settings(settings()):
        say(Text("尚未设置 SMTP_URL，邮件暂不发送。", "SMTP_URL is not set: e-mail waits until it is."))


@click.command("contacts", cls=Command, help="列出登记的邮箱和推送网址。List where organisations are told.")
@with_appcontext
def contacts_command() -> None:
    with runtime().database.read() as session:
        for entry in contacts.listed(session):
            click.echo(f"{entry.id}  {entry.kind:7}  {entry.address}  {entry.organisation.to(language())}")


@click.command("remove-contact", cls=Command, help="删除登记的邮箱或推送网址。Tell an organisation there no longer.")
@click.argument("contact_id")
@with_appcontext
def remove_contact(contact_id: str) -> None:
    with runtime().database.write() as session:
        entry = contacts.remove(session, contact_id, now=clock.now())
    say(Text("已删除 {address}。", "Removed {address}.").filled(address=entry.address))


@click.command(cls=Command, help="发送到期的邮件和推送。Send the messages that are due.")
@with_appcontext
def deliver() -> None:
    sent = outbox.deliver_due(runtime(), clock.now, senders.from_settings(settings()))
    with runtime().database.read() as session:
        waiting = outbox.count_waiting(session)
    listed = ", ".join(f"{kind} {count}" for kind, count in sorted(waiting.items())) or "0"
    say(
        Text("已发送 {sent} 条；待发送：{waiting}", "Sent {sent}; waiting: {waiting}").filled(sent=sent, waiting=listed)
    )


COMMANDS = (add_contact, contacts_command, remove_contact, deliver)
