"""Files at a browser: each goes up by itself, a fault of the network costs nothing, and officials look at them."""

import io
import re
from pathlib import Path

from PIL import Image
from playwright.sync_api import Route, expect

from engine.runtime.runtime import Runtime
from tests.browser.conftest import Somebody
from tests.browser.person import PROGRAM, document
from tests.casework import Case, deploy_onboarding

FIELDS = ("licence", "manual", "test_report", "self_test", "commitment")


def pages(count: int) -> bytes:
    content = io.BytesIO()
    sheets = [Image.new("RGB", (620, 877), "white") for _ in range(count)]
    sheets[0].save(content, "PDF", save_all=True, append_images=sheets[1:])
    return content.getvalue()


def handing_in(beside: Runtime) -> str:
    deploy_onboarding(beside)
    case = Case(beside).step(by="企业", starts="onboarding", fills={"application": "first"})
    case.step(by="企业", does="登录平台填写基本信息", fills={"basic": "first"})
    return case.tasks()[0].id


def test_files_go_up_by_themselves_and_are_looked_at_beside_the_form(
    somebody: Somebody, beside: Runtime, tmp_path: Path
) -> None:
    task_id = handing_in(beside)
    enterprise = somebody("enterprise-a")
    enterprise.go(f"/tasks/{task_id}")
    faults = ["internetdisconnected", "connectionreset"]

    def with_faults(route: Route) -> None:
        if route.request.method == "POST" and faults:
            route.abort(faults.pop())
        else:
            route.continue_()

    enterprise.page.route("**/tasks/*", with_faults)
    status = enterprise.page.locator(".app-upload__status")
    licence = enterprise.page.locator('[data-upload="materials.licence"]')
    enterprise.input("materials.licence").set_input_files(document("licence.pdf", pages(3)))
    expect(licence.locator(".app-upload__status")).to_contain_text("已上传“licence.pdf”")
    assert not faults, "it went up again after the network had failed twice"

    enterprise.input("materials.licence").set_input_files(document("program.pdf", PROGRAM))
    expect(licence.locator(".govuk-error-message")).to_contain_text("不是有效的 .pdf 文件")
    expect(licence.get_by_role("link", name="licence.pdf")).to_be_visible()

    with (tmp_path / "huge.pdf").open("wb") as huge:
        huge.truncate(21 * 1024 * 1024)
    enterprise.input("materials.licence").set_input_files(tmp_path / "huge.pdf")
    expect(licence.locator(".app-upload__status")).to_contain_text("超过 20.0 MB")

    for field in FIELDS[1:]:
        enterprise.input(f"materials.{field}").set_input_files(document(f"{field}.pdf"))
    expect(status.filter(has_text="已上传")).to_have_count(len(FIELDS) - 1)
    enterprise.station("files-handing-in")
    enterprise.press("提交")
    expect(enterprise.page).to_have_url(re.compile("/instances/"))

    official = somebody("guangzhou")
    official.go("/inbox")
    official.page.get_by_role("link", name=re.compile("审核材料")).first.click()
    official.page.get_by_text("预览 licence.pdf").first.click()
    frame = official.page.frame_locator('iframe[title="预览：licence.pdf"]')
    expect(frame.get_by_role("img")).to_have_js_property("naturalWidth", 1240)
    frame.get_by_role("link", name="下一页").first.click()
    expect(frame.get_by_role("navigation").first).to_contain_text("第 2 页，共 3 页")
    official.station("files-review")
    # What the accessibility check tries in the frame is told as blocked there, as it should be.
    blocked = [problem for problem in official.problems if "Blocked script execution" in problem]
    official.problems[:] = [problem for problem in official.problems if problem not in blocked]
    assert all("/preview" in problem for problem in blocked)
    source = official.page.locator('iframe[title="预览：licence.pdf"]').get_attribute("src")
    without_scripts = somebody("guangzhou", javascript=False)  # as the page itself is
    without_scripts.go(f"{source}?page=3")
    without_scripts.station("files-preview")


def test_a_file_that_does_not_go_up_is_sent_again_by_hand_or_with_the_form(somebody: Somebody, beside: Runtime) -> None:
    task_id = handing_in(beside)
    enterprise = somebody("enterprise-a")
    enterprise.go(f"/tasks/{task_id}")
    enterprise.page.clock.install()
    enterprise.page.route("**/tasks/*", lambda route: route.abort())
    enterprise.input("materials.licence").set_input_files(document("licence.pdf"))
    status = enterprise.page.locator('[data-upload="materials.licence"] .app-upload__status')
    for _ in range(3):
        expect(status).to_contain_text("网络中断")
        enterprise.page.clock.run_for(10_000)
    expect(status).to_contain_text("没有上传成功")
    enterprise.page.unroute("**/tasks/*")
    enterprise.press("重新上传")
    expect(status).to_contain_text("已上传“licence.pdf”")


def test_without_scripts_files_go_with_the_form_and_are_looked_at_all_the_same(
    somebody: Somebody, beside: Runtime
) -> None:
    task_id = handing_in(beside)
    enterprise = somebody("enterprise-a", javascript=False)
    enterprise.go(f"/tasks/{task_id}")
    enterprise.input("materials.licence").set_input_files(document("licence.pdf"))
    enterprise.press("提交")
    enterprise.read("licence.pdf")
    for field in FIELDS[1:]:
        enterprise.input(f"materials.{field}").set_input_files(document(f"{field}.pdf"))
    enterprise.press("提交")
    enterprise.page.get_by_text("预览 licence.pdf").first.click()
    frame = enterprise.page.frame_locator('iframe[title="预览：licence.pdf"]')
    expect(frame.get_by_role("img")).to_be_visible()
