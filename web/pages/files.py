"""Opening an uploaded file, and looking at it without opening it."""

from base64 import b64encode

from flask import Blueprint, Response, make_response, render_template, request, send_file

from engine.errors import NotFound
from engine.files import StoredFile
from engine.files.previewing import NoPreview, draw, has_preview
from engine.reading.attachments import readable_file
from web.language import language
from web.session import current_actor, now, runtime

blueprint = Blueprint("files", __name__)
blueprint.add_app_template_test(has_preview, "previewed")


@blueprint.get("/files/<file_id>")
def download(file_id: str) -> Response:
    file = _file(file_id)
    # Always saved, never shown: what strangers upload must not run as a page of this site.
    response = send_file(
        runtime().files.open(file.sha256),
        mimetype=file.media_type,
        as_attachment=True,
        download_name=file.name,
        etag=False,
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.get("/files/<file_id>/preview")
def preview(file_id: str) -> Response:
    """A page of a PDF or a picture, to stand in a frame beside a form. Nothing of the file itself is on it, only what
    it looks like; and no script can run on it, whatever else should go wrong."""
    file = _file(file_id)
    if not has_preview(file.name):
        raise NotFound()
    number = request.args.get("page", 1, int)
    try:
        with runtime().files.open(file.sha256) as content:
            page = draw(content, number)
    except NoPreview as refusal:
        shown = render_template("files/preview.html", file=file, page=None, sentence=refusal.to(language()))
        response = make_response(shown, 422)
    else:
        picture = f"data:image/jpeg;base64,{b64encode(page.jpeg).decode()}"
        response = make_response(render_template("files/preview.html", file=file, page=page, picture=picture))
    # Of the same origin, or turning its pages would log the reader out: cookies stay away from a frame of no origin.
    response.headers["Content-Security-Policy"] = (
        "sandbox allow-same-origin; default-src 'none'; img-src data:; style-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'self'"
    )
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _file(file_id: str) -> StoredFile:
    with runtime().database.read() as reading:
        return readable_file(reading, runtime().definitions, file_id, current_actor(), now())
