"""From a diagram's bytes to what the workflow library runs, with parts of our own where it would run them wrongly."""

# mypy: disallow-subclassing-any=False
# (the library comes without types)

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.parser.event_parsers import (
    BoundaryEventParser,
    EndEventParser,
    EventDefinitionParser,
    IntermediateCatchEventParser,
    IntermediateThrowEventParser,
)
from SpiffWorkflow.bpmn.parser.task_parsers import GatewayParser, SubWorkflowParser
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.specs.defaults import ServiceTask

from engine.definitions import diagrams
from engine.definitions.diagrams import BPMN, Diagram, DiagramUnreadable
from engine.definitions.events import (
    Boundary,
    Catch,
    End,
    Error,
    Escalation,
    EventGateway,
    LimitTimer,
    Signal,
    SubProcess,
    Terminate,
    Throw,
)
from engine.definitions.forms import Form, parse_forms
from engine.definitions.joins import InclusiveJoin, ParallelJoin, ProcessReader
from engine.definitions.normalising import normalised
from engine.definitions.repeating import Repeated, Repetition, UserStep
from engine.text import Text


class _EventParsing(EventDefinitionParser):
    """Mixed into the library's event parsers: timers, signals, errors and escalations become ours."""

    def parse_timer_event(self, event: etree._Element) -> LimitTimer:
        text = next(
            (t.text or "" for part in ("timeDuration", "timeDate") for t in event.iter(f"{{{BPMN}}}{part}")), ""
        )
        return LimitTimer(self.node.get("name") or self.node.get("id"), text)

    def parse_signal_event(self, signal_event: etree._Element) -> Signal:
        return Signal(super().parse_signal_event(signal_event).name)

    def parse_error_event(self, error_event: etree._Element) -> Error:
        known = super().parse_error_event(error_event)
        return Error(known.name, known.code)

    def parse_escalation_event(self, escalation_event: etree._Element) -> Escalation:
        known = super().parse_escalation_event(escalation_event)
        return Escalation(known.name, known.code)


class _BoundaryParser(_EventParsing, BoundaryEventParser):
    pass


class _CatchParser(_EventParsing, IntermediateCatchEventParser):
    pass


class _ThrowParser(_EventParsing, IntermediateThrowEventParser):
    pass


class _EndParser(_EventParsing, EndEventParser):
    def parse_terminate_event(self, event: etree._Element) -> Terminate:
        return Terminate()

    def create_task(self) -> Any:
        kinds = ("signal", "error", "escalation", "terminate")
        task = self._create_task(self.get_event_definition([f".//bpmn:{kind}EventDefinition" for kind in kinds]))
        task.connect(self.spec.end)
        return task


class _InclusiveParser(GatewayParser):
    def connect_outgoing(self, outgoing_task: Any, sequence_flow_node: etree._Element, is_default: bool) -> None:
        self.task.connect_outgoing_if(None if is_default else self.parse_condition(sequence_flow_node), outgoing_task)
        if is_default:
            self.task.default = outgoing_task.name


class _UserTaskParser(TaskParser):
    task: Any

    def _add_multiinstance_task(self, loop_characteristics: etree._Element) -> None:
        instance = self.spec.task_specs.pop(self.task.name)
        self.task = Repeated(self.spec, instance.name, Repetition.of(loop_characteristics))
        self._copy_task_attrs(instance)


class ServiceStep(ServiceTask):
    """A service task whose handler the runtime has called by the time it runs, so that nothing is left to do."""

    def _execute(self, task: Any) -> bool:
        return True


class _Parser(BpmnParser):
    PROCESS_PARSER_CLASS = ProcessReader
    OVERRIDE_PARSER_CLASSES = {  # noqa: RUF012 (the library's own extension point)
        full_tag("boundaryEvent"): (_BoundaryParser, Boundary),
        full_tag("intermediateCatchEvent"): (_CatchParser, Catch),
        full_tag("intermediateThrowEvent"): (_ThrowParser, Throw),
        full_tag("endEvent"): (_EndParser, End),
        full_tag("eventBasedGateway"): (GatewayParser, EventGateway),
        full_tag("inclusiveGateway"): (_InclusiveParser, InclusiveJoin),
        full_tag("parallelGateway"): (GatewayParser, ParallelJoin),
        full_tag("serviceTask"): (TaskParser, ServiceStep),
        full_tag("subProcess"): (SubWorkflowParser, SubProcess),
        full_tag("userTask"): (_UserTaskParser, UserStep),
    }


@dataclass(frozen=True)
class Compiled:
    """A definition version ready to run: shared by all its instances in this process, never changed."""

    diagram: Diagram
    forms: Mapping[str, Form]
    spec: Any
    subprocess_specs: Mapping[str, Any]


def compile_definition(xml: bytes, schemas: Mapping[str, Any]) -> Compiled:
    """Raises DiagramUnreadable where the library does not take the diagram, naming the element it stopped at."""
    diagram = diagrams.read(xml)
    parser = _Parser()
    try:
        parser.add_bpmn_xml(normalised(diagrams.parse_xml(xml)))
        spec = parser.get_spec(diagram.process_id)
        subprocess_specs = parser.get_subprocess_specs(diagram.process_id)
    except ValidationException as problem:
        element = f"“{problem.name or ''}”({problem.id or '?'})"
        raise DiagramUnreadable(
            reason=Text(
                f"元素{element}无法执行：{problem.args[0]}", f"element {element} can't be run: {problem.args[0]}"
            )
        ) from problem
    return Compiled(diagram, parse_forms(schemas), spec, subprocess_specs)
