"""What the workflow library does that our engine relies on or makes up for; an upgrade that changes it fails here.

What we do about it, and where that is tested (of `tests/engine` unless it says otherwise):

| the library | our answer |
|---|---|
| a flow without an id vanishes, what nothing leads to is dropped, several starts all start, a gateway may find no way | the gate refuses it: rules ids_unique, everything_reachable, one_start, gateways_decide (rules/test_rules.py) |
| a limit is Python, is read once, and is dead for ever if that fails | it is a text of its own, checked at the gate; what fails while it runs is an incident (test_limits.py, runtime/test_incidents.py) |
| a due moment is frozen in the state, and compared with the machine's clock | the state keeps what the limit is, the row when it is due, and `now` is handed in (runtime/test_timers.py, runtime/test_library_answers.py) |
| limits under one event-based gateway share one moment | each has its own (runtime/test_library_answers.py) |
| naive moments take the machine's zone | they are Shanghai's (test_limits.py) |
| a repeating timer catches up one firing at a time | the gate refuses it: rule timers_clear |
| due timers fire after the steps, and may be stored half-way, to cancel a decision later | limits first, then steps until all is quiet, then it is stored (runtime/test_library_answers.py, runtime/test_races.py) |
| a side branch keeps an instance open | so it does with us, but the outcome is known at once (scenario explanation-still-owed) |
| a task of a sub-process stands in the sub-process's lane | so the gate has it: rule sub_process_in_one_lane |
| a message loses its form, or is caught by nobody without a word | messages carry forms; what nothing waits for is refused (runtime/test_library_answers.py, runtime/test_instances.py) |
| `workflow.data` is what the last branch left | nobody reads it; branches say what they changed (test_joins.py) |
| a join merges lists by position, over newer answers | an answer counts whole, the newest (test_joins.py) |
| a task that is over runs again | its row is checked under the lock (runtime/test_instances.py, runtime/test_races.py) |
| after an error the workflow in memory is in between | it is thrown away with the transaction; an incident is left (runtime/test_incidents.py) |
| expressions are Python | a closed language (test_expressions_escapes.py, runtime/test_library_answers.py) |
| data named as a function breaks expressions | the gate reserves the names: rule names_not_reserved |
| every step walks all steps ever taken, and past a depth stops without a word | history is dropped, and what lies too deep is refused (runtime/test_pruning.py, tests/soak/long_lives.py) |
| the state holds the definition | it does not with us (runtime/test_statement_counts.py) |
| a key `typename` in the data makes the state unreadable | it is never stored (runtime/test_library_answers.py, rule names_not_reserved) |
"""  # noqa: E501  (a table)

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from SpiffWorkflow.bpmn import BpmnEvent, BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine, TaskDataEnvironment
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.specs.event_definitions.message import MessageEventDefinition
from SpiffWorkflow.task import TaskState

BPMN = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t">'
    '<message id="m" name="complaint"/><process id="p" isExecutable="true">{}</process></definitions>'
)
REVIEW = BPMN.format(
    '<startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="review"/>'
    '<userTask id="review"/><sequenceFlow id="f2" sourceRef="review" targetRef="e"/><endEvent id="e"/>'
    '<boundaryEvent id="late" attachedToRef="review">'
    '<timerEventDefinition id="t"><timeDuration>{}</timeDuration></timerEventDefinition></boundaryEvent>'
    '<sequenceFlow id="f3" sourceRef="late" targetRef="e2"/><endEvent id="e2"/>'
)
COMPLAINT = REVIEW.format("'PT1H'").replace(
    "<timerEventDefinition id=\"t\"><timeDuration>'PT1H'</timeDuration></timerEventDefinition>",
    '<messageEventDefinition id="t" messageRef="m"/>',
)
FORK = BPMN.format(
    '<startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="fork"/><parallelGateway id="fork"/>'
    '<sequenceFlow id="f2" sourceRef="fork" targetRef="a"/><sequenceFlow id="f3" sourceRef="fork" targetRef="b"/>'
    '<userTask id="a"/><userTask id="b"/><sequenceFlow id="f4" sourceRef="a" targetRef="join"/>'
    '<sequenceFlow id="f5" sourceRef="b" targetRef="join"/><parallelGateway id="join"/>'
    '<sequenceFlow id="f6" sourceRef="join" targetRef="e"/><endEvent id="e"/>'
)


