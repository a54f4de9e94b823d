"""`flask --app web …` for the audit trail: print a stream, anchor all, and find out whether anything was changed."""

import json

import click
from flask.cli import with_appcontext
from sqlalchemy import or_, select

from engine import clock
from engine.audit.chain import moment
from engine.audit.tables import SystemEvent
from engine.errors import Invalid, NotFound
from engine.runtime.tables import Event, Instance
from engine.text import Text
from engine.trust import anchors, verification
from web.command_line import Command, runtime, say


class AnchorUnreadable(Invalid):
    sentence = Text(
        "“{given}”不是锚点；应为 anchor 命令显示的“序号:校验值”。",
        "“{given}” is no anchor; write number:digest as the anchor command prints it.",
    )


@click.command("audit", cls=Command, help="显示审计记录：系统的，或一件申请的。Print the audit trail.")
@click.option("--instance", metavar="ID", help="申请的标识或编号 / an application's id or number; default: the system")
@with_appcontext
def audit(instance: str | None) -> None:
    with runtime().database.read() as session:
        entries: list[Event | SystemEvent] = []
        if instance is None:
            entries += session.scalars(select(SystemEvent).order_by(SystemEvent.sequence))
        else:
            query = select(Instance.id).where(or_(Instance.id == instance, Instance.number == instance))
            found = session.scalar(query)
            if found is None:
                raise NotFound()
            entries += session.scalars(select(Event).where(Event.instance_id == found).order_by(Event.sequence))
    for entry in entries:
        element = (entry.element_id or "-") if isinstance(entry, Event) else "-"
        details = json.dumps(entry.details, ensure_ascii=False, sort_keys=True)
        click.echo(
            f"{entry.sequence}  {moment(entry.at)}  {entry.kind}  {element}  {entry.actor_id or '-'}  {details}  "
            f"{entry.hash}"
        )


@click.command(
    cls=Command,
    help="为审计记录加锚点并显示最新的锚点，请另存他处。Anchor the audit trail; keep what this prints elsewhere.",
)
@with_appcontext
def anchor() -> None:
    anchors.anchor(runtime(), clock.now())
    with runtime().database.read() as session:
        newest = anchors.last_anchor(session)
    if newest:
        click.echo(f"{newest.sequence}:{newest.digest}")


@click.command(
    "verify-audit",
    cls=Command,
    help="核验审计记录，有缺失或改动时退出码为 1。Verify the audit trail; exit code 1 where it was changed.",
)
@click.option("--anchor", "noted", multiple=True, metavar="N:DIGEST", help="另存他处的锚点 / an anchor kept elsewhere")
@with_appcontext
def verify_audit(noted: tuple[str, ...]) -> None:
    kept = [_anchor(given) for given in noted]
    found = verification.verify(runtime().database)
    lines = [
        Text("序列 {stream} 第 {sequence} 条：{problem}", "Stream {stream}, entry {sequence}: {problem}").filled(
            stream=flaw.stream, sequence=flaw.sequence, problem=flaw.problem
        )
        for flaw in found.flaws
    ]
    lines += [
        Text("第 {number} 号锚点与另存的不符。", "Anchor {number} is not the one that was kept.").filled(number=number)
        for number, digest in kept
        if not verification.holds(runtime().database, number, digest)
    ]
    for line in lines:
        say(line)
    if lines:
        raise click.exceptions.Exit(1)
    intact = Text(
        "审计记录完整：{entries} 条，最新锚点 {anchor}。",
        "The audit trail is intact: {entries} entries, newest anchor {anchor}.",
    )
    if found.erased:
        erased = Text(
            "另有 {erased} 份内容已依法删除，记录在案。",
            "{erased} rows were erased as the law asks; entries say which.",
        )
        say(erased.filled(erased=found.erased))
    say(intact.filled(entries=found.entries, anchor=f"{found.anchors}:{found.digest}"))


def _anchor(given: str) -> tuple[int, str]:
    number, _, digest = given.partition(":")
    if not number.isdecimal() or len(digest) != 64:
        raise AnchorUnreadable(given=given)
    return int(number), digest


COMMANDS = (audit, anchor, verify_audit)
