"""The drawing of a diagram (BPMN DI) as rectangles and polylines, and what it takes to measure it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from lxml import etree

from engine.definitions.diagrams import BPMN, parse_xml

DI = {
    "bpmndi": "http://www.omg.org/spec/BPMN/20100524/DI",
    "dc": "http://www.omg.org/spec/DD/20100524/DC",
    "di": "http://www.omg.org/spec/DD/20100524/DI",
    "bpmn": BPMN,
}
Point = tuple[float, float]
CONTAINERS = frozenset({"participant", "lane", "subProcess"})


@dataclass(frozen=True, slots=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float

    @property
    def centre(self) -> Point:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def overlaps(self, other: "Box") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: "Box") -> bool:
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )

    def has_on_border(self, point: Point) -> bool:
        x, y = point
        inside = self.left <= x <= self.right and self.top <= y <= self.bottom
        return inside and (x in (self.left, self.right) or y in (self.top, self.bottom))


@dataclass(frozen=True, slots=True)
class Segment:
    """One straight piece of a flow; horizontal or vertical, as every piece has to be."""

    start: Point
    end: Point

    @property
    def box(self) -> Box:
        (x1, y1), (x2, y2) = self.start, self.end
        return Box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))

    @property
    def is_straight(self) -> bool:
        return (self.start[0] == self.end[0]) != (self.start[1] == self.end[1])

    def touches(self, other: "Segment") -> bool:
        a, b = self.box, other.box
        return a.left <= b.right and b.left <= a.right and a.top <= b.bottom and b.top <= a.bottom

    def enters(self, box: Box) -> bool:
        """True where the piece runs through the inside; a piece that ends on the border does not."""
        a = self.box
        return a.left < box.right and box.left < a.right and a.top < box.bottom and box.top < a.bottom


@dataclass(frozen=True, slots=True)
class Flow:
    id: str
    source: str
    target: str
    points: tuple[Point, ...]

    @property
    def segments(self) -> tuple[Segment, ...]:
        return tuple(Segment(a, b) for a, b in pairwise(self.points))


class Drawing:
    """Every shape, label and flow of one file by the id of what it draws."""

    def __init__(self, path: Path) -> None:
        self.root = parse_xml(path.read_bytes())

    def _find(self, path: str, node: etree._Element | None = None) -> list[etree._Element]:
        return (self.root if node is None else node).findall(path, DI)

    @cached_property
    def drawn_ids(self) -> list[str]:
        """Ids in the order drawn, once for each time they are drawn."""
        return [n.get("bpmnElement", "") for tag in ("BPMNShape", "BPMNEdge") for n in self._find(f".//bpmndi:{tag}")]

    @cached_property
    def elements(self) -> dict[str, etree._Element]:
        """All that has to be drawn: what stands in the pool, and the flows between."""
        inside = self.root.iterfind(f".//{{{BPMN}}}process//*")
        undrawn = ("laneSet", "extensionElements")
        return {
            n.get("id", ""): n
            for n in (*self._find(".//bpmn:participant"), *inside)
            if n.get("id") and not kind(n).endswith("EventDefinition") and kind(n) not in undrawn
        }

    @cached_property
    def boxes(self) -> dict[str, Box]:
        shapes = self._find(".//bpmndi:BPMNShape")
        return {s.get("bpmnElement", ""): _box(self._find("dc:Bounds", s)[0]) for s in shapes}

    @cached_property
    def labels(self) -> dict[str, Box]:
        """Names that stand beside what they name; those of tasks and lanes stand inside."""
        drawn = [*self._find(".//bpmndi:BPMNShape"), *self._find(".//bpmndi:BPMNEdge")]
        return {
            d.get("bpmnElement", ""): _box(bounds[0])
            for d in drawn
            if (bounds := self._find("bpmndi:BPMNLabel/dc:Bounds", d))
        }

    @cached_property
    def flows(self) -> list[Flow]:
        return [
            Flow(id_, self.elements[id_].get("sourceRef", ""), self.elements[id_].get("targetRef", ""), points)
            for edge in self._find(".//bpmndi:BPMNEdge")
            for id_ in [edge.get("bpmnElement", "")]
            for points in [tuple((_number(w, "x"), _number(w, "y")) for w in self._find("di:waypoint", edge))]
        ]

    @cached_property
    def lane_of(self) -> dict[str, str]:
        return {
            (ref.text or "").strip(): lane.get("id", "")
            for lane in self._find(".//bpmn:lane")
            for ref in self._find("bpmn:flowNodeRef", lane)
        }

    @property
    def nodes(self) -> dict[str, Box]:
        """The boxes of all that is neither pool, lane nor expanded sub-process."""
        return {id_: box for id_, box in self.boxes.items() if kind(self.elements[id_]) not in CONTAINERS}

    def host_of(self, id_: str) -> str | None:
        return self.elements[id_].get("attachedToRef")

    def parent_of(self, id_: str) -> str:
        parent = self.elements[id_].getparent()
        return "" if parent is None else parent.get("id", "")

    def name_of(self, id_: str) -> str:
        return self.elements[id_].get("name", "")

    def reaches(self, start: str, goal: str) -> bool:
        """Whether a token at `start` can come to `goal`, boundary events included."""
        seen, todo = {start}, [start]
        while todo:
            here = todo.pop()
            for there in self._successors(here):
                if there not in seen:
                    seen.add(there)
                    todo.append(there)
        return goal in seen

    def _successors(self, id_: str) -> Iterator[str]:
        yield from (f.target for f in self.flows if f.source == id_ and f.id.startswith("Flow_"))
        yield from (e for e in self.nodes if self.host_of(e) == id_)


def kind(node: etree._Element) -> str:
    return etree.QName(node).localname


def text_size(text: str, width: float, font: float = 11) -> tuple[float, float]:
    """About how wide and high a text becomes when broken at `width` pixels: Chinese is as wide as the font is high."""
    widest = line = 0.0
    lines = 1
    for character in text:
        advance = font if ord(character) > 0x2000 else font * 0.56
        if line + advance > width:
            lines, line = lines + 1, 0.0
        line += advance
        widest = max(widest, line)
    return widest, lines * font * 1.2


def _box(bounds: etree._Element) -> Box:
    x, y = _number(bounds, "x"), _number(bounds, "y")
    return Box(x, y, x + _number(bounds, "width"), y + _number(bounds, "height"))


def _number(node: etree._Element, attribute: str) -> float:
    return float(node.get(attribute, "nan"))
