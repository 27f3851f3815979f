"""The audit."""

from marshmallow import fields

from api.schemas.base import Moment, PageQuery, Schema, Text, page_of


class AuditQuery(PageQuery):
    """Which events of the audit."""

    chain = Text(80)
    action = Text(60, metadata={"description": "`identity.signed_in`, or a whole area: `identity.*`."})
    by = Text(120)
    since = Moment()
    until = Moment(metadata={"description": "Not included."})


class AuditEventSchema(Schema):
    """One act or one look."""

    id = fields.Integer(required=True)
    chain = fields.String(required=True)
    number = fields.Integer(required=True)
    at = Moment(required=True)
    by = fields.String(required=True)
    action = fields.String(required=True)
    facts = fields.Dict(required=True, allow_none=True, metadata={"description": "Null once erased."})
    digest = fields.String(required=True)
    erased_at = Moment(required=True, allow_none=True)


AuditPage = page_of(AuditEventSchema, "AuditEvent")


class ChainBreakSchema(Schema):
    """Where a chain does not fit."""

    chain = fields.String(required=True)
    number = fields.Integer(required=True)
    why = fields.String(required=True)


class VerdictSchema(Schema):
    """What a verification has read and found."""

    chains = fields.Integer(required=True)
    events = fields.Integer(required=True)
    broken = fields.List(fields.Nested(ChainBreakSchema), required=True)
