"""Every variable that an expression reads is filled in by a form or a handler of this diagram.

表达式引用的每个变量，都由本图的表单或处理程序填写过。

`basic.city` needs a form `basic` with a field `city`, filled in before the expression is worked out. A variable
whose field may stay unanswered gets a warning, one that some ways through the diagram leave empty a hint, unless
`defined(…)` asks for it. The subject and the forms' own conditions may read what is not there yet.
"""

from collections.abc import Iterable, Mapping

from lxml import etree

from engine.definitions import expressions, limits
from engine.definitions.fields import Field
from engine.definitions.repeating import COUNTER, COUNTERS, Repetition
from engine.definitions.rules.course import Course
from engine.definitions.rules.facts import DURATION, Expression, Facts, Problem, children, error, info, warning, wf

STARTER = frozenset({"organisation", "started_at"})
ADDED = frozenset({"submitted_at"})  # by the engine, to every form's answers
FILE = frozenset({"file_id", "name", "size", "sha256"})

Providers = Mapping[str, frozenset[etree._Element]]


def check(facts: Facts) -> Iterable[Problem]:
    forms, results = _providers(facts)
    told = _told_to_instances(facts)
    course = Course(facts)
    timers = [each for each in facts.timers if not limits.is_literal(each.text) and not DURATION.fullmatch(each.text)]
    in_forms = facts.expressions_of_forms
    for expression in [*facts.expressions, *timers, *in_forms]:
        try:
            parsed = expressions.parse(expression.text)
        except expressions.ExpressionRefused:
            continue  # expressions_readable and timers_clear speak of it
        for path in sorted(parsed.paths | parsed.tested):
            if (instances := told.get(path.split(".")[0])) is not None:
                if expression.at not in instances and path not in parsed.tested:
                    yield error(
                        expression.element,
                        "{it}的{role}引用了变量“{path}”，它只在多实例任务自己的各个实例里才有；请先用 defined 判断。",
                        "The {role} of {it} reads the variable “{path}”, which only the instances of a repeated task "
                        "have; ask defined(…) first.",
                        role=expression.role,
                        path=path,
                    )
            elif unknown := _unknown(facts, path, forms, results):
                yield error(
                    expression.element,
                    "{it}的{role}引用了变量“{path}”，{why_zh}",
                    "The {role} of {it} reads the variable “{path}”, but {why_en}",
                    role=expression.role,
                    path=path,
                    why_zh=unknown[0],
                    why_en=unknown[1],
                )
            elif expression.at is None or expression in in_forms:
                continue
            elif not any(path == known or path.startswith(known + ".") for known in parsed.tested):
                yield from _in_time(course, expression, path, {**results, **forms})
                yield from _answered(facts, expression, path)


def _providers(facts: Facts) -> tuple[Providers, Providers]:
    """Where each form is filled in, and where each handler's result comes from."""
    forms: dict[str, frozenset[etree._Element]] = {}
    results: dict[str, frozenset[etree._Element]] = {}
    for node in facts.nodes:
        for name in facts.forms_of(node):
            forms[name] = forms.get(name, frozenset()) | {node}
        for loop in children(node, "multiInstanceLoopCharacteristics"):
            if collected := Repetition.of(loop).results:
                results[collected] = results.get(collected, frozenset()) | {node}
        if wf(node, "handler") and (result := wf(node, "result")):
            results[result] = results.get(result, frozenset()) | {node}
    return forms, results


def _told_to_instances(facts: Facts) -> Providers:
    """The variables that only the instances of a repeated task have, with the tasks."""
    told: dict[str, frozenset[etree._Element]] = {}
    for node in facts.of_type("userTask"):
        for loop in children(node, "multiInstanceLoopCharacteristics"):
            for name in filter(None, (COUNTER, Repetition.of(loop).item, *COUNTERS)):
                told[name] = told.get(name, frozenset()) | {node}
    return told


def _unknown(facts: Facts, path: str, forms: Providers, results: Providers) -> tuple[str, str] | None:
    """Why a variable can't be known, in both languages; None where it can."""
    root, *rest = path.split(".")
    if root == "starter":
        if rest and rest[0] in STARTER and len(rest) == 1:
            return None
        return "starter 只有 organisation 和 started_at。", "starter has only organisation and started_at."
    if root in results:
        return None
    if root not in forms:
        return (
            f"但流程里没有一步填写表单“{root}”，也没有处理程序的结果叫这个名字；请改正。",
            f"no step fills in a form “{root}” and no handler's result is called so; correct it.",
        )
    if not rest or root not in facts.forms or (rest[0] in ADDED and len(rest) == 1):
        return None
    field = facts.forms[root].field(rest[0])
    if field is None:
        known = ", ".join(question.key for question in facts.forms[root].questions)
        return (
            f"但表单“{root}”没有字段“{rest[0]}”；它的字段有：{known}。",
            f"the form “{root}” has no field “{rest[0]}”; its fields are {known}.",
        )
    if len(rest) > 1 and not _has_parts(field, rest[1:]):
        return (
            f"但字段“{root}.{rest[0]}”下面没有“{'.'.join(rest[1:])}”。",
            f"the field “{root}.{rest[0]}” has no part “{'.'.join(rest[1:])}”.",
        )
    return None


def _has_parts(field: Field, rest: list[str]) -> bool:
    return field.type == "filepicker" and not field.multiple and len(rest) == 1 and rest[0] in FILE


def _in_time(course: Course, expression: Expression, path: str, providers: Providers) -> Iterable[Problem]:
    root = path.split(".")[0]
    if expression.at is None or root not in providers:
        return
    point = (expression.at, expression.after)
    if not course.can_follow(point, providers[root]):
        yield error(
            expression.element,
            "{it}的{role}引用了变量“{path}”，但走到这里时还没有任何一步填写过它；请调整顺序或改用别的变量。",
            "The {role} of {it} reads the variable “{path}”, which nobody can have filled in by then. "
            "Change the order, or read another variable.",
            role=expression.role,
            path=path,
        )
    elif course.can_avoid(point, providers[root]):
        yield info(  # only a hint: conditions on the way may rule it out
            expression.element,
            "{it}的{role}引用了变量“{path}”，但有的路径走到这里时还没有填写它；请先用 defined({root}) 判断。",
            "The {role} of {it} reads the variable “{path}”, which some ways leave empty; ask defined({root}) first.",
            role=expression.role,
            path=path,
            root=root,
        )


def _answered(facts: Facts, expression: Expression, path: str) -> Iterable[Problem]:
    root, *rest = path.split(".")
    field = facts.forms[root].field(rest[0]) if rest and root in facts.forms else None
    if field is not None and (not field.required or field.visible_if):
        conditional = field.visible_if or field.required_if  # which may hold wherever this is read
        yield (info if conditional else warning)(
            expression.element,
            "{it}的{role}引用了变量“{path}”，而这一项可以不填，不填时会出错；请设为必填，或先用 defined({path}) 判断。",
            "The {role} of {it} reads the variable “{path}”, an answer that may be left out, which would fail; "
            "make it required, or ask defined({path}) first.",
            role=expression.role,
            path=path,
        )
