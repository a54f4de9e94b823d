"""Opening an uploaded file."""

from flask import Blueprint, Response, send_file

from engine.runtime.attachments import readable_file
from web.session import current_actor, now, runtime

blueprint = Blueprint("files", __name__)


@blueprint.get("/files/<file_id>")
def download(file_id: str) -> Response:
    with runtime().database.read() as reading:
        file = readable_file(reading, runtime().definitions, file_id, current_actor(), now())
    # Always saved, never shown: what strangers upload must not run as a page of this site.
    response = send_file(
        runtime().files.open(file.sha256),
        mimetype=file.media_type,
        as_attachment=True,
        download_name=file.name,
        etag=False,
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store"
    return response
