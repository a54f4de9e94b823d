"""The file follows the XML schemas of BPMN 2.0.

文件符合 BPMN 2.0 的 XML 格式（XSD）。

The schemas come with SpiffWorkflow (`bpmn/parser/schema`). What they say about ids and references is left to
`ids_unique` and `flows_connect`, which say it in a sentence.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import XSD_PATH

from engine.definitions.rules.facts import Facts, Problem, error, label

_MOST = 20  # a file of another schema altogether would fill pages
_LEFT_TO_OTHERS = re.compile(r"xs:ID\b|xs:IDREF\b|No match found for key-sequence")
_NAMESPACE = re.compile(r"\{[^}]*\}")


def check(facts: Facts) -> Iterable[Problem]:
    root = facts.root
    schema = _schema()
    if schema.validate(root):
        return
    log: Iterable[Any] = schema.error_log  # type: ignore[assignment]  # a list, which the stubs don't know
    complaints = [entry for entry in log if not _LEFT_TO_OTHERS.search(entry.message)]
    for complaint in complaints[:_MOST]:
        element = _element_at(root, complaint.path)
        if element is not None and not element.get("id"):
            element = None
        yield error(
            element,
            "第 {line} 行{at_zh}不符合 BPMN 2.0 的文件格式，请用流程图编辑器重新保存。校验信息：{detail}",
            "Line {line}{at_en} breaks the BPMN 2.0 file format; save it again from a BPMN editor. "
            "The validator says: {detail}",
            line=complaint.line,
            at_zh="" if element is None else f"（{label(element).zh}）",
            at_en="" if element is None else f" ({label(element).en})",
            detail=_NAMESPACE.sub("", complaint.message)[:300],
        )


@cache
def _schema() -> etree.XMLSchema:
    """Read once (20 ms). Its error log may be shared: what examines files has one thread."""
    return etree.XMLSchema(etree.parse(XSD_PATH))


def _element_at(root: etree._Element, path: str | None) -> etree._Element | None:
    try:
        found = root.xpath(path or "", namespaces={k: v for k, v in root.nsmap.items() if k})
    except etree.XPathError:
        return None
    return found[0] if isinstance(found, list) and found and isinstance(found[0], etree._Element) else None
