"""From a diagram's bytes to what the workflow library runs, with our own timers in place of its."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.parser.event_parsers import BoundaryEventParser, IntermediateCatchEventParser
from SpiffWorkflow.bpmn.parser.task_parsers import GatewayParser
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.specs.defaults import BoundaryEvent, IntermediateCatchEvent, ServiceTask
from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition

from engine.definitions import diagrams
from engine.definitions.diagrams import BPMN, Diagram, DiagramUnreadable
from engine.definitions.forms import Form, parse_forms
from engine.definitions.joins import ParallelJoin, ProcessReader
from engine.text import Text


class LimitTimer(TimerEventDefinition):
    """A timer whose text is a limit (`engine.definitions.limits`).

    The library would evaluate the text as Python and freeze a date; here the instance keeps what the limit *is*
    and whoever runs it says whether that is due.
    """

    def has_fired(self, my_task: Any) -> bool:
        if my_task.workflow.script_engine.is_due(my_task, self.expression):
            my_task._set_internal_data(event_fired=True)
        return bool(my_task._get_internal_data("event_fired", False))


class _LimitParsing:
    """Mixed into the library's event parsers: every timer becomes a LimitTimer."""

    node: etree._Element

    def parse_timer_event(self, event: etree._Element) -> LimitTimer:
        text = next(
            (t.text or "" for part in ("timeDuration", "timeDate") for t in event.iter(f"{{{BPMN}}}{part}")), ""
        )
        return LimitTimer(self.node.get("name") or self.node.get("id"), text)


class _BoundaryParser(_LimitParsing, BoundaryEventParser):
    pass


class _CatchParser(_LimitParsing, IntermediateCatchEventParser):
    pass


class ServiceStep(ServiceTask):
    """A service task whose handler the runtime has called by the time it runs, so that nothing is left to do."""

    def _execute(self, task: Any) -> bool:
        return True


class _Parser(BpmnParser):
    PROCESS_PARSER_CLASS = ProcessReader
    OVERRIDE_PARSER_CLASSES = {  # noqa: RUF012 (the library's own extension point)
        full_tag("boundaryEvent"): (_BoundaryParser, BoundaryEvent),
        full_tag("intermediateCatchEvent"): (_CatchParser, IntermediateCatchEvent),
        full_tag("parallelGateway"): (GatewayParser, ParallelJoin),
        full_tag("serviceTask"): (TaskParser, ServiceStep),
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
        parser.add_bpmn_xml(diagrams.parse_xml(xml))
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
