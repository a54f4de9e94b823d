"""`docs/bpmn.md`, written from the cases: `python -m tests.engine.conformance.table`."""

from tests.conftest import ROOT
from tests.engine.conformance import (
    cases_activities,
    cases_calls,
    cases_events,
    cases_flows,
    cases_habits,
    cases_reactions,
    cases_thrown,
)
from tests.engine.conformance.case import Case, Runs

_PARTS = (cases_activities, cases_calls, cases_flows, cases_events, cases_thrown, cases_reactions, cases_habits)
CASES: list[Case] = [case for part in _PARTS for case in part.CASES]
DOCUMENT = ROOT / "docs" / "bpmn.md"

_HEAD = """# What of BPMN 2.0 runs here

Each construct of BPMN 2.0's executable subset either runs as the specification says, or is refused before it is
deployed, with its place in the diagram and what to draw instead. There is no third outcome: nothing is ignored.

This page is written by `python -m tests.engine.conformance.table` from the cases in `tests/engine/conformance`, and a
test fails when it is not up to date. Each line is a test of its own, called
`tests/engine/conformance/test_conformance.py::test_it_runs[construct: variant]`, or `::test_it_is_refused[…]`. A case
that runs is deployed, stored and read again at every step, on a clock of the test's.

## Worth knowing

- A signal reaches whoever waits for it in the same application. An error or escalation goes to the nearest
  sub-process around its thrower that waits for its code, or for any. None of them carries answers.
- A boundary event of a sub-process, and an event sub-process, know the answers given inside so far.
- A message that several branches wait for at once reaches them all.
- Of several limits that are overdue together the earliest counts first.
- A message event that does not interrupt may come again as long as its task or sub-process is open. One of an event
  sub-process stops listening when all else around it is done, even if what it set off before is not.
- Several instances of a user task: `loopCardinality` is a number, or `loopDataInputRef` names a variable that holds a
  list; `inputDataItem` names the variable in which an instance finds its part, `loopCounter` counts from 1. Afterwards
  the form's variable has the last answer; `loopDataOutputRef` with `outputDataItem` collects all, in order. The
  completion condition may read `numberOfInstances`, `numberOfCompletedInstances` and `numberOfActiveInstances`.
- A call activity names another deployed process by its id (`calledElement`). What is in force when the caller is
  deployed is pinned: it runs inside of the caller for as long as that version is used, with its own forms and lanes,
  and its steps are known as `<call activity>-<step>`. It knows the caller's answers and adds its own, as an embedded
  sub-process does; so the form of its start event is one that the caller has filled in before. Its outcomes decide
  nothing for the caller. Forms of one name must be alike in both; a message, signal or code of one name is one thing.
- Where an expression of a diagram goes, the closed language of `engine/definitions/expressions.py` is written.
"""


def document() -> str:
    """The page as it should be."""
    lines = ["| Construct | Variant | Outcome |", "|---|---|---|"]
    for construct in dict.fromkeys(case.construct for case in CASES):
        for case in CASES:
            if case.construct == construct:
                outcome = "runs" if isinstance(case, Runs) else f"refused by `{case.rule}`"
                lines.append(f"| {case.construct} | {case.variant} | {outcome} |")
    return "\n".join([_HEAD, "## The table", "", *lines, ""])


if __name__ == "__main__":
    DOCUMENT.write_text(document(), "utf-8")
