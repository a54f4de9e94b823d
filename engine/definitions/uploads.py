"""What an analyst hands in: a diagram and form files, one by one or as a zip, and a version as such a zip again."""

import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NoReturn

from engine.definitions import diagrams
from engine.definitions.diagrams import BPMN, WF, DiagramUnreadable
from engine.errors import Invalid
from engine.text import Text

MAX_BYTES = 5_000_000  # of everything handed in at once, and again of everything unpacked
MAX_FILES = 300


class UploadRefused(Invalid):
    """The files can't be read as a diagram with forms; nothing was stored."""

    sentence = Text("上传的文件无法使用：{reason}", "The files can't be used: {reason}")


@dataclass(frozen=True, slots=True)
class Package:
    """A diagram (None: the one in force is to stay) and form files by name."""

    diagram: bytes | None
    forms: Mapping[str, Any]


def unpack(files: Sequence[tuple[str, bytes]]) -> Package:
    """Sort the uploaded files (name, content) into diagram and forms. Raises UploadRefused."""
    if sum(len(content) for _, content in files) > MAX_BYTES:
        _refuse(f"总大小超过 {MAX_BYTES // 1_000_000} MB。", f"they have over {MAX_BYTES // 1_000_000} MB together.")
    diagrams_found: list[bytes] = []
    forms: dict[str, Any] = {}
    for name, content in _unzipped(files):
        path = PurePosixPath(name.replace("\\", "/"))
        if path.suffix.lower() == ".bpmn":
            diagrams_found.append(content)
        elif path.stem in forms:
            _refuse(f"表单“{path.stem}”有两个文件，请只留一个。", f"there are two files of the form “{path.stem}”.")
        else:
            forms[path.stem] = _form(path.name, content)
    if len(diagrams_found) > 1:
        _refuse(
            f"有 {len(diagrams_found)} 个流程图，一次只能上传一个 .bpmn 文件。",
            f"there are {len(diagrams_found)} diagrams; upload one .bpmn file at a time.",
        )
    if not diagrams_found and not forms:
        _refuse(
            "请选择 .bpmn 流程图、.json 表单，或包含它们的 .zip。", "choose a .bpmn diagram, .json forms or a .zip."
        )
    return Package(diagrams_found[0] if diagrams_found else None, forms)


def completed(package: Package, diagram: bytes | None, forms: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """The package with what it leaves out taken over from an earlier version, which has `diagram` and `forms`.

    Forms that nothing refers to any more are left behind. Raises UploadRefused where there is no diagram at all.
    """
    chosen = package.diagram if package.diagram is not None else diagram
    if chosen is None:
        _refuse("没有 .bpmn 流程图文件，请一并上传。", "there is no .bpmn diagram among them; add it.")
    wanted = _forms_named_in(chosen)
    taken = dict(package.forms)
    waiting = list(wanted | _referred_to(package.forms))
    while waiting:
        name = waiting.pop()
        if name not in taken and name in forms:
            taken[name] = forms[name]
            waiting += _referred_to({name: forms[name]})
    return chosen, taken


def packed(process_id: str, diagram: bytes, forms: Mapping[str, Any]) -> bytes:
    """A version as a zip that can be edited, uploaded again, or unpacked into a folder of bpmn/."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(f"{process_id}.bpmn"), diagram, zipfile.ZIP_DEFLATED)
        for name, schema in sorted(forms.items()):
            text = json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
            archive.writestr(zipfile.ZipInfo(f"forms/{name}.json"), text.encode(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _unzipped(files: Iterable[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """The files, a zip replaced by the diagrams and forms in it (other files in it are passed over)."""
    found: list[tuple[str, bytes]] = []
    for name, content in files:
        suffix = PurePosixPath(name).suffix.lower()
        if suffix == ".zip":
            found += _members(name, content)
        elif suffix in {".bpmn", ".json"}:
            found.append((name, content))
        else:
            _refuse(
                f"“{name}”不是 .bpmn、.json 或 .zip 文件。", f"“{name}” is neither a .bpmn nor a .json nor a .zip file."
            )
    return found


def _members(name: str, content: bytes) -> list[tuple[str, bytes]]:
    left = MAX_BYTES
    found = []
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [member for member in archive.infolist() if _is_ours(member.filename)]
            if len(members) > MAX_FILES:
                _refuse(f"“{name}”里的文件超过 {MAX_FILES} 个。", f"“{name}” holds more than {MAX_FILES} files.")
            for member in members:
                if member.flag_bits & 1:
                    _refuse(f"“{name}”有密码，请去掉密码。", f"“{name}” is locked with a password; remove it.")
                # What the archive says of its sizes is not to be trusted: never read more than what is left.
                with archive.open(member) as stream:
                    data = stream.read(left + 1)
                left -= len(data)
                if left < 0:
                    _refuse(
                        f"“{name}”解压后超过 {MAX_BYTES // 1_000_000} MB。",
                        f"“{name}” has over {MAX_BYTES // 1_000_000} MB when unpacked.",
                    )
                found.append((member.filename, data))
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
        NotImplementedError,
    ):
        _refuse(f"“{name}”不是完好的 zip 文件，请重新压缩。", f"“{name}” is damaged or no zip file; make it again.")
    return found


def _is_ours(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not name.endswith("/") and not hidden and path.suffix.lower() in {".bpmn", ".json"}


def _form(name: str, content: bytes) -> Any:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        _refuse(f"“{name}”不是 UTF-8 编码，请另存为 UTF-8。", f"“{name}” is not in UTF-8; save it as UTF-8.")
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as problem:
        where = f"第 {problem.lineno} 行" if isinstance(problem, json.JSONDecodeError) else ""
        where_en = f" near line {problem.lineno}" if isinstance(problem, json.JSONDecodeError) else ""
        _refuse(f"“{name}”{where}不是有效的 JSON。", f"“{name}” is not valid JSON{where_en}.")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are no JSON, and no database would keep them


def _forms_named_in(diagram: bytes) -> set[str]:
    try:
        root = diagrams.parse_xml(diagram)
    except DiagramUnreadable:
        return set()  # the gate says what is wrong with it
    return {
        name
        for element in root.iter()
        if isinstance(element.tag, str) and element.tag.startswith(f"{{{BPMN}}}")
        for attribute in ("form", "shows")
        for name in (element.get(f"{{{WF}}}{attribute}") or "").split()
    }


def _referred_to(forms: Mapping[str, Any]) -> set[str]:
    """Forms that others take their options from (`options_from`), wherever in a file that stands."""
    names: set[str] = set()
    waiting: list[Any] = list(forms.values())
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(sources := value.get("options_from"), str):
                names |= set(sources.split())
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return names


def _refuse(zh: str, en: str) -> NoReturn:
    raise UploadRefused(reason=Text(zh, en))
