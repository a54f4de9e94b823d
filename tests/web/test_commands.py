"""The command line: the same calls the pages make, sentences for people, exit codes for machines."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from engine import clock
from engine.database import Database
from engine.definitions.tables import DefinitionVersion
from engine.people.accounts import authenticate
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Instance, Timer
from engine.scenarios.reading import read_samples
from tests.casework import FOLDER, Case, deploy_onboarding
from tests.engine.conformance import drawing

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def speak_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.fixture
def run(app: Flask) -> Run:
    """`run("inbox", "--as", "guangzhou")` as if typed after `flask --app web`."""
    runner = app.test_cli_runner()

    def run_it(*words: str, **options: str) -> Result:
        return runner.invoke(app.cli, words, **options)

    return run_it


@pytest.fixture
def answers(runtime: Runtime, tmp_path: Path) -> Callable[..., str]:
    """Writes a JSON file with the named sample of each form, as enterprise-a would hand it in."""

    def write(**samples: str) -> str:
        (tmp_path / "answers.json").write_text(json.dumps(Case(runtime).answers(**samples)), "utf-8")
        return str(tmp_path / "answers.json")

    return write


def commands_of_ours(app: Flask) -> list[str]:
    return sorted(app.cli.commands)


def test_every_command_says_what_it_is_for_in_both_languages(app: Flask, run: Run) -> None:
    for name in commands_of_ours(app):
        result = run(name, "--help")
        assert result.exit_code == 0
        assert re.search(r"[\u4e00-\u9fff]", result.output), name
        assert re.search(r"[A-Z][a-z]+ .*\.", result.output), name


def test_init_deploys_the_projects_processes_once(run: Run, database: Database) -> None:
    first, second = run("init"), run("init")
    assert first.exit_code == second.exit_code == 0, first.output + second.output
    assert "已部署 onboarding 第 1 版" in first.output
    assert "已部署" not in second.output
    with database.read() as session:
        assert len(session.scalars(select(DefinitionVersion)).all()) == 1


def test_a_changed_diagram_is_deployed_as_the_next_version_and_listed(run: Run, tmp_path: Path) -> None:
    run("init")
    copy = Path(shutil.copytree(FOLDER, tmp_path / "changed"))
    diagram = next(copy.glob("*.bpmn"))
    diagram.write_text(diagram.read_text("utf-8").replace("working_days(3)", "working_days(4)"), "utf-8")
    result = run("deploy", str(copy), "--as", "analyst", "--note", "四个工作日")
    assert result.exit_code == 0, result.output
    assert "onboarding 第 2 版已启用" in result.output
    newer, older = run("definitions").output.splitlines()
    assert "v2" in newer
    assert "启用" in newer
    assert "停用" in older


def test_a_diagram_with_errors_is_neither_passed_nor_deployed(run: Run, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(FOLDER, tmp_path / "broken"))
    diagram = next(copy.glob("*.bpmn"))
    diagram.write_text(diagram.read_text("utf-8").replace('wf:form="review"', 'wf:form="no_such_form"'), "utf-8")
    for command in ("lint", "deploy"):
        result = run(command, str(copy))
        assert result.exit_code == 1
        assert "no_such_form" in result.stderr
        assert "Traceback" not in result.output
    assert run("definitions").output == ""


def test_the_projects_own_diagram_passes_the_check(run: Run) -> None:
    result = run("lint", str(FOLDER))
    assert result.exit_code == 0, result.stderr
    assert "没有错误" in result.output


def test_a_program_reads_the_findings_as_json(run: Run, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(FOLDER, tmp_path / "broken"))
    diagram = next(copy.glob("*.bpmn"))
    diagram.write_text(diagram.read_text("utf-8").replace('wf:handler="issue_test_key"', 'wf:handler="x"'), "utf-8")
    refused, passed = run("lint", "--json", str(copy)), run("lint", "--json", str(FOLDER))
    assert (refused.exit_code, passed.exit_code) == (1, 0)
    errors = [finding for finding in json.loads(refused.stdout) if finding["severity"] == "error"]
    assert {finding["element_id"] for finding in errors} == {"Create_Test_Key", "Reissue_Test_Key"}
    assert {finding["rule"] for finding in errors} == {"handlers_fit"}
    assert {finding["file"] for finding in errors} == {diagram.name}
    assert "x" in errors[0]["message"]["en"]
    assert {finding["severity"] for finding in json.loads(passed.stdout)} <= {"info", "warning"}


def test_of_several_diagrams_each_finding_is_said_of_its_file(run: Run, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(FOLDER, tmp_path / "two"))
    sound = next(copy.glob("*.bpmn"))
    sound.with_name("broken.bpmn").write_text(sound.read_text("utf-8").replace("working_days(3)", "3"), "utf-8")
    told, listed = run("lint", str(copy)), json.loads(run("lint", "--json", str(copy)).stdout)
    assert told.stderr.index("broken.bpmn:") < told.stderr.index("timers_clear")
    assert {each["file"] for each in listed if each["severity"] == "error"} == {"broken.bpmn"}


def test_a_process_that_is_called_is_looked_up_where_it_is_deployed(run: Run, tmp_path: Path) -> None:
    a, x, start, end = drawing.task("a"), drawing.call("x", "other"), drawing.start(), drawing.end()
    called = drawing.diagram(start, a, end, flows=["s > a", "a > e"], process_id="other")
    calling = drawing.diagram(start, x, end, flows=["s > x", "x > e"])
    for name, drawn in (("called", called), ("calling", calling)):
        (tmp_path / name / "forms").mkdir(parents=True)
        (tmp_path / name / f"{name}.bpmn").write_bytes(drawn)
        for form, schema in drawing.forms_of(drawn).items():
            (tmp_path / name / "forms" / f"{form}.json").write_text(json.dumps(schema), "utf-8")
    too_early = run("lint", str(tmp_path / "calling"))
    assert (too_early.exit_code, "calls_resolved" in too_early.stderr) == (1, True)
    assert run("deploy", str(tmp_path / "called")).exit_code == 0
    looked_up = run("lint", str(tmp_path / "calling"))
    assert looked_up.exit_code == 0, looked_up.stderr
    assert "已部署的版本" in looked_up.stderr
    alone = run("lint", "--alone", str(tmp_path / "calling"))
    assert (alone.exit_code, "没有查看已部署的流程" in alone.stderr) == (1, True)


@pytest.mark.parametrize("command", ["init", "serve"])
def test_at_start_up_a_diagram_with_errors_is_not_deployed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    copy = Path(shutil.copytree(FOLDER, tmp_path / "bpmn" / "onboarding"))
    diagram = next(copy.glob("*.bpmn"))
    diagram.write_text(diagram.read_text("utf-8").replace("working_days(3)", "3"), "utf-8")
    monkeypatch.setattr("web.commands.ROOT", tmp_path)
    result = run(command)
    assert result.exit_code == 1
    assert "timers_clear" in result.stderr
    assert run("definitions").output == ""


def test_a_folder_without_a_diagram_is_refused(run: Run, tmp_path: Path) -> None:
    result = run("lint", str(tmp_path))
    assert result.exit_code == 1
    assert "没有流程图" in result.stderr


def test_only_an_analyst_deploys(run: Run) -> None:
    result = run("deploy", str(FOLDER), "--as", "guangzhou")
    assert result.exit_code == 1
    assert "您的账号不能执行此操作" in result.stderr


def test_an_application_goes_from_start_to_inbox_to_completion(
    run: Run, runtime: Runtime, answers: Callable[..., str]
) -> None:
    deploy_onboarding(runtime)
    started = run("start", "onboarding", "--as", "enterprise-a", "--answers", answers(application="first"))
    assert started.exit_code == 0, started.output
    instance_id = started.output.strip()
    waiting = run("inbox", "--as", "enterprise-a").output.splitlines()
    assert len(waiting) == 1
    assert instance_id in waiting[0]
    task_id = waiting[0].split()[0]
    done = run("complete", task_id, "--as", "enterprise-a", "--answers", answers(basic="first"))
    assert done.exit_code == 0, done.output
    again = run("complete", task_id, "--as", "enterprise-a", "--answers", answers(basic="first"))
    assert again.exit_code == 1
    assert "已由陈嘉欣" in again.stderr


def test_what_is_wrong_with_the_answers_is_said_field_by_field(
    run: Run, runtime: Runtime, answers: Callable[..., str], tmp_path: Path
) -> None:
    deploy_onboarding(runtime)
    run("start", "onboarding", "--as", "enterprise-a", "--answers", answers(application="first"))
    task_id = run("inbox", "--as", "enterprise-a").output.split()[0]
    (tmp_path / "wrong.json").write_text('{"basic": {"uscc": "123"}}', "utf-8")
    result = run("complete", task_id, "--as", "enterprise-a", "--answers", str(tmp_path / "wrong.json"))
    assert result.exit_code == 1
    assert "basic.uscc" in result.stderr
    assert "basic.company" in result.stderr


@pytest.mark.parametrize("content", ["not json", "[]", '{"basic": 3}', "[" * 100_000])
def test_answers_that_are_no_answers_are_refused(run: Run, runtime: Runtime, tmp_path: Path, content: str) -> None:
    deploy_onboarding(runtime)
    (tmp_path / "odd.json").write_text(content, "utf-8")
    result = run("start", "onboarding", "--as", "enterprise-a", "--answers", str(tmp_path / "odd.json"))
    assert result.exit_code == 1
    assert "无法读取填写内容" in result.stderr


def test_answers_upload_the_files_they_name(run: Run, runtime: Runtime, tmp_path: Path) -> None:
    deploy_onboarding(runtime)
    case = Case(runtime, begins=clock.now()).step(by="企业", starts="onboarding", fills={"application": "first"})
    case.step(by="企业", does="登录平台填写基本信息", fills={"basic": "first"})
    materials = read_samples(FOLDER).answers["materials"]["complete"]
    (tmp_path / "answers.json").write_text(json.dumps({"materials": materials}), "utf-8")
    task_id = case.task("递交材料").id
    missing = run("complete", task_id, "--as", "enterprise-a", "--answers", str(tmp_path / "answers.json"))
    assert missing.exit_code == 1
    assert "无法读取填写内容" in missing.stderr
    for name in re.findall(r'"file": "([^"]+)"', json.dumps(materials, ensure_ascii=False)):
        (tmp_path / name).write_bytes(b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")
    done = run("complete", task_id, "--as", "enterprise-a", "--answers", str(tmp_path / "answers.json"))
    assert done.exit_code == 0, done.output


def test_a_message_nobody_waits_for_is_refused(run: Run, runtime: Runtime, answers: Callable[..., str]) -> None:
    deploy_onboarding(runtime)
    case = Case(runtime, begins=clock.now()).goes("递交申请材料")
    sent = ("send-message", case.id, "complaint", "--as", "enterprise-a")
    refused = run(*sent, "--answers", answers(complaint="key_unusable"))
    assert refused.exit_code == 1
    assert "目前不接收" in refused.stderr


def test_a_complaint_reaches_the_authority(run: Run, runtime: Runtime, answers: Callable[..., str]) -> None:
    deploy_onboarding(runtime)
    case = Case(runtime, begins=clock.now()).goes("收到测试密钥")
    sent = run(
        "send-message", case.id, "complaint", "--as", "enterprise-a", "--answers", answers(complaint="key_unusable")
    )
    assert sent.exit_code == 0, sent.output
    assert "核实情况" in run("inbox", "--as", "guangzhou").output


def test_an_unknown_person_is_a_sentence_not_a_stack_trace(run: Run) -> None:
    result = run("inbox", "--as", "nobody")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: 找不到")


def test_english_is_spoken_on_an_english_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    assert "Nothing was found" in run("inbox", "--as", "nobody").stderr


def test_a_limit_fires_when_the_trials_clock_has_passed_it(run: Run, runtime: Runtime) -> None:
    deploy_onboarding(runtime)
    case = Case(runtime, begins=clock.now()).goes("递交申请材料")
    assert "已处理 0 件" in run("tick").output
    assert "流程时间" in run("advance", "3").output
    assert "核实并反馈情况" in " ".join(task.name for task in case.tasks())


def test_a_tick_as_of_a_later_moment_fires_what_is_due_by_then(run: Run, runtime: Runtime) -> None:
    deploy_onboarding(runtime)
    case = Case(runtime, begins=clock.now()).goes("递交申请材料")
    with runtime.database.read() as session:
        due = session.scalars(select(Timer.due_at).where(Timer.instance_id == case.id)).one()
    before, after = (due - timedelta(seconds=1)).isoformat(), due.isoformat()
    assert "已处理 0 件" in run("tick", "--now", before).output
    assert "已处理 1 件" in run("tick", "--now", after).output


@pytest.mark.parametrize("moment", ["tomorrow", "2026-09-22T18:00"])
def test_a_moment_without_a_zone_is_refused(run: Run, moment: str) -> None:
    result = run("tick", "--now", moment)
    assert result.exit_code == 1
    assert moment in result.stderr


def test_outside_a_trial_nothing_of_the_trial_works(app: Flask, run: Run) -> None:
    app.extensions["runtime"] = replace(app.extensions["runtime"], trial=False)
    for words in (["seed-trial"], ["advance", "3"], ["tick", "--now", datetime(2030, 1, 1, tzinfo=UTC).isoformat()]):
        result = run(*words)
        assert result.exit_code == 1, words
        assert "试用模式" in result.stderr


def test_an_organisation_and_its_person_are_registered(run: Run, database: Database) -> None:
    assert run("create-organisation", "support", "新单位", "--key", "449999").exit_code == 0
    made = run(
        "create-user",
        "newcomer",
        "--role",
        "support",
        "--key",
        "449999",
        "--password-file",
        "-",
        input="long enough to keep\n",
    )
    assert made.exit_code == 0, made.output
    with database.read() as session:
        assert authenticate(session, "newcomer", "long enough to keep").username == "newcomer"


def test_a_person_without_an_organisation_is_refused(run: Run) -> None:
    result = run(
        "create-user",
        "newcomer",
        "--role",
        "support",
        "--key",
        "none",
        "--password-file",
        "-",
        input="long enough to keep",
    )
    assert result.exit_code == 1
    assert "create-organisation" in result.stderr


def test_seeding_the_trial_again_makes_nobody_twice(run: Run) -> None:
    first, second = run("seed-trial"), run("seed-trial")
    assert first.exit_code == second.exit_code == 0
    assert "新开立 0 个" in second.output
    assert "新开立 0 个" not in first.output  # the tests' cast lacks most cities


def test_scenarios_are_played_apart_from_the_data_and_one_that_goes_otherwise_fails(
    run: Run, tmp_path: Path, database: Database
) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "onboarding"))
    written = (folder / "scenarios" / "straight-success.yaml").read_text("utf-8")
    shutil.rmtree(folder / "scenarios")
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "as-written.yaml").write_text(written, "utf-8")
    otherwise = written.replace("outcome: 联调成功", "outcome: 联调延期")
    (folder / "scenarios" / "otherwise.yaml").write_text(otherwise, "utf-8")
    result = run("scenarios", str(folder))
    assert result.exit_code == 1
    assert "✓ as-written" in result.output
    assert "✗ otherwise" in result.output
    assert "联调延期" in result.stderr
    with database.read() as session:
        assert session.scalars(select(Instance.id)).all() == []


def test_sqlite_is_served_by_one_worker_only(run: Run) -> None:
    result = run("serve", "--workers", "2")
    assert result.exit_code == 2
    assert "--workers 1" in result.stderr
