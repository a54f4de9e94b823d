"""Forms work where scripts don't run: a list grows and shrinks by posting the page, and nothing typed is lost."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from engine.runtime.runtime import Runtime
from tests.browser.conftest import Somebody
from tests.casework import Case

pytestmark = pytest.mark.browser

VERSION = {"field": "basic.version", "problem": "版本号与检测报告不一致。"}
SEAL = {"field": "materials.commitment", "problem": "承诺书没有加盖公章。"}
ADD = re.compile("^添加一项.*存在的具体问题$")


def test_a_review_states_two_problems(somebody: Somebody, beside: Runtime) -> None:
    Case(beside, begins=datetime.now(UTC)).goes("递交申请材料")
    official = somebody("guangzhou", javascript=False)
    official.follow("审核材料")
    official.answer("review.result", "fail")
    official.answer("review.problems", [VERSION])
    official.press(ADD)
    official.press(ADD)
    official.answer("review.problems", [VERSION, {}, SEAL])
    official.press(re.compile("^删除.*第 2 项$"))
    expect(official.input("review.problems.1.problem")).to_have_value(SEAL["problem"])
    official.input("review.problems.1.problem").clear()
    official.press("提交")
    expect(official.page.get_by_role("alert").get_by_role("listitem")).to_have_count(1)
    expect(official.input("review.problems.0.problem")).to_have_value(VERSION["problem"])
    expect(official.input("review.problems.1.field")).to_have_value(SEAL["field"])
    official.station("noscript-1-review")
    official.answer("review.problems.1.problem", SEAL["problem"])
    official.press("提交")
    official.read("已提交：审核材料")
    official.read("等待粤筑智联（演示）科技有限公司：修改申请材料后再次提交")
    official.read("流程图需要浏览器启用 JavaScript 才能显示")

    enterprise = somebody("enterprise-a", javascript=False)
    enterprise.choose_in_menu("待办")
    enterprise.follow("修改申请材料后再次提交")
    for problem in ("版本号", VERSION["problem"], "承诺书", SEAL["problem"]):
        enterprise.read(problem)
    enterprise.answer("basic.version", "2.2")
    enterprise.answer("materials.commitment", {"file": "承诺书（盖章）.pdf"})
    enterprise.press("提交")
    enterprise.read("等待广州市住房和城乡建设局：审核材料")
    expect(enterprise.page.get_by_role("link", name="承诺书（盖章）.pdf")).to_be_visible()
    expect(enterprise.page.get_by_role("link", name="营业执照.pdf").first).to_be_visible()
