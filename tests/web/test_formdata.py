"""From what a browser posts to answers, and from answers to a page and back."""

import json
from collections.abc import Collection, Mapping
from typing import Any

import pytest
from flask import Flask, render_template_string
from lxml import html
from werkzeug.datastructures import FileStorage, MultiDict

from engine.definitions.fields import Field, Form
from engine.definitions.forms import parse_forms
from engine.files import FileTooLarge
from engine.text import Text
from web.formdata import is_editing, read_answers

PAGE = """{% from "forms/fields.html" import render_forms, error_summary %}
<form>{{ error_summary(forms, errors) }}{{ render_forms(forms, answers, errors, data) }}</form>"""

CHOICES = [{"label": "符合要求", "value": "pass"}, {"label": "不符合要求", "value": "fail"}]
COMPONENTS: list[dict[str, Any]] = [
    {"type": "text", "id": "intro", "text": "请如实填写。"},
    {"type": "textfield", "id": "a", "key": "company", "label": "企业名称", "validate": {"required": True}},
    {"type": "textarea", "id": "b", "key": "remarks", "label": "备注"},
    {"type": "number", "id": "c", "key": "days", "label": "整改期限"},
    {"type": "datetime", "subtype": "date", "id": "d", "key": "on", "dateLabel": "完成日期"},
    {"type": "radio", "id": "e", "key": "result", "label": "审核结论", "values": CHOICES},
    {"type": "select", "id": "f", "key": "kind", "label": "类别", "values": CHOICES},
    {"type": "checklist", "id": "g", "key": "parts", "label": "范围", "values": CHOICES},
    {"type": "checkbox", "id": "h", "key": "agreed", "label": "同意"},
    {"type": "filepicker", "id": "i", "key": "proof", "label": "证明"},
    {"type": "filepicker", "id": "j", "key": "photos", "label": "照片", "multiple": True},
    {
        "type": "textarea",
        "id": "k",
        "key": "why",
        "label": "问题说明",
        "properties": {"visible_if": "page.result == 'fail'"},
    },
    {
        "type": "dynamiclist",
        "id": "l",
        "path": "problems",
        "label": "存在的问题",
        "components": [
            {"type": "textfield", "id": "m", "key": "problem", "label": "具体问题"},
            {"type": "select", "id": "n", "key": "part", "label": "对应的部分", "values": CHOICES},
        ],
    },
]


def forms_of(*components: Mapping[str, Any]) -> list[Form]:
    schema = {
        "type": "default",
        "id": "page",
        "schemaVersion": 19,
        "properties": {"title": "审核", "title_en": "Review"},
        "components": list(components),
    }
    return list(parse_forms({"page": json.loads(json.dumps(schema))}).values())


FORMS = forms_of(*COMPONENTS)


