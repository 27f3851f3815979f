"""Deadlines in motion: pauses, extensions, and re-derivations."""

from marshmallow import fields, validate

from api.schemas.base import Day, Moment, PageQuery, Schema, Text, Truth, Whole, page_of
from api.schemas.time import CalendarNoticeSchema
from disputes.cases.deadlines import LONGEST_REASON
from disputes.timelimits.models import Rederivation, RederivationItem


class PauseRequestSchema(Schema):
    """Stop a clock."""

    reason = Text(40, required=True, metadata={"description": "A code of the limit's `reasons`: appraisal …"})
    why = Text(LONGEST_REASON, load_default="", empty=True)
    from_on = Day(data_key="from", metadata={"description": "First day not counted; before today with evidence."})
    evidence_id = fields.UUID()


class ResumeRequestSchema(Schema):
    """Let a clock go on."""

    to_on = Day(data_key="to", metadata={"description": "First day that counts again; today by default."})


class DeadlineExtensionRequestSchema(Schema):
    """Ask for more time: a length in the limit's unit, or the last day."""

    amount = Whole(1, 10_000)
    until = Day()
    why = Text(LONGEST_REASON, required=True)
    consents = fields.List(
        fields.String(validate=validate.OneOf(["complainant", "respondent"])),
        load_default=list,
        validate=validate.Length(max=2),
        metadata={"description": "Parties whose consent is on file."},
    )


class DecisionNoteSchema(Schema):
    """What is said with a decision."""

    note = Text(LONGEST_REASON, load_default="", empty=True)


class ReasonOfPauseSchema(Schema):
    """Why a clock may stand still."""

    code = fields.String(required=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)
    article = fields.String(required=True)


class DeadlineExtensionSchema(Schema):
    """A request for more time, and what came of it."""

    id = fields.UUID(required=True)
    case_id = fields.String(required=True, attribute="key")
    deadline_id = fields.UUID(required=True)
    limit = fields.String(required=True)
    amount = fields.Integer(required=True)
    why = fields.String(required=True)
    consents = fields.List(fields.String(), required=True)
    article = fields.String(required=True)
    approved_by = fields.List(fields.String(), required=True, metadata={"description": "Roles that may decide."})
    state = fields.String(required=True)
    requested_at = Moment(required=True)
    requested_by_name = fields.String(required=True)
    decided_at = Moment(required=True, allow_none=True)
    decided_by_name = fields.String(required=True)
    note = fields.String(required=True)
    before_on = Day(required=True)
    after_on = Day(required=True)


DeadlineExtensionPage = page_of(DeadlineExtensionSchema, "DeadlineExtension")


class DeadlineOptionsSchema(Schema):
    """What the caller may do to a deadline now, and the requests made so far."""

    deadline = fields.Dict(required=True, metadata={"description": "As in the list of the case's deadlines."})
    reasons = fields.List(fields.Nested(ReasonOfPauseSchema), required=True)
    may_resume = fields.Boolean(required=True)
    may_extend = fields.Boolean(required=True)
    extendable = fields.Dict(required=True, allow_none=True)
    requests = fields.List(fields.Nested(DeadlineExtensionSchema), required=True)


class OverrideSchema(Schema):
    """One day of the calendar as it shall be."""

    date = Day(required=True)
    is_workday = Truth(required=True)
    name = Text(100, load_default="", empty=True, metadata={"description": "A named day off belongs to a break."})


class RehearsalSchema(Schema):
    """What to rehearse: days (a notice, or single days), the limits of a release, or nothing but a check."""

    cause = fields.String(required=True, validate=validate.OneOf([c.value for c in Rederivation.Cause]))
    notice = fields.Nested(CalendarNoticeSchema)
    days = fields.List(fields.Nested(OverrideSchema), validate=validate.Length(min=1, max=400))
    release = Text(64, metadata={"description": "Digest; the release in force by default."})
    why = Text(400, load_default="", empty=True)
    document_no = Text(100, load_default="", empty=True)
    source = Text(200, load_default="", empty=True)


class RederivationSchema(Schema):
    """A re-derivation."""

    id = fields.UUID(required=True)
    cause = fields.String(required=True)
    state = fields.String(required=True)
    why = fields.String(required=True)
    document_no = fields.String(required=True)
    source = fields.String(required=True)
    release = fields.String(required=True, allow_none=True)
    changed = fields.List(
        fields.Dict(), required=True, metadata={"description": "Days that differ: date, before, after."}
    )
    counts = fields.Dict(required=True)
    rehearsed_at = Moment(required=True)
    rehearsed_by = fields.String(required=True)
    applied_at = Moment(required=True, allow_none=True)
    applied_by = fields.String(required=True, allow_none=True)
    ended_at = Moment(required=True, allow_none=True)


RederivationPage = page_of(RederivationSchema, "Rederivation")


class RederivationItemQuery(PageQuery):
    """Which of its deadlines."""

    effect = fields.String(validate=validate.OneOf([e.value for e in RederivationItem.Effect]))
    state = fields.String(validate=validate.OneOf([s.value for s in RederivationItem.State]))


class RederivationItemSchema(Schema):
    """One deadline before and after."""

    number = fields.Integer(required=True)
    deadline_id = fields.UUID(required=True)
    case_id = fields.String(required=True, attribute="key")
    limit = fields.String(required=True)
    start = fields.String(required=True)
    before_on = Day(required=True)
    after_on = Day(required=True)
    before_provisional = fields.Boolean(required=True)
    after_provisional = fields.Boolean(required=True)
    effect = fields.String(required=True)
    warned = fields.List(fields.String(), required=True)
    state = fields.String(required=True)
    note = fields.String(required=True)


RederivationItemPage = page_of(RederivationItemSchema, "RederivationItem")
