"""流程定义: versions of each process, what runs on them, handing in a changed diagram, putting a version in force."""

from contextlib import closing

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from lxml import etree
from werkzeug.wrappers import Response as AnyResponse

from engine.definitions import diagrams
from engine.definitions.cleaning import tidy
from engine.definitions.deployment import DeploymentRefused, get_version, put_in_force
from engine.definitions.findings import Finding, Severity
from engine.definitions.review import hand_in, review
from engine.definitions.uploads import MAX_BYTES, UploadRefused, packed
from engine.errors import Refusal
from engine.people.access import Action, may, require
from engine.reading.versions_in_use import instances_on, processes, version_line
from web.receiving import takes_files
from web.session import current_actor, now, runtime

blueprint = Blueprint("definitions", __name__)


@blueprint.get("/definitions")
def listed() -> str:
    actor = current_actor()
    with runtime().database.read() as reading:
        found = processes(reading, actor)
    return render_template("definitions/list.html", processes=found, may_deploy=may(actor, Action.DEPLOY))


@blueprint.get("/definitions/upload")
def upload() -> str:
    require(current_actor(), Action.DEPLOY)
    return _upload_page(request.args.get("process", "")[:100])


@blueprint.post("/definitions/upload")
@takes_files()
def check() -> AnyResponse | tuple[str, int]:
    """First step: check, and keep what passes as a version that is not in force. Confirming it is a step of its own."""
    actor = current_actor()
    require(actor, Action.DEPLOY)
    process_id, note = request.form.get("process", "")[:100], tidy(request.form.get("note", "")[:500], lines=False)
    try:
        with runtime().database.write() as session:
            version, is_new = hand_in(
                session,
                _uploaded(),
                process_id=process_id,
                handlers=runtime().handlers,
                by=actor.account_id,
                now=now(),
                note=note,
            )
            version_id = version.id
    except UploadRefused as refused:
        return _upload_page(process_id, note, refusal=refused), 422
    except DeploymentRefused as refused:
        return _upload_page(process_id, note, findings=refused.findings, drawing=_drawable(refused.diagram)), 422
    if is_new:
        flash(gettext("检查通过，已保存为新版本，尚未启用。请核对改动后启用。"), "success")
    else:
        flash(gettext("上传的内容与这个版本完全相同，没有另存新版本。"), "success")
    return redirect(url_for("definitions.show", version_id=version_id))


@blueprint.get("/definitions/<version_id>")
def show(version_id: str) -> str:
    actor = current_actor()
    with runtime().database.read() as reading:
        line = version_line(reading, version_id, actor)
        return render_template(
            "definitions/version.html",
            line=line,
            review=review(reading, version_id, runtime().handlers),
            instances=instances_on(reading, version_id, actor, page=request.args.get("page", 1, int)),
            may_deploy=may(actor, Action.DEPLOY),
        )


@blueprint.post("/definitions/<version_id>/in-force")
def put_version_in_force(version_id: str) -> AnyResponse:
    """Second step, and the way back to an older version."""
    actor = current_actor()
    require(actor, Action.DEPLOY)
    with runtime().database.write() as session:
        version = put_in_force(session, version_id, now(), by=actor.account_id)
        number = version.number
    flash(gettext("第 %(number)s 版已启用，新的申请将按它办理；正在办理的申请不受影响。", number=number), "success")
    return redirect(url_for("definitions.show", version_id=version_id))


@blueprint.get("/definitions/<version_id>/files.zip")
def download(version_id: str) -> Response:
    require(current_actor(), Action.SEE_VERSIONS)
    with runtime().database.read() as reading:
        version = get_version(reading, version_id)
        content = packed(version.process_id, version.diagram, version.forms)
        name = f"{version.process_id}-v{version.number}.zip"
    return _attachment(content, name, "application/zip")


@blueprint.get("/versions/<version_id>/diagram.bpmn")
def diagram(version_id: str) -> Response:
    """For anybody logged in: the rules of the process are no secret. `?download=1` saves it as a file."""
    with runtime().database.read() as reading:
        version = get_version(reading, version_id)
        content, name = version.diagram, f"{version.process_id}-v{version.number}.bpmn"
    if request.args.get("download"):
        return _attachment(content, name, "application/xml")
    return Response(content, mimetype="application/xml")


def _upload_page(
    process_id: str,
    note: str = "",
    *,
    refusal: Refusal | None = None,
    findings: list[Finding] | None = None,
    drawing: str | None = None,
) -> str:
    return render_template(
        "definitions/upload.html",
        process_id=process_id,
        note=note,
        refusal=refusal,
        findings=findings or [],
        errors=[finding for finding in findings or [] if finding.severity is Severity.ERROR],
        drawing=drawing,
        max_megabytes=MAX_BYTES // 1_000_000,
    )


def _uploaded() -> list[tuple[str, bytes]]:
    """Name and content of each file; of one that is too big, one byte more than is allowed."""
    found = []
    for file in request.files.getlist("files"):
        with closing(file):
            if file.filename:
                found.append((file.filename, file.stream.read(MAX_BYTES + 1)))
    return found


def _drawable(diagram: bytes) -> str | None:
    """The refused diagram as text for the page to draw, where it has anything to draw."""
    try:
        root = diagrams.parse_xml(diagram)
    except Refusal:
        return None
    return etree.tostring(root, encoding="unicode") if root.find(".//{*}BPMNPlane") is not None else None


def _attachment(content: bytes, name: str, mimetype: str) -> Response:
    response = Response(content, mimetype=mimetype)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
