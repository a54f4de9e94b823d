"""Words made to do harm in whoever's browser shows them: for every field of every form, for all that a diagram says.

Each calls `xss()`, which a test listens to, and asks a template engine for a sum. A field that is new in a form file
gets its words by itself.
"""

import copy
from collections.abc import Mapping
from typing import Any

from lxml import etree

from engine.definitions.cleaning import clean
from engine.definitions.fields import LIST, Field, Form

SUM = str(1337 * 1337)  # which only stands on a page if one was worked out
MARKUP = '"><img src=x onerror=xss()>'
NAMED = f"某{MARKUP}{{{{1337*1337}}}}"  # for a person or an organisation: 60 characters at most
_SHORT = MARKUP + "{{1337*1337}}"
_LONG = (
    "'--></script></textarea></title></style><script>xss()</script><svg/onload=xss()><a href=javascript:xss()>"
    "' autofocus onfocus='xss()' \" autofocus onfocus=\"xss()\" &lt;script&gt;xss()&lt;/script&gt; "
    "${1337*1337} #{1337*1337} <%= 1337*1337 %> {% print(1337*1337) %} %(markup)s \\u003cscript>xss()\\u003c/script>"
)
_ADDRESS = "https://x.example/'autofocus/onfocus='xss()'//{{1337*1337}}${1337*1337}#'onmouseover=xss()"
_FILE = "{number}'autofocus onfocus=xss() x='&lt;img src=x onerror=xss()&gt;{{{{1337*1337}}}}{ending}"

_SAID = ("name", "wf:name_en", "wf:outcome", "wf:outcome_en", "wf:menu", "wf:menu_en")  # in a diagram, to people
_WORDS = ("title", "label", "description", "text", "dateLabel", "message")  # in a form file, to people

Samples = Mapping[str, Mapping[str, Any]]  # form → answers


def answers(forms: Mapping[str, Form], written: Samples) -> dict[str, dict[str, Any]]:
    """A page's answers, with words that do harm in place of every text and file name that a sample has, and in every
    text that it leaves out."""
    return {name: _filled(forms[name].questions, name, given) for name, given in written.items()}


def planted(forms: Mapping[str, Form]) -> dict[str, str]:
    """Path of each text field of each form → the words that go into it."""
    return {
        f"{name}.{path}": words
        for name, form in forms.items()
        for path, field in _texts(form.questions)
        if (words := _words(field, f"{name}.{path}"))
    }


def _texts(fields: tuple[Field, ...], above: str = "") -> list[tuple[str, Field]]:
    inner = [found for field in fields if field.type == LIST for found in _texts(field.fields, f"{field.key}.")]
    return [(above + field.key, field) for field in fields if field.type in ("textfield", "textarea")] + inner


def _filled(fields: tuple[Field, ...], above: str, given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        field.key: value
        for field in fields
        if (value := _value(field, f"{above}.{field.key}", given.get(field.key))) is not None
    }


def _value(field: Field, path: str, given: Any) -> Any:
    if field.type in ("textfield", "textarea"):
        return _words(field, path) or given
    if field.type == LIST and given:
        return [_filled(field.fields, path, item) for item in given]
    if field.type == "filepicker" and given:
        files = [file_named(path, one["file"]) for one in (given if isinstance(given, list) else [given])]
        return files if isinstance(given, list) else files[0]
    return given


def file_named(path: str, name: str) -> dict[str, str]:
    """A file to hand in, as a sample writes it."""
    return {"file": _FILE.format(number=_number(path), ending=name[name.rindex(".") :])}


def _words(field: Field, path: str) -> str | None:
    """The worst words that a field takes, with its own number among them; None where it takes none of them."""
    number = _number(path)
    offered = (f"{number}{_LONG}{_SHORT}", f"{number}{_SHORT}", f"{number}{MARKUP}", f"{_ADDRESS}{number}")
    return next((words for words in offered if clean(field, words).value == words), None)


def _number(path: str) -> str:
    """The same for each field in every run, and another for another one."""
    return f"{sum((place + 7) * ord(c) for place, c in enumerate(path)):x}"


def diagram(xml: bytes) -> bytes:
    """A diagram whose every name, outcome, note and documentation does harm."""
    root = etree.fromstring(xml)
    namespaces = {key: value for key, value in root.nsmap.items() if key}
    for element in root.iter("{*}*"):
        kind = etree.QName(element).localname
        if kind in ("documentation", "text"):
            element.text = (element.text or "") + MARKUP
        elif kind not in ("param", "message", "signal", "property"):  # whose names are for the engine
            for said in _SAID:
                prefix, _, name = said.rpartition(":")
                key = f"{{{namespaces[prefix]}}}{name}" if prefix else name
                if said_so_far := element.get(key):
                    element.set(key, said_so_far + MARKUP)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def form_files(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Form files whose every title, label, hint and sentence does harm."""
    return {name: _said(copy.deepcopy(schema)) for name, schema in schemas.items()}


def _said(part: Any) -> Any:
    if isinstance(part, list):
        return [_said(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: value + MARKUP if isinstance(value, str) and key.partition("_en")[0] in _WORDS else _said(value)
        for key, value in part.items()
    }
