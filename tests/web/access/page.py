"""docs/access.md, made of the table of roles and actions and the table of addresses: `python -m tests.web.access.page`
writes it anew."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.people.access import ALLOWED, CITY_MANAGERS_MAY, HEADS_MAY, MEANING, Action
from engine.people.tables import Role
from tests.web.access.reading import Row, rows

PAGE = Path(__file__).resolve().parents[3] / "docs" / "access.md"

_HEAD = """\
# 谁能看什么、做什么 · Who may see and do what

每个账号属于一个单位，单位有一种角色。**能做什么**由角色决定（下表）；**能看到谁的**由单位决定：企业只看到本企业的申请，主管部门只看到本市的，
技术支持单位只看到交给它的待办。不是自己的，一律答复“找不到”（404），与不存在的没有区别；只有整个页面都不属于该角色时才答复“无权”（403）。

Every account belongs to an organisation, and every organisation has a role. The role decides **what** may be done (the
table below), the organisation **whose**: an enterprise finds its own applications, an authority those to its city, a
support unit the tasks it was given. Whatever is somebody else's is answered with “not found” (404), as if it did not
exist; “not allowed” (403) is said only where a whole page is not for the role.

All of this is decided in one file, `engine/people/access.py`. Tests ask every address of the application in everybody's
name, for what is theirs and what is not; the answers stand in `tests/web/access/table.txt`, and an address that is not
listed there fails the build. This page is written by `python -m tests.web.access.page` from both; a test compares.
"""
_NAMES = {
    Role.ENTERPRISE: "企业<br>enterprise",
    Role.AUTHORITY: "主管部门<br>authority",
    Role.SUPPORT: "技术支持单位<br>support unit",
    Role.PROVINCE: "省级监督<br>province",
    Role.ANALYST: "流程分析员<br>analyst",
    Role.ADMIN: "平台管理员<br>administrator",
}
_MANAGER = "账号管理员<br>account manager"
_HEAD_OF_SECTION = "科长<br>head of section"
_OPEN_TO_ALL = {
    "login": (
        "登录后人人可用 · Everybody who is logged in",
        "只涉及本人的账号和草稿，或不涉及任何申请。\n\n"
        "About one's own account and drafts, or about no application at all.",
    ),
    "public": (
        "无须登录 · Without logging in",
        "登录、注册、设置密码、切换语言；看不到任何申请。\n\n"
        "Logging in, registering, setting a password, choosing a language; no application can be seen.",
    ),
}


def page() -> str:
    table = rows()
    return "\n".join([_HEAD, *_matrix(), *_actions(table), *_open_to_all(table)]) + "\n"


def _matrix() -> Iterator[str]:
    names = [*_NAMES.values(), _MANAGER, _HEAD_OF_SECTION]
    yield "## 角色与权限 · Roles and actions\n"
    yield "账号管理员是某单位中兼管本单位账号的人，除此之外与同事一样；管理市级系统凭证的只有主管部门的。"
    yield "科长是主管部门或技术支持单位的科室负责人。\n"
    yield f"| | {' | '.join(names)} |"
    yield "|---|" + ":-:|" * len(names)
    for action in Action:
        marks = ["●" if action in ALLOWED[role] else "" for role in _NAMES]
        marks += ["●" if action in also else "" for also in (CITY_MANAGERS_MAY, HEADS_MAY)]
        yield f"| [{action}](#{action}) | {' | '.join(marks)} |"
    yield ""


def _actions(table: Iterable[Row]) -> Iterator[str]:
    yield "## 每项权限 · Each action\n"
    for action in Action:
        yield f"### {action}\n\n{MEANING[action].zh}\n\n{MEANING[action].en}\n"
        yield from _addresses(row for row in table if action in row.actions)


def _open_to_all(table: Iterable[Row]) -> Iterator[str]:
    for name, (heading, sentence) in _OPEN_TO_ALL.items():
        yield f"## {heading}\n\n{sentence}\n"
        yield from _addresses(row for row in table if name in row.actions)


def _addresses(of: Iterable[Row]) -> Iterator[str]:
    yield from (f"- `{method} {address}`" for method, address in dict.fromkeys(row.route for row in of))
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
