"""Keeping long lives flat: the blob holds what is open and what that still needs, history is in rows.

The library keeps every step an instance ever took and walks all of them again at each new one, until it runs into
Python's recursion limit or stops silently at a depth of its own. What is over is needed for few things:

- a task that is not finished reads its parent's data when it goes on;
- a boundary event looks up the task it is attached to, and that task's limit is shown as long as it is open;
- branches that meet compare what they changed since they parted, or were told on the way (`engine.definitions.joins`);
- the library wants the root of each tree, and we name the instance by the data of the last completed task.

The rest is dropped, together with the sub-processes it led into, and chains of finished tasks are made short.
"""

from typing import Any

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.specs.control import BoundaryEventSplit
from SpiffWorkflow.util.task import TaskState

from engine.definitions.joins import KNOWN

# Half of the depth at which the library's own walk would stop without a word (1,000), and so far below Python's
# recursion limit that a web server's frames fit above it.
MOST_LEVELS = 500

_LIVE = TaskState.READY | TaskState.WAITING | TaskState.STARTED


class TooMuchOpen(Exception):
    """So many steps are open one inside or after the other that the library could lose sight of some."""


def prune(workflow: BpmnWorkflow) -> None:
    """Drop what is over and no longer needed; every task that stays keeps its id, its state and its data.

    Only for a workflow in which nothing automatic is ready, just before it is stored. Raises TooMuchOpen.
    """
    levels = _drop_finished_sub_processes(workflow)
    for level in levels:
        _prune_level(level)
    _refuse_what_the_library_would_not_see(workflow, levels)


def _drop_finished_sub_processes(workflow: BpmnWorkflow) -> list[Any]:
    """The process and the sub-processes that run in it, outermost first: each has a tree of its own."""
    levels = [workflow]
    running = {}
    for level in levels:
        for task in level.tasks.values():
            if _is_open(task) and task.id in workflow.subprocesses:
                running[task.id] = workflow.subprocesses[task.id]
                levels.append(running[task.id])
    workflow.subprocesses = running
    return levels


def _prune_level(level: Any) -> None:
    needed = _needed(level)
    kept = set()
    for id_ in needed:
        while id_ is not None and id_ not in kept:
            kept.add(id_)
            id_ = level.tasks[id_]._parent
    for id_ in [id_ for id_ in level.tasks if id_ not in kept]:
        del level.tasks[id_]
    for task in level.tasks.values():
        task._children = [child for child in task._children if child in kept]
    for task in [task for task in level.tasks.values() if task.id not in needed and len(task._children) == 1]:
        if KNOWN not in task.internal_data:
            _splice_out(task)


def _needed(level: Any) -> set[Any]:
    """Ids of the tasks that somebody still looks at; what lies between them and the root may be shortened."""
    needed = {level.task_tree.id}
    if level.last_task is not None:
        needed.add(level.last_task.id)
    for task in level.tasks.values():
        if not _is_open(task):
            continue
        needed.add(task.id)
        if (parent := task.parent) is None:
            continue
        needed.add(parent.id)
        if isinstance(parent.task_spec, BoundaryEventSplit):
            needed.update(parent._children)
    return needed


def _splice_out(task: Any) -> None:
    """Hang a task's only child where the task was; what is stored of the child is reckoned against its new parent."""
    parent, (child,) = task.parent, task.children
    child._parent = parent.id
    parent._children[parent._children.index(task.id)] = child.id
    del task.workflow.tasks[task.id]


def _refuse_what_the_library_would_not_see(workflow: BpmnWorkflow, levels: list[Any]) -> None:
    if sum(len(level.tasks) for level in levels) <= MOST_LEVELS:
        return  # too few to lie so deep
    seen = len(workflow.get_tasks(state=_LIVE, max_depth=MOST_LEVELS))
    there = sum(task.has_state(_LIVE) for level in levels for task in level.tasks.values())
    if seen != there:
        raise TooMuchOpen(f"{there} steps are open, and only {seen} of them lie within {MOST_LEVELS} levels")


def _is_open(task: Any) -> bool:
    return not task.has_state(TaskState.FINISHED_MASK)
