"""Every construct of BPMN's executable subset either runs as the specification says or is refused at the gate."""

from collections import Counter
from collections.abc import Callable

import pytest

from engine.definitions.findings import Severity
from engine.definitions.lint import lint
from tests.engine.conformance.case import Refused, Runs
from tests.engine.conformance.drawing import forms_of
from tests.engine.conformance.playing import HANDLERS, Play
from tests.engine.conformance.table import CASES, DOCUMENT, document

RUNNING = [case for case in CASES if isinstance(case, Runs)]
REFUSED = [case for case in CASES if isinstance(case, Refused)]


def name(case: Runs | Refused) -> str:
    return f"{case.construct}: {case.variant}"


@pytest.mark.parametrize("case", RUNNING, ids=name)
def test_it_runs(case: Runs, played: Callable[..., Play]) -> None:
    play = played(case.diagram, *case.calls)
    trace = [("", play.state)]
    for act, _ in case.acts:
        play.does(act)
        assert play.is_sound()
        trace.append((act, play.state))
    assert trace == [("", case.begins), *case.acts]
    assert play.ran == case.ran


@pytest.mark.parametrize("case", REFUSED, ids=name)
def test_it_is_refused(case: Refused) -> None:
    findings = lint(case.diagram, forms_of(case.diagram), HANDLERS)
    refusals = [finding for finding in findings if finding.severity is Severity.ERROR]
    assert (case.rule, case.element) in {(finding.rule, finding.element_id) for finding in refusals}
    assert all(finding.message.zh and finding.message.en for finding in refusals)


def test_no_two_cases_are_the_same() -> None:
    assert len(set(map(name, CASES))) == len(CASES)


def test_every_construct_is_tried_in_two_variants_at_least() -> None:
    assert [construct for construct, count in Counter(case.construct for case in CASES).items() if count < 2] == []


def test_the_table_in_the_documentation_is_up_to_date() -> None:
    assert DOCUMENT.read_text("utf-8") == document(), "run: python -m tests.engine.conformance.table"
