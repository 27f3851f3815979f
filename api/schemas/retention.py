"""Retention: periods, what is gone, holds and requests for erasure."""

from marshmallow import fields

from api.schemas.base import Moment, PageQuery, Schema, Text, Truth, page_of


class PeriodSchema(Schema):
    """How long one kind of data is kept after a case was closed."""

    kind = fields.String(required=True)
    months = fields.Integer(required=True)
    purpose_zh = fields.String(required=True)
    purpose_en = fields.String(required=True)
    article = fields.String(required=True)


class PeriodListSchema(Schema):
    """All periods."""

    items = fields.List(fields.Nested(PeriodSchema), required=True)


class ErasureSchema(Schema):
    """One kind of data of a case is gone."""

    kind = fields.String(required=True)
    at = Moment(required=True)
    why = fields.String(required=True)


class HoldSchema(Schema):
    """Data that must stay."""

    id = fields.UUID(required=True)
    reason = fields.String(required=True)
    set_at = Moment(required=True)
    lifted_at = Moment(required=True, allow_none=True)


class ErasureRequestSchema(Schema):
    """Somebody asked that their data be erased."""

    id = fields.UUID(required=True)
    case_id = fields.UUID(required=True)
    state = fields.String(required=True, metadata={"description": "open, granted or refused"})
    reason = fields.String(required=True)
    asked_at = Moment(required=True)
    answer = fields.String(required=True, allow_none=True)
    decided_at = Moment(required=True, allow_none=True)


class CaseRetentionSchema(Schema):
    """What is gone of a case, and what keeps the rest."""

    erased = fields.List(fields.Nested(ErasureSchema), required=True)
    kept_because = fields.String(required=True, allow_none=True)
    holds = fields.List(fields.Nested(HoldSchema), required=True)
    requests = fields.List(fields.Nested(ErasureRequestSchema), required=True)


class RequestQuery(PageQuery):
    """Which requests."""


ErasureRequestPage = page_of(ErasureRequestSchema, "ErasureRequest")


class WhySchema(Schema):
    """A reason, 5 to 400 characters."""

    reason = Text(400, required=True)


class DecisionSchema(Schema):
    """The answer to a request for erasure."""

    grant = Truth(required=True)
    answer = Text(400, required=True, metadata={"description": "The answer to the person, with its ground."})