def workflow(xml: str) -> BpmnWorkflow:
    parser = BpmnParser()
    parser.add_bpmn_str(xml.encode())
    return BpmnWorkflow(parser.get_spec("p"))


def begun(xml: str) -> BpmnWorkflow:
    flow = workflow(xml)
    flow.do_engine_steps()
    return flow


def names(found: BpmnWorkflow, state: int) -> set[str]:
    return {task.task_spec.name for task in found.get_tasks(state=state)}


def step(flow: BpmnWorkflow, name: str) -> Any:
    """The last task of a step, in whatever state."""
    return flow.get_tasks(spec_name=name)[-1]


def run_out(flow: BpmnWorkflow) -> None:
    step(flow, "late").internal_data["event_value"] = (datetime.now(UTC) - timedelta(hours=1)).isoformat()


def test_a_flow_without_an_id_vanishes() -> None:
    """Why a rule of the gate demands ids."""
    flow = begun(REVIEW.format("'PT1H'").replace('<sequenceFlow id="f1" ', "<sequenceFlow "))
    assert flow.is_completed()


@pytest.mark.parametrize("name", ["review", "late", "e"])
def test_a_step_runs_again_or_before_its_time_in_whatever_state(name: str) -> None:
    """Why a task's row is checked before its task is run."""
    flow = begun(REVIEW.format("'PT1H'"))
    if name != "e":  # that one lies in the future
        step(flow, "review").run()
        assert step(flow, name).has_state(TaskState.COMPLETED | TaskState.CANCELLED)
    step(flow, name).run()
    assert step(flow, name).state == TaskState.COMPLETED


def test_an_unquoted_duration_is_an_error_that_leaves_the_timer_dead() -> None:
    """Why timer texts are read by `engine.definitions.limits` and not by the library."""
    flow = workflow(REVIEW.format("P3D"))
    with pytest.raises(Exception, match="P3D"):
        flow.do_engine_steps()
    flow.do_engine_steps()
    flow.refresh_timers()
    assert names(flow, TaskState.WAITING) == {"late"}
    assert flow.event_manager.tasks == {}


def test_a_due_moment_is_frozen_in_the_state_and_held_against_the_machines_clock() -> None:
    """Why the state keeps what a limit is, and whoever runs it says what time it is."""
    flow = begun(REVIEW.format("'PT1H'"))
    assert step(flow, "late").internal_data["event_value"].endswith("+00:00")
    run_out(flow)
    flow.refresh_timers()
    assert step(flow, "late").state == TaskState.READY


def test_what_was_due_before_a_task_was_done_comes_after_it() -> None:
    """Why limits are looked at before anything else."""
    flow = begun(REVIEW.format("'PT1H'"))
    run_out(flow)
    step(flow, "review").run()
    flow.do_engine_steps()
    assert step(flow, "late").state == TaskState.CANCELLED
    assert "e" in names(flow, TaskState.COMPLETED)


def test_a_limit_stored_half_way_takes_a_later_decision_back() -> None:
    """Why nothing is stored before all is quiet."""
    flow = begun(REVIEW.format("'PT1H'"))
    run_out(flow)
    flow.refresh_timers()
    serializer = BpmnWorkflowSerializer()
    flow = serializer.deserialize_json(serializer.serialize_json(flow))
    step(flow, "review").data["decision"] = "granted"
    step(flow, "review").run()
    flow.do_engine_steps()
    assert flow.is_completed()
    assert step(flow, "e").state == TaskState.CANCELLED
    assert flow.data == {}


