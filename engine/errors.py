"""Every refusal of the engine: one base class, and the message is a sentence that says what to do.

A subclass states its sentence once, in both languages; the facts that fill it are keyword arguments and
attributes. The web layer maps the kinds (NotFound, NotAllowed, Conflict, Invalid, Broken, Unavailable) to status codes.
"""

from collections.abc import Mapping
from typing import ClassVar

from engine.text import Language, Text


class Refusal(Exception):
    """The engine declines; nothing was changed."""

    sentence: ClassVar[Text] = Text("操作未被接受。", "This was not accepted.")

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        self.text = self.sentence.filled(**facts)
        super().__init__(self.text.zh)

    def to(self, language: Language) -> str:
        return self.text.to(language)


class NotFound(Refusal):
    """It does not exist, or it is not the caller's to know of (the two are not told apart)."""

    sentence = Text("找不到所请求的内容，请核对地址。", "Nothing was found here. Check the address.")


class NotAllowed(Refusal):
    """The caller may know of it, but may not do this."""

    sentence = Text("您的账号不能执行此操作。", "Your account may not do this.")


class Conflict(Refusal):
    """Right when the page was opened, too late now."""

    sentence = Text("情况已发生变化，请刷新页面。", "Things have changed meanwhile. Refresh the page.")


class Invalid(Refusal):
    """What was handed in can't be used."""

    sentence = Text("提交的内容不正确。", "What was handed in can't be used.")


class Broken(Refusal):
    """The diagram, a handler or the machinery failed; an operator has to look. Recorded as an incident."""

    sentence = Text(
        "系统处理时出现问题，已记录并通知管理员；您填写的内容没有提交，请稍后再试。",
        "Something failed on our side. It has been recorded; nothing was submitted. Try again later.",
    )


class Unavailable(Refusal):
    """The database can't be reached or fails of itself; nothing was changed, and trying again later will do."""

    sentence = Text(
        "系统暂时连不上数据库，内容没有提交，请过一会儿再试。",
        "The database can't be reached at the moment. Nothing was submitted; try again in a while.",
    )


class Busy(Unavailable):
    """Somebody else's transaction held what this one needed for longer than one waits."""

    sentence = Text(
        "另一项操作正在占用这件申请，等候超时，内容没有提交，请过一会儿再试。",
        "Something else has been working on this for too long. Nothing was submitted; try again in a while.",
    )


class TaskDone(Conflict):
    sentence = Text("该任务已由{who}于{when}办理完毕。", "This task was already completed by {who} at {when}.")


class TaskCancelled(Conflict):
    sentence = Text(
        "该任务已被“{cause}”中止，不能再提交。",
        "This task was interrupted by “{cause}” and can't be submitted.",
    )


class TaskClaimed(Conflict):
    sentence = Text("该任务已由{who}签收。", "This task has been claimed by {who}.")


class NothingWaits(Conflict):
    sentence = Text("该申请目前不接收“{message}”。", "This application is not waiting for “{message}” at the moment.")


class InstanceClosed(Conflict):
    sentence = Text("该申请的流程已经结束。", "This application has come to its end.")


class FormRefused(Invalid):
    """Answers that break the form's rules.

    `errors` maps "form.field" (for a list: "form.field.0.sub", for a rule of the whole form: "form") to what is
    wrong with it.
    """

    sentence = Text("填写的内容有 {count} 处需要修改。", "{count} answers need to be corrected.")

    def __init__(self, errors: Mapping[str, Text]) -> None:
        self.errors = dict(errors)
        super().__init__(count=len(self.errors))
