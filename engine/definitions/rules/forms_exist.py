"""Every form that the diagram fills in or shows is among the forms uploaded with it.

流程图里填写或显示的表单都在一起上传的表单里。
"""

from collections.abc import Iterable

from engine.definitions.rules.facts import Facts, Problem, error, warning, wf


def check(facts: Facts) -> Iterable[Problem]:
    filled_in = set()
    for element in [*facts.nodes, *facts.messages.values()]:
        for name in (wf(element, "form") or "").split():
            filled_in.add(name)
            if name not in facts.form_files:
                yield error(
                    element,
                    "{it}要填写表单“{form}”，但没有这个表单；请上传 {form}.json 或改正表单名。",
                    "{it} needs the form “{form}”, which does not exist; upload {form}.json or correct the name.",
                    form=name,
                )
    for task in facts.of_type("userTask"):
        for name in (wf(task, "shows") or "").split():
            if name not in facts.form_files:
                yield error(
                    task,
                    "{it}要显示表单“{form}”，但没有这个表单；请上传 {form}.json 或改正表单名。",
                    "{it} shows the form “{form}”, which does not exist; upload {form}.json or correct the name.",
                    form=name,
                )
            elif name not in filled_in:
                yield error(
                    task,
                    "{it}要显示表单“{form}”，但流程里没有一步填写它。",
                    "{it} shows the form “{form}”, but no step of the diagram fills it in.",
                    form=name,
                )
    for name in sorted(facts.form_files - filled_in):
        yield warning(
            None,
            "表单“{form}”没有被流程图使用，可以删除。",
            "The form “{form}” is used nowhere in the diagram; it can be removed.",
            form=name,
        )
