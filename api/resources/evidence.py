"""Files laid before a case."""

import io
from typing import Any
from uuid import UUID

from flask import Response, request, send_file
from werkzeug.exceptions import UnprocessableEntity

from api import audited
from api.edge import caller, clock, needs, read_session, settings, write_session
from api.resources.blueprint import Resources
from api.schemas.cases import EvidenceFormSchema, EvidenceSchema, SharingSchema
from disputes.cases import operations, queries
from disputes.cases.models import Evidence

resources = Resources("evidence", __name__, "Files laid before a case")

#: How the description shows a file in a form.
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "Picture, PDF, sound or video.",
                        }
                    },
                }
            }
        },
    }
}


@resources.route("/cases/<reference>/evidence", methods=("POST",))
@needs("evidence.add")
@resources.arguments(EvidenceFormSchema, location="query")
@resources.response(201, EvidenceSchema)
@resources.doc(**_UPLOAD)
def add(given: dict[str, Any], reference: str) -> Evidence:
    """Lay a file before the case. The same file twice is one piece of evidence."""
    file = request.files.get("file")
    if file is None or set(request.files) != {"file"} or request.form.keys() - {"idempotency_key", "csrf_token"}:
        raise UnprocessableEntity("Send one file in the field 'file' of a multipart/form-data body.")
    session = write_session()
    case = queries.find(session, reference, caller())
    return operations.add_evidence(
        session,
        case,
        name=file.filename or "",
        content=file.stream.read(),
        **given,
        files=settings().files,
        by=caller(),
        now=clock(),
    )


@resources.route("/evidence/<uuid:evidence_id>")
@needs("evidence.read")
@resources.response(200, content_type="application/octet-stream", description="The file, as it was laid down.")
def read(evidence_id: UUID) -> Response:
    """Open a file. It is served for download: nothing that a party laid down is shown as a page of ours."""
    evidence, content = operations.read_evidence(read_session(), evidence_id, files=settings().files, by=caller())
    audited.opened(evidence)
    response = send_file(
        io.BytesIO(content), mimetype=evidence.mime, as_attachment=True, download_name=evidence.name
    )
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@resources.route("/evidence/<uuid:evidence_id>/sharing", methods=("PUT",))
@needs("evidence.add")
@resources.arguments(SharingSchema)
@resources.response(200, EvidenceSchema)
def share(wanted: dict[str, list[str]], evidence_id: UUID) -> Evidence:
    """Change who may open a file; its owner's and the office's act."""
    return operations.share(write_session(), evidence_id, wanted["visible_to"], by=caller())
