"""The table of who gets what at which address (`table.txt`), as tests read it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from tests.web.access.place import PEOPLE, Corner

TABLE = Path(__file__).with_name("table.txt")
_PARAMETER = re.compile(r"<([a-z_]+)(?:=([a-z-]+))?>")
_ANSWERED_BY_FLASK = frozenset({"HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Row:
    group: str
    method: str
    address: str  # <task_id=enterprise>: the task that waits for the enterprise
    sent: Mapping[str, str]  # with it, in the address or as a form
    actions: frozenset[str]  # by which it is open; `public` to all, `login` to all who are logged in, `-` to nobody
    answers: Mapping[str, str]  # person → answer, or answer to what is own / what is not

    @property
    def route(self) -> tuple[str, str]:
        return self.method, _PARAMETER.sub(r"<\1>", self.address)

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(name for name, _ in _PARAMETER.findall(self.address))

    def at(self, corner: Corner) -> str:
        return _PARAMETER.sub(lambda found: corner.ids[found[1]][found[2] or ""], self.address)

    def expected(self, person: str, corner: Corner) -> str:
        own, _, other = self.answers[person].partition("/")
        return own if corner.is_own(person) or not other else other


def rows() -> list[Row]:
    """Raises ValueError where the table is not written as its head says."""
    found, group = [], ""
    for number, line in enumerate(TABLE.read_text("utf-8").splitlines(), 1):
        if line.startswith("## "):
            group = line.removeprefix("## ")
        elif line.strip() and not line.startswith("#"):
            method, whole, actions, *answers = line.split()
            if len(answers) != len(PEOPLE):
                raise ValueError(f"{TABLE.name}, line {number}: {len(PEOPLE)} answers are needed: {', '.join(PEOPLE)}")
            address, _, sent = whole.partition("?")
            found.append(
                Row(
                    group,
                    method,
                    address,
                    dict(pair.split("=") for pair in sent.split("&")) if sent else {},
                    frozenset(actions.split("|")),
                    dict(zip(PEOPLE, answers, strict=True)),
                )
            )
    return found


def routes(app: Flask) -> set[tuple[str, str]]:
    """Method and address of everything the application answers, `<id>` for each parameter."""
    return {
        (method, re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"<\1>", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - _ANSWERED_BY_FLASK
    }
