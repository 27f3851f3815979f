"""History: events across cases, the event log for mining, conformance."""

from marshmallow import fields

from api.schemas.base import Moment, PageQuery, Schema, Text, page_of


class HistoryQuery(PageQuery):
    """Which events, newest first."""

    case_no = Text(40)
    kind = Text(60, metadata={"description": "`task.completed`, or a whole area: `task.*`."})
    process = Text(200)
    element = Text(200)
    by = Text(200, metadata={"description": "`person:<id>` of somebody who holds an office, or `system`."})
    since = Moment()
    until = Moment(metadata={"description": "Not included."})


class HistoryEventSchema(Schema):
    """One event of one case."""

    at = Moment(required=True)
    number = fields.Integer(required=True)
    case_no = fields.String(required=True)
    kind = fields.String(required=True)
    process = fields.String(required=True)
    element = fields.String(required=True)
    by = fields.String(required=True, metadata={"description": "`party` for anybody without an office."})
    who = fields.String(required=True, metadata={"description": "Staff by name; else empty."})


HistoryEventPage = page_of(HistoryEventSchema, "HistoryEvent")


class OcelQuery(Schema):
    """Which events are exported."""

    since = Moment()
    until = Moment(metadata={"description": "Not included."})
    office_id = fields.UUID()


class DeviationSchema(Schema):
    """One place at which a case left its release."""

    kind = fields.String(required=True, metadata={"description": "chain, by_hand, course or unreadable"})
    number = fields.Integer(required=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)


class ConformanceSchema(Schema):
    """How a case follows its release."""

    case_no = fields.String(required=True)
    conforms = fields.Boolean(required=True)
    fitness = fields.Float(required=True, allow_none=True, metadata={"description": "Share of its steps, 0 to 1."})
    deviations = fields.List(fields.Nested(DeviationSchema), required=True)