def test_what_is_attached_to_a_task_stands_beside_it_under_one_split() -> None:
    """What `engine.runtime.execution.boundary_events` goes by, also after it was stored."""
    serializer = BpmnWorkflowSerializer()
    flow = serializer.deserialize_json(serializer.serialize_json(begun(REVIEW.format("'PT1H'"))))
    split = step(flow, "review").parent
    assert split.task_spec.name == "review.BoundaryEventSplit"
    assert split.children == [step(flow, "review"), step(flow, "late")]
    assert [task.task_spec.name for task in flow.get_tasks(state=TaskState.WAITING)] == ["late"]


def test_nobody_waiting_for_a_message_is_no_error_of_catch() -> None:
    """Why messages are checked against the instance's subscriptions first."""
    flow = begun(REVIEW.format("'PT1H'"))
    flow.catch(BpmnEvent(MessageEventDefinition("complaint"), payload={}))
    assert names(flow, TaskState.READY) == {"review"}


def test_a_message_of_another_class_is_nobodys_though_it_bears_the_name() -> None:
    """Why messages are made with the very class that the parser makes."""

    class Other(MessageEventDefinition):  # type: ignore[misc]  # the library carries no types
        pass

    flow = begun(COMPLAINT)
    flow.catch(BpmnEvent(Other("complaint"), payload={}))
    assert step(flow, "late").state == TaskState.WAITING
    flow.catch(BpmnEvent(MessageEventDefinition("complaint"), payload={}))
    assert step(flow, "late").state == TaskState.READY


def test_a_plain_task_waits_for_a_person() -> None:
    """Why service tasks have a spec of their own."""
    flow = begun(REVIEW.format("'PT1H'").replace("userTask", "task"))
    assert "review" in names(flow, TaskState.READY)


def test_the_branch_that_joins_last_brings_back_what_it_set_out_with() -> None:
    """Why a join of ours takes what a branch changed, and takes it whole."""
    flow = workflow(FORK)
    flow.task_tree.data["product"] = "old"
    flow.do_engine_steps()
    step(flow, "a").data["product"] = "new"
    step(flow, "a").run()
    step(flow, "b").run()
    flow.do_engine_steps()
    assert flow.data["product"] == "old"


def test_expressions_are_python() -> None:
    """Why ours are of a closed language."""
    engine = PythonScriptEngine()
    assert engine.evaluate(step(begun(REVIEW.format("'PT1H'")), "review"), "__import__('os').sep") == "/"


def test_data_that_bears_a_functions_name_stands_in_the_functions_way() -> None:
    """Why names of functions are reserved."""
    engine = PythonScriptEngine(environment=TaskDataEnvironment({"today": lambda: "2026-09-18"}))
    task = step(begun(REVIEW.format("'PT1H'")), "review")
    task.data["today"] = "monday"
    with pytest.raises(Exception, match="today"):
        engine.evaluate(task, "today()")
    with pytest.raises(Exception, match="overwrites a predefined function"):
        engine.execute(task, "tomorrow = 1")


def test_what_lies_deeper_than_a_walk_goes_is_left_out_without_a_word() -> None:
    """Why what is over is dropped, and what would be lost sight of is refused."""
    flow = begun(REVIEW.format("'PT1H'"))
    depth = step(flow, "review").depth
    assert step(flow, "review") in flow.get_tasks(max_depth=depth)
    assert step(flow, "review") not in flow.get_tasks(max_depth=depth - 1)


def test_a_state_holds_its_definition_and_is_changed_by_being_read() -> None:
    """Why we store what the library's parts make, without the definition, and as text."""
    serializer = BpmnWorkflowSerializer()
    stored = serializer.to_dict(begun(REVIEW.format("'PT1H'")))
    before = copy.deepcopy(stored)
    serializer.from_dict(stored)
    assert before["spec"]["task_specs"].keys() >= {"review", "late"}
    assert stored != before


def test_a_key_of_the_librarys_own_in_the_data_is_stored_and_can_not_be_read_again() -> None:
    """Why `engine.runtime.state` looks for it."""
    serializer = BpmnWorkflowSerializer()
    flow = begun(REVIEW.format("'PT1H'"))
    step(flow, "review").data["answer"] = {"typename": "anything"}
    stored = serializer.serialize_json(flow)
    with pytest.raises(TypeError):
        serializer.deserialize_json(stored)
