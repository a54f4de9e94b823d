"""From what a browser posts to answers, without any JavaScript on its side.

A field is named `form.field`; those of a list's items `form.list.0.sub`. A file goes to the store at once, as a
draft, and its id travels with the page from then on (`form.field.file_id`), so that a refused page loses no upload.
The buttons `_add` and `_remove` carry the path of what to add an item to, or to take away; `_upload` comes with the
files of one field, which a script sends as soon as they are chosen.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from werkzeug.datastructures import FileStorage, MultiDict

from engine.clock import SHANGHAI
from engine.definitions.fields import LIST, Field, Form
from engine.definitions.validation import validate
from engine.errors import FormRefused, Refusal
from engine.people.throttling import TooOften
from engine.text import Text
from web import samples
from web.session import now
from web.uploads import find, store

Answers = dict[str, dict[str, Any]]
FileValue = dict[str, Any]  # file_id, name, size (bytes), sha256
StoreUpload = Callable[[Field, FileStorage], FileValue]  # raises Refusal
FindFiles = Callable[[Collection[str]], Mapping[str, FileValue]]  # those of the ids that the sender may hand in

_LOST = Text("找不到之前上传的附件，请重新上传。", "The file uploaded before can't be found; upload it again.")
_FILE_ID = ".file_id"


def read_answers(
    forms: Sequence[Form],
    posted: MultiDict[str, str],
    files: MultiDict[str, FileStorage],
    store_upload: StoreUpload = store,
    find_files: FindFiles = find,
) -> tuple[Answers, dict[str, Text]]:
    """The answers of a page as `validate` takes them, and what is wrong with uploads, by path.

    Added and removed items, and a trial's samples (`is_editing`), are taken into account already. An upload that is
    refused leaves the file that was there before.
    """
    reader = _Reader(posted, files, store_upload, find_files)
    answers = {form.name: reader.fields(form.questions, form.name) for form in forms}
    if addition := posted.get("_add"):
        _add(answers, addition)
    if removal := posted.get("_remove"):
        _remove(answers, removal)
    if pressed := posted.get("_sample"):
        samples.fill_in(answers, pressed)
    return answers, reader.errors


def is_editing(posted: Mapping[str, str]) -> bool:
    """Whether a button was pressed within the form or a script sent a file: the page is shown again, not handed in."""
    return any(button in posted for button in ("_add", "_remove", "_sample", "_upload"))


def refused_with(
    lost: Mapping[str, Text], forms: Sequence[Form], answers: Answers, data: Mapping[str, Any]
) -> FormRefused:
    """A page whose uploads were refused, with whatever else is wrong on it, so that it all is said at once."""
    errors: dict[str, Text] = {}
    try:
        validate(forms, answers, data, functions={"today": lambda: now().astimezone(SHANGHAI).date().isoformat()})
    except FormRefused as refused:
        errors = refused.errors
    return FormRefused({**errors, **lost})


class _Reader:
    def __init__(
        self,
        posted: MultiDict[str, str],
        files: MultiDict[str, FileStorage],
        store_upload: StoreUpload,
        find_files: FindFiles,
    ) -> None:
        self.posted = posted
        self.files = files
        self.store_upload = store_upload
        kept = {id_ for name in posted if name.endswith(_FILE_ID) for id_ in posted.getlist(name)}
        self.known = find_files(kept) if kept else {}
        self.errors: dict[str, Text] = {}

    def fields(self, fields: Sequence[Field], name: str) -> dict[str, Any]:
        read = ((field.key, self.value(field, f"{name}.{field.key}")) for field in fields)
        return {key: value for key, value in read if key and value is not None}

    def value(self, field: Field, name: str) -> Any:
        match field.type:
            case "checklist":
                return self.posted.getlist(name)
            case "checkbox":
                return name in self.posted
            case "filepicker":
                return self.file(field, name)
            case _ if field.type == LIST:
                return self.items(field, name)
        return self.posted.get(name)

    def items(self, field: Field, name: str) -> list[dict[str, Any]]:
        """In the order of their numbers, which may have gaps."""
        numbered = re.compile(re.escape(name) + r"\.([0-9]{1,4})\.")
        numbers = sorted({int(match[1]) for match in map(numbered.match, self.posted) if match})
        return [self.fields(field.fields, f"{name}.{number}") for number in numbers]

    def file(self, field: Field, name: str) -> FileValue | list[FileValue] | None:
        ids = self.posted.getlist(name + _FILE_ID)
        kept = [self.known[id_] for id_ in ids if id_ in self.known]
        if len(kept) < len(ids):
            self.errors[name] = _LOST
        fresh = []
        for upload in self.files.getlist(name):
            if upload.filename:
                try:
                    fresh.append(self.store_upload(field, upload))
                except TooOften:  # about the person, not about this file
                    raise
                except Refusal as refusal:
                    self.errors[name] = refusal.text
        if field.multiple:
            return kept + fresh
        return next(iter([*fresh, *kept]), None)


def _add(answers: Answers, path: str) -> None:
    form, _, key = path.partition(".")
    items = answers.get(form, {}).get(key)
    if isinstance(items, list):
        items.append({})


def _remove(answers: Answers, path: str) -> None:
    *way, last = path.split(".")
    place: Any = answers
    for step in way:
        place = _at(place, step)
    if isinstance(place, list) and last.isdecimal() and int(last) < len(place):
        del place[int(last)]
    elif isinstance(place, dict) and len(way) > 0:
        place.pop(last, None)


def _at(place: Any, step: str) -> Any:
    if isinstance(place, list):
        return place[int(step)] if step.isdecimal() and int(step) < len(place) else None
    return place.get(step) if isinstance(place, dict) else None
