"""`flask --app web keyring …`: the keys that encrypt at rest, how they are changed and what still needs which."""

import click
from flask.cli import with_appcontext

from engine import clock
from engine.secrets import Keyring
from engine.text import Text
from engine.trust import rotation
from web.command_line import Command, language, runtime, say


@click.group(help="静态加密的密钥。The keys that encrypt at rest.")
def keyring() -> None:
    pass


@keyring.command(
    cls=Command, help="各密钥的用量；缺密钥时退出码为 1。What needs which key; exit code 1 if one is missing."
)
@with_appcontext
def status() -> None:
    missing = False
    for each in rotation.usage(runtime()):
        missing = missing or not each.known
        standing = Text("保留", "kept") if each.known else Text("缺失", "MISSING")
        if each.encrypts:
            standing = Text("加密", "encrypts")
        needed = [f"{what.to(language())} {count}" for what, count in each.counts]
        nothing = Text("没有密文", "needed by nothing").to(language())
        click.echo(f"{each.key or '?':16}  {standing.to(language())}  {'  '.join(needed) or nothing}")
    if missing:
        raise click.exceptions.Exit(1)


@keyring.command(cls=Command, help="打印一个新密钥，供 KEYRING 使用。Print a new key, for KEYRING.")
def new() -> None:
    click.echo(Keyring.new_text())


@keyring.command(cls=Command, help="启用新密钥并重新加密。Put a new key first in the file and encrypt everything anew.")
@with_appcontext
def rotate() -> None:
    key = rotation.rotate(runtime(), clock.now())
    say(Text("已启用新密钥 {key}，请立即备份密钥文件。", "{key} encrypts now; back up the key file.").filled(key=key))
    _reencrypt()


@keyring.command(
    cls=Command, help="用当前密钥重新加密，可中断后继续。Encrypt with the first key what others encrypted."
)
@with_appcontext
def reencrypt() -> None:
    _reencrypt()


@keyring.command(cls=Command, help="从文件中移除不再使用的密钥。Take a key that nothing needs out of the file.")
@click.argument("key")
@with_appcontext
def retire(key: str) -> None:
    rotation.retire(runtime(), key, clock.now())
    sentence = Text(
        "已移除密钥 {key}。更早的数据库备份仍要用它，请随备份一同保存。",
        "{key} is out. Older backups of the database still need it; keep it with them.",
    )
    say(sentence.filled(key=key))


def _reencrypt() -> None:
    told = rotation.reencrypt(runtime())
    sentence = Text(
        "已重新加密 {done} 条，无法解密 {unreadable} 条。", "{done} encrypted anew, {unreadable} can't be read."
    )
    say(sentence.filled(done=told.done, unreadable=told.unreadable))
    if told.unreadable:
        raise click.exceptions.Exit(1)


COMMANDS = (keyring,)
