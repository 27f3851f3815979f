"""The calendar and the time limits."""

from marshmallow import fields, validate

from api.schemas.base import Day, Schema, Text, Whole
from disputes.timelimits.calendar import ANNOUNCED_FROM, LAST_YEAR


class CalendarYearQuery(Schema):
    """Which year."""

    year = fields.Integer(required=True, validate=validate.Range(min=ANNOUNCED_FROM, max=LAST_YEAR))


class CalendarDaySchema(Schema):
    """One day."""

    date = Day(required=True)
    is_workday = fields.Boolean(required=True)
    name = fields.String(required=True)
    break_name = fields.String(required=True)
    source = fields.String(required=True)
    document_no = fields.String(required=True)
    status = fields.String(required=True, metadata={"description": "announced or provisional"})


class CalendarSchema(Schema):
    """One year."""

    year = fields.Integer(required=True)
    days = fields.List(fields.Nested(CalendarDaySchema), required=True)


class HolidayBreakSchema(Schema):
    """A holiday break, first and last day included."""

    name = Text(40, required=True)
    from_ = Day(required=True, data_key="from", attribute="from")
    to = Day(required=True)


class CalendarNoticeSchema(Schema):
    """What the State Council announces for a year."""

    year = Whole(ANNOUNCED_FROM, LAST_YEAR, required=True)
    breaks = fields.List(fields.Nested(HolidayBreakSchema), required=True, validate=validate.Length(min=1, max=30))
    workdays = fields.List(Day(), load_default=list, validate=validate.Length(max=60))
    source = Text(200, load_default="State Council")
    document_no = Text(100, load_default="", empty=True)


class ChangeSchema(Schema):
    """What a change of the calendar does."""

    days = fields.List(fields.Dict(), required=True, metadata={"description": "date, before, after"})
    moved = fields.List(
        fields.Dict(), required=True, metadata={"description": "Deadlines that end on another day."}
    )
    settled = fields.List(
        fields.Dict(), required=True, metadata={"description": "The same day, surer than before."}
    )


class LimitSchema(Schema):
    """One edition of a time limit."""

    id = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    kind = fields.String(required=True)
    bound = fields.String(required=True)
    amount = fields.Integer(required=True, allow_none=True)
    unit = fields.String(required=True, allow_none=True)
    roll = fields.String(required=True)
    region = fields.String(required=True)
    holds_from = Day(required=True, allow_none=True)
    holds_until = Day(required=True, allow_none=True)
    warn_after = fields.List(fields.Integer(), required=True)
    article = fields.String(required=True, allow_none=True)


class LimitListSchema(Schema):
    """The time limits of a release."""

    items = fields.List(fields.Nested(LimitSchema), required=True)


class DueQuery(Schema):
    """From when, with which pauses, by which edition."""

    start = Day(required=True)
    pause = fields.List(
        Text(30),
        load_default=list,
        validate=validate.Length(max=20),
        metadata={"description": "FROM/TO, repeatable"},
    )
    as_of = Day()
    region = Text(12)


class SkippedSchema(Schema):
    """A day that was not counted."""

    date = Day(required=True)
    why = fields.String(required=True)


class PauseSchema(Schema):
    """Days on which the clock stood still."""

    from_ = fields.String(required=True, data_key="from", attribute="from")
    to = fields.String(required=True, allow_none=True)
    why = fields.String(required=True)


class RolledSchema(Schema):
    """Why the last day moved."""

    from_ = fields.String(required=True, data_key="from", attribute="from")
    why = fields.String(required=True)


class DueSchema(Schema):
    """When a limit ends, explained."""

    limit = fields.String(required=True)
    start = fields.String(required=True)
    due_on = fields.String(required=True)
    due_at = fields.String(required=True)
    article = fields.String(required=True)
    counted = fields.Integer(required=True, allow_none=True)
    skipped = fields.List(fields.Dict(), required=True)
    pauses = fields.List(fields.Nested(PauseSchema), required=True)
    rolled = fields.Nested(RolledSchema, required=True, allow_none=True)
    provisional = fields.Boolean(required=True)