class Shelf:
    """Files as the store would keep them, by id; what is called too-large.pdf is refused."""

    def __init__(self, *names: str) -> None:
        self.files = {name.split(".")[0]: stored(name) for name in names}

    def store(self, field: Field, upload: FileStorage) -> dict[str, Any]:
        name = upload.filename or ""
        if name == "too-large.pdf":
            raise FileTooLarge(limit="20 MB")
        self.files[name.split(".")[0]] = stored(name)
        return stored(name)

    def find(self, file_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        return {file_id: self.files[file_id] for file_id in file_ids if file_id in self.files}


def stored(name: str) -> dict[str, Any]:
    return {"file_id": name.split(".")[0], "name": name, "size": 5, "sha256": "0" * 64}


def upload(name: str) -> FileStorage:
    return FileStorage(filename=name)


def read(
    posted: list[tuple[str, str]], files: list[tuple[str, FileStorage]] | None = None, shelf: Shelf | None = None
) -> tuple[dict[str, Any], dict[str, Text]]:
    shelf = shelf or Shelf()
    answers, errors = read_answers(FORMS, MultiDict(posted), MultiDict(files or []), shelf.store, shelf.find)
    return answers["page"], errors


def test_answers_are_read_by_form_and_field() -> None:
    answers, errors = read([("page.company", "甲公司"), ("page.parts", "pass"), ("page.parts", "fail"), ("x.y", "z")])
    assert answers == {
        "company": "甲公司",
        "parts": ["pass", "fail"],
        "agreed": False,
        "photos": [],
        "problems": [],
    }
    assert not errors


def test_a_ticked_box_is_true_and_an_unticked_one_false() -> None:
    assert read([("page.agreed", "true")])[0]["agreed"] is True
    assert read([])[0]["agreed"] is False


def test_the_items_of_a_list_close_up_whatever_their_numbers() -> None:
    answers, _ = read([("page.problems.7.problem", "乙"), ("page.problems.2.problem", "甲")])
    assert [item["problem"] for item in answers["problems"]] == ["甲", "乙"]


def test_an_item_can_be_added_without_losing_an_answer() -> None:
    answers, _ = read([("page.company", "甲"), ("page.problems.0.problem", "乙"), ("_add", "page.problems")])
    assert answers["company"] == "甲"
    assert answers["problems"] == [{"problem": "乙"}, {}]


def test_the_item_whose_button_was_pressed_is_removed() -> None:
    posted = [(f"page.problems.{number}.problem", name) for number, name in enumerate("甲乙丙")]
    answers, _ = read([*posted, ("_remove", "page.problems.1")])
    assert [item["problem"] for item in answers["problems"]] == ["甲", "丙"]


@pytest.mark.parametrize(
    "path", ["", "page", "page.company.x", "page.problems.9", "page.problems.x", "x.y.z", "..", "0"]
)
def test_a_path_that_leads_nowhere_changes_nothing(path: str) -> None:
    posted = [("page.company", "甲"), ("page.problems.0.problem", "乙")]
    assert read([*posted, ("_remove", path)]) == read(posted)
    assert read([*posted, ("_add", path)]) == read(posted)


def test_a_page_whose_inner_button_was_pressed_is_not_handed_in() -> None:
    assert is_editing({"_add": "page.problems"})
    assert is_editing({"_remove": "page.proof"})
    assert not is_editing({"page.company": "甲"})


def test_an_upload_is_stored_at_once() -> None:
    shelf = Shelf()
    answers, _ = read([], [("page.proof", upload("licence.pdf"))], shelf)
    assert answers["proof"] == stored("licence.pdf")
    assert "licence" in shelf.files


def test_a_file_uploaded_before_comes_back_by_its_id() -> None:
    answers, errors = read([("page.proof.file_id", "licence")], shelf=Shelf("licence.pdf"))
    assert answers["proof"] == stored("licence.pdf")
    assert not errors


def test_a_new_file_takes_the_place_of_the_old_one() -> None:
    shelf = Shelf("old.pdf")
    answers, _ = read([("page.proof.file_id", "old")], [("page.proof", upload("new.pdf"))], shelf)
    assert answers["proof"] == stored("new.pdf")


def test_a_field_for_several_files_keeps_the_old_and_adds_the_new() -> None:
    shelf = Shelf("one.png", "two.png")
    kept = [("page.photos.file_id", "one"), ("page.photos.file_id", "two")]
    answers, _ = read(kept, [("page.photos", upload("three.png")), ("page.photos", upload("four.png"))], shelf)
    assert [file["file_id"] for file in answers["photos"]] == ["one", "two", "three", "four"]


def test_a_file_can_be_removed() -> None:
    shelf = Shelf("one.png", "two.png")
    kept = [("page.proof.file_id", "one"), ("page.photos.file_id", "one"), ("page.photos.file_id", "two")]
    assert "proof" not in read([*kept, ("_remove", "page.proof")], shelf=shelf)[0]
    assert read([*kept, ("_remove", "page.photos.0")], shelf=shelf)[0]["photos"] == [stored("two.png")]


def test_a_refused_upload_is_told_and_leaves_the_file_that_was_there() -> None:
    answers, errors = read([("page.proof.file_id", "old")], [("page.proof", upload("too-large.pdf"))], Shelf("old.pdf"))
    assert answers["proof"] == stored("old.pdf")
    assert errors["page.proof"].zh == "文件超过 20 MB，请压缩或拆分后重新上传。"


def test_a_file_that_is_not_the_senders_is_not_taken() -> None:
    answers, errors = read([("page.proof.file_id", "somebody-elses")], shelf=Shelf())
    assert "proof" not in answers
    assert list(errors) == ["page.proof"]


def test_a_file_field_left_empty_is_no_upload() -> None:
    answers, errors = read([], [("page.proof", FileStorage(filename=""))])
    assert "proof" not in answers
    assert not errors


ANSWERS = {
    "company": '甲 "乙" <b>公司</b>',
    "remarks": "第一行\n  第二行",
    "days": "15",
    "on": "2026-09-22",
    "result": "fail",
    "kind": "pass",
    "parts": ["pass", "fail"],
    "agreed": True,
    "proof": stored("licence.pdf"),
    "photos": [stored("one.png"), stored("two.png")],
    "why": "接口不通",
    "problems": [{"problem": "甲", "part": "fail"}, {"problem": "乙", "part": "pass"}],
}


def page(
    app: Flask, answers: Mapping[str, Any], errors: Mapping[str, Text] | None = None, **data: Any
) -> html.HtmlElement:
    with app.test_request_context():
        return html.fromstring(
            render_template_string(PAGE, forms=FORMS, answers=answers, errors=errors or {}, data=data)
        )


def test_what_a_page_shows_comes_back_the_same(app: Flask) -> None:
    shelf = Shelf("licence.pdf", "one.png", "two.png")
    shown = page(app, {"page": ANSWERS})
    posted = [(name, value) for name, value in shown.form_values() if name.startswith("page.")]
    assert read(posted, shelf=shelf) == (ANSWERS, {})


def test_a_fresh_page_asks_every_question_and_answers_none(app: Flask) -> None:
    shown = page(app, {})
    named = {element.get("name") for element in shown.iter("input", "textarea", "select")}
    assert named >= {f"page.{key}" for key in ("company", "remarks", "days", "on", "result", "kind", "proof", "why")}
    assert not [value for _, value in shown.form_values() if value.strip()]


def test_each_error_stands_at_its_question_and_links_to_it(app: Flask) -> None:
    errors = {
        "page.problems.1.problem": Text("请填写“具体问题”。"),
        "page.result": Text("请选择“审核结论”。"),
        "page.company": Text("请填写“企业名称”。"),
        "page.problems": Text("请至少填写一项。"),
        "page": Text("两项不能相同。"),
    }
    shown = page(app, {"page": ANSWERS}, errors)
    links = shown.find_class("govuk-error-summary")[0].findall(".//a")
    assert [link.get("href") for link in links] == [
        "#page",
        "#page.company",
        "#page.result",
        "#page.problems",
        "#page.problems.1.problem",
    ]
    for link in links:
        target = shown.get_element_by_id(str(link.get("href"))[1:])
        assert target is not None
        assert shown.text_content().count(link.text_content()) == 2


def test_a_question_under_a_simple_condition_tells_it_in_words_and_to_the_script(app: Flask) -> None:
    shown = page(app, {})
    (asked,) = (element for element in shown.find_class("app-question") if element.get("data-show-if"))
    assert asked.get("data-show-if") == "page.result"
    assert json.loads(asked.get("data-show-values") or "") == ["fail"]
    assert asked.find_class("app-condition")[0].text_content() == "“审核结论”为“不符合要求”时填写"


def test_a_question_decided_by_earlier_answers_is_there_or_not(app: Flask) -> None:
    field = {
        "type": "textfield",
        "id": "b",
        "key": "b_city",
        "label": "B市",
        "properties": {"visible_if": "application.scenario == 'connected'"},
    }
    forms = forms_of(field)
    with app.test_request_context():
        for scenario, there in (("connected", True), ("first", False)):
            data = {"application": {"scenario": scenario}}
            text = render_template_string(PAGE, forms=forms, answers={}, errors={}, data=data)
            assert ("page.b_city" in text) is there


def test_a_read_only_answer_is_shown_and_not_asked(app: Flask) -> None:
    field = {
        "type": "select",
        "id": "c",
        "key": "city",
        "label": "A市",
        "values": CHOICES,
        "properties": {"readonly_if": "defined(review)"},
    }
    data = {"page": {"city": "fail"}, "review": {"result": "fail"}}
    with app.test_request_context():
        text = render_template_string(PAGE, forms=forms_of(field), answers={}, errors={}, data=data)
    assert "不符合要求" in text
    assert 'name="page.city"' not in text


def test_enter_hands_a_page_in_rather_than_adding_to_a_list(app: Flask) -> None:
    assert page(app, {}).find(".//button").get("name") is None


def test_answers_are_read_out_with_their_labels(app: Flask) -> None:
    template = '{% from "forms/answers.html" import render_answers %}<div>{{ render_answers(form, data) }}</div>'
    with app.test_request_context():
        shown = html.fromstring(render_template_string(template, form=FORMS[0], data={"page": ANSWERS}))
    read_out = str(shown.xpath("string()"))
    for text in (
        "企业名称",
        '甲 "乙" <b>公司</b>',
        "审核结论",
        "不符合要求",
        "2026-09-22",
        "存在的问题",
        "licence.pdf",
    ):
        assert text in read_out
    assert {link.get("href") for link in shown.iter("a")} >= {"/files/licence", "/files/one", "/files/two"}
