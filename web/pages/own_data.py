"""导出我的数据: what is kept of oneself, and for account managers of their organisation, as a zip."""

import tempfile

from flask import Blueprint, Response, render_template, request, send_file

from engine import clock
from engine.privacy.export import of_organisation, of_person, write_zip
from web import limits
from web.proof import proof_needed
from web.session import current_actor, runtime

blueprint = Blueprint("own_data", __name__, url_prefix="/account/data")

IN_MEMORY = 4 * 1024 * 1024  # bytes; what is larger waits on disk


@blueprint.get("")
@proof_needed
def show() -> str:
    return render_template("account/data.html", manages=current_actor().manages)


@blueprint.post("")
@proof_needed
def download() -> Response:
    """Raises NotFound where somebody who manages no accounts asks for the organisation's."""
    actor, definitions = current_actor(), runtime().definitions
    limits.count("export", limits.EXPORTS)
    of_whole = request.form.get("of") == "organisation"
    with runtime().database.write() as writing:
        if of_whole:
            export = of_organisation(writing, definitions, actor.organisation_id, actor, clock.now())
        else:
            export = of_person(writing, definitions, actor.account_id, actor, clock.now())
    archive = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  (closed with the response)
    write_zip(export, runtime().files, archive)
    archive.seek(0)
    name = "organisation-data.zip" if of_whole else "my-data.zip"
    response = send_file(archive, mimetype="application/zip", as_attachment=True, download_name=name)
    response.call_on_close(archive.close)
    response.headers["Cache-Control"] = "private, no-store"
    return response
