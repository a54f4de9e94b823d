"""A scenario file (YAML) as the player understands it; whatever is odd in it is refused with its place.

A file says `title`, `proves` (boxes of the flowchart), `visits` (element ids it must pass), `begins` (Shanghai time)
and `steps`. A step has one verb: `starts` (a process), `does` (a user task, by name or id), `sends` (a message),
`after` (a number of working days), or `expect`. Beside the first three stand `by` (a person of samples.yaml) and
`fills`: per form either the name of a sample or the answers themselves, with `like` naming a sample to start from.
`at` sets the clock before a step; `refused` says that the step must be refused, and with which words. Instead of a
step may stand `uses`, with the name of a passage of samples.yaml whose steps are played in its place.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from engine.clock import SHANGHAI
from engine.errors import Invalid
from engine.text import Text

VERBS = ("starts", "does", "sends", "after", "expect")
_STEP_KEYS = {*VERBS, "by", "fills", "at", "refused", "note"}
EXPECTATIONS = frozenset(
    {"waiting", "due", "outcome", "closed", "warnings", "may_send", "interrupted", "keys", "number"}
)


class ScenarioUnreadable(Invalid):
    sentence = Text("场景文件 {file} 有误：{problem}", "Scenario {file} can't be read: {problem}")


@dataclass(frozen=True, slots=True)
class Step:
    verb: str
    what: Any
    by: str | None = None
    fills: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    at: datetime | None = None
    refused: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    file: str  # without its ending
    title: Text
    proves: tuple[str, ...]
    visits: tuple[str, ...]
    begins: datetime
    people: dict[str, str]  # as the file calls them → user name
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Samples:
    """What the scenarios of a process share (samples.yaml): people, passages of steps, and answers by form."""

    people: dict[str, str]
    passages: Mapping[str, Any]
    answers: Mapping[str, Mapping[str, Mapping[str, Any]]]  # form → name of the sample → answers, and its `_label`

    def steps(self, raw: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
        """Steps as a file writes them, with the passages they use in their place."""
        return tuple(_step(step, self.people, self.answers) for step in self._unfolded(raw))

    def _unfolded(self, steps: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        for step in steps:
            if "uses" in step:
                yield from self._unfolded(self.passages[step["uses"]])
            else:
                yield step


def read_samples(folder: Path) -> Samples:
    """The samples of a process's folder. Raises ScenarioUnreadable."""
    path = folder / "samples.yaml"
    raw = _load(path)
    try:
        return Samples({str(k): str(v) for k, v in raw["people"].items()}, raw["passages"], raw["answers"])
    except (KeyError, TypeError, AttributeError) as problem:
        raise ScenarioUnreadable(file=path.name, problem=repr(problem)) from problem


def read_scenario(path: Path) -> Scenario:
    """One file of a folder `scenarios`, with the samples beside that folder. Raises ScenarioUnreadable."""
    samples = read_samples(path.parent.parent)
    raw = _load(path)
    try:
        return Scenario(
            file=path.stem,
            title=Text(raw["title"], raw.get("title_en", "")),
            proves=tuple(raw["proves"]),
            visits=tuple(raw["visits"]),
            begins=_moment(raw["begins"]),
            people=samples.people,
            steps=samples.steps(raw["steps"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise ScenarioUnreadable(file=path.name, problem=repr(problem)) from problem


def read_folder(folder: Path) -> list[Scenario]:
    """Every scenario of a process's folder, by file name."""
    return [read_scenario(path) for path in sorted((folder / "scenarios").glob("*.yaml"))]


def _load(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise ScenarioUnreadable(file=path.name, problem=str(problem)) from problem


def _step(raw: Mapping[str, Any], people: Mapping[str, str], samples: Mapping[str, Any]) -> Step:
    if unknown := raw.keys() - _STEP_KEYS:
        raise ValueError(f"{sorted(unknown)}? a step knows {sorted(_STEP_KEYS)}")
    verbs = [verb for verb in VERBS if verb in raw]
    if len(verbs) != 1:
        raise ValueError(f"one of {VERBS} in each step, not {verbs}: {raw}")
    verb = verbs[0]
    if verb in ("starts", "does", "sends") and raw.get("by") not in people:
        raise ValueError(f"by: {raw.get('by')!r} is none of {sorted(people)}")
    if verb == "expect" and (odd := raw["expect"].keys() - EXPECTATIONS):
        raise ValueError(f"expect: {sorted(odd)}? it knows {sorted(EXPECTATIONS)}")
    return Step(
        verb=verb,
        what=raw[verb],
        by=raw.get("by"),
        fills={form: _answers(given, samples.get(form, {})) for form, given in raw.get("fills", {}).items()},
        at=_moment(raw["at"]) if "at" in raw else None,
        refused=raw.get("refused"),
        note=raw.get("note", ""),
    )


def _answers(given: Any, samples: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    if isinstance(given, str):
        return without_label(samples[given])
    answers = dict(given)
    like = answers.pop("like", None)
    return {**without_label(samples[like]), **answers} if like else answers


def without_label(sample: Mapping[str, Any]) -> dict[str, Any]:
    """A sample's answers only."""
    return {key: value for key, value in sample.items() if key != "_label"}


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.replace(tzinfo=SHANGHAI)
