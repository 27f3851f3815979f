"""Papers: decisions, notices and agreements as PDF."""

from marshmallow import fields

from api.schemas.base import Day, Moment, Schema, Text


class PaperSchema(Schema):
    """One paper, without its content."""

    id = fields.UUID(required=True)
    number = fields.String(required=True)
    kind = fields.String(required=True)
    dated_on = Day(required=True)
    issued_at = Moment(required=True)
    verification_code = fields.String(required=True)
    digest = fields.String(required=True, metadata={"description": "SHA-256 of the PDF."})
    withdrawn_at = Moment(required=True, allow_none=True)


class PaperListSchema(Schema):
    """The papers of a case, the newest first."""

    items = fields.List(fields.Nested(PaperSchema), required=True)


class VerifyQuery(Schema):
    """The code on a print."""

    code = Text(40, required=True)


class VerifiedSchema(Schema):
    """What a print's code says: enough to compare, nothing that is not on the print."""

    number = fields.String(required=True)
    kind = fields.String(required=True)
    dated_on = Day(required=True)
    digest = fields.String(required=True)
    in_force = fields.Boolean(required=True)
