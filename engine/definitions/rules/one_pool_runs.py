"""Only one process of the file is run; message flows and the processes of other pools are drawn for people.

一个文件只运行一个流程；消息流和其他池里的流程只供阅读。

The warning says what an analyst might otherwise wait for: a message flow sends nothing.
"""

from collections.abc import Iterable

from engine.definitions.diagrams import BPMN
from engine.definitions.rules.facts import NODES, Facts, Problem, tag, warning


def check(facts: Facts) -> Iterable[Problem]:
    for flow in facts.root.iter(f"{{{BPMN}}}messageFlow"):
        yield warning(
            flow,
            "消息流{it}只是图示，不会发送任何内容；要通知别人请用服务任务，要接收请用消息事件。",
            "The message flow {it} is drawn only and sends nothing; use a service task to tell somebody, and a "
            "message event to receive.",
        )
    for process in facts.root.iter(f"{{{BPMN}}}process"):
        if process is not facts.process and any(tag(child) in NODES for child in process):
            yield warning(
                process,
                "{it}是另一个池里的流程，不会运行；需要运行请另存为一个文件单独部署。",
                "{it} belongs to another pool and is not run; to run it, deploy it as a file of its own.",
            )
