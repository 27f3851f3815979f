"""Incidents, and what operators do to a case."""

from typing import Any

from marshmallow import fields, validate

from api.schemas.base import LARGEST_NUMBER, Anything, Moment, PageQuery, Schema, Text, Truth, Whole, page_of
from disputes.repair.models import Cause
from disputes.repair.rules import KINDS, LONGEST_REASON, SHORTEST_REASON

_REHEARSE = {"description": "True: say what would happen, and change nothing."}


def _reason() -> Text:
    return Text(
        LONGEST_REASON,
        required=True,
        metadata={"description": f"At least {SHORTEST_REASON} characters; kept in the log and in the audit."},
    )


class IncidentQuery(PageQuery):
    """Which incidents."""

    state = fields.String(load_default="open", validate=validate.OneOf(["open", "resolved", "void"]))
    kind = Text(40)
    process = Text(200)
    element = Text(200)
    case_id = fields.UUID()


class IncidentSchema(Schema):
    """A command that could not be carried out and waits for somebody."""

    id = fields.UUID(required=True)
    instance_id = fields.UUID(required=True)
    key = fields.String(required=True)
    process = fields.String(required=True)
    element = fields.String(required=True)
    kind = fields.String(required=True)
    message = fields.String(required=True)
    state = fields.String(required=True)
    attempts = fields.Integer(required=True)
    at = Moment(required=True)
    last_at = Moment(required=True)
    resolved_at = Moment(required=True, allow_none=True)
    resolved_by = fields.String(required=True, allow_none=True)


class IncidentLineSchema(IncidentSchema):
    """An incident in a list, with the case that it holds."""

    case_no = fields.String(required=True)
    title = fields.String(required=True)
    suspended = fields.Boolean(required=True)


IncidentPage = page_of(IncidentLineSchema, "Incident")


class HappenedSchema(Schema):
    """One thing that happened to an incident."""

    at = Moment(required=True)
    by = fields.String(required=True)
    kind = fields.String(required=True)


class OneIncidentSchema(IncidentSchema):
    """One incident: what failed, where, and with which data."""

    command = fields.String(required=True, metadata={"description": "What was commanded: `complete`, `fire` …"})
    seen = fields.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "What the element could see; numbers, addresses and names are covered."},
    )
    history = fields.List(fields.Nested(HappenedSchema), required=True)
    same = fields.Integer(required=True, metadata={"description": "Other open incidents of the same cause."})
    actions = fields.List(fields.String(), required=True)
    case_id = fields.UUID(required=True, allow_none=True)


class CauseSchema(Schema):
    """Open incidents of one cause."""

    process = Text(200, required=True)
    element = Text(200, required=True)
    kind = Text(40, required=True)


class CountedCauseSchema(CauseSchema):
    """How many open incidents have one cause."""

    open = fields.Integer(required=True)


class CauseListSchema(Schema):
    """The causes of open incidents, the most frequent first."""

    items = fields.List(fields.Nested(CountedCauseSchema), required=True)


class RetriedSchema(Schema):
    """What came of retrying many."""

    resolved = fields.List(fields.UUID(), required=True)
    failed = fields.Dict(keys=fields.UUID(), values=fields.String(), required=True)
    refused = fields.Dict(keys=fields.UUID(), values=fields.String(), required=True)
    left = fields.Integer(required=True, metadata={"description": "Not reached; ask again."})


class WrittenSchema(Schema):
    """One variable to write."""

    name = Text(200, required=True)
    value = Anything(required=True, allow_none=True, metadata={"description": "JSON; dates and durations as text."})
    kind = fields.String(
        validate=validate.OneOf(KINDS),
        metadata={"description": "As FEEL names it; the kind that stands there now where it is not given."},
    )


def _variables() -> "fields.List[Any]":
    return fields.List(
        fields.Nested(WrittenSchema),
        load_default=list,
        validate=validate.Length(max=50),
        metadata={"description": "What the element would have written."},
    )


class GiveUpSchema(Schema):
    """Why a command is not wanted any more."""

    reason = _reason()


class PassOverSchema(GiveUpSchema):
    """Passing over the element that failed."""

    variables = _variables()
    rehearse = Truth(load_default=False, metadata=_REHEARSE)


class SuspendCaseSchema(GiveUpSchema):
    """Letting a case stand still."""

    cause = fields.Enum(Cause, by_value=True, load_default=Cause.SYSTEM)
    told = Text(
        LONGEST_REASON, load_default="", empty=True, metadata={"description": "What the parties are told besides."}
    )
    keep_remaining = Truth(
        load_default=True, metadata={"description": "What is left of each deadline is left when it goes on."}
    )
    rehearse = Truth(load_default=False, metadata=_REHEARSE)


class ResumeCaseSchema(Schema):
    """Letting a case go on."""

    reason = Text(LONGEST_REASON, load_default="", empty=True)
    rehearse = Truth(load_default=False, metadata=_REHEARSE)


class CancelCaseSchema(GiveUpSchema):
    """Ending a case; its people read the reason."""

    rehearse = Truth(load_default=False, metadata=_REHEARSE)


class ToSchema(Schema):
    """An element of a diagram."""

    process = Text(200, required=True)
    element = Text(200, required=True)


class MoveSchema(GiveUpSchema):
    """Taking a case to another element."""

    tokens = fields.List(Whole(1), required=True, validate=validate.Length(min=1, max=50))
    to = fields.Nested(ToSchema, required=True)
    variables = _variables()
    rehearse = Truth(load_default=False, metadata=_REHEARSE)


class SkipSchema(GiveUpSchema):
    """Leaving an element without doing it."""

    token = Whole(1, required=True)
    variables = _variables()
    rehearse = Truth(load_default=False, metadata=_REHEARSE)


class EditDataSchema(GiveUpSchema):
    """Correcting the process data."""

    changes = fields.List(fields.Nested(WrittenSchema), required=True, validate=validate.Length(min=1, max=50))
    token = Whole(
        1,
        load_default=None,
        allow_none=True,
        metadata={"description": "As this token sees it; null: in the started process."},
    )
    rehearse = Truth(load_default=False, metadata=_REHEARSE)


class OpenedSchema(Schema):
    """A task that opened, or was taken away."""

    process = fields.String(required=True)
    element = fields.String(required=True)
    name = fields.String(required=True)
    role = fields.String(required=True)
    due_at = Moment(required=True, allow_none=True)


class RepairedSchema(Schema):
    """What a command did, or would do."""

    waits = fields.List(
        fields.Nested(ToSchema), required=True, metadata={"description": "Where the case waits afterwards."}
    )
    opened = fields.List(fields.Nested(OpenedSchema), required=True)
    cancelled = fields.List(fields.Nested(OpenedSchema), required=True)
    services = fields.List(fields.String(), required=True)
    armed = fields.List(fields.String(), required=True)
    dropped = fields.List(fields.String(), required=True)
    ended = fields.String(required=True, allow_none=True)
    failed = fields.String(required=True, metadata={"description": "Why it failed again; empty when it did not."})


class MovesQuery(Schema):
    """Which tokens, and from which the data is seen."""

    token = fields.List(
        fields.Integer(validate=validate.Range(min=1, max=LARGEST_NUMBER)),
        load_default=list,
        validate=validate.Length(max=50),
    )


class TokenPlaceSchema(Schema):
    """A token of the case."""

    number = fields.Integer(required=True)
    process = fields.String(required=True)
    element = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True)
    waits = fields.Boolean(required=True)
    whole = fields.Boolean(required=True)
    fixed = fields.String(required=True, metadata={"description": "Why it cannot be moved; empty where it can."})
    may_skip = fields.Boolean(required=True)


class MoveFindingSchema(Schema):
    """What the token game finds wrong."""

    code = fields.String(required=True)
    element = fields.String(required=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)


class MoveTargetSchema(ToSchema):
    """An element to which the tokens could go."""

    name = fields.String(required=True)
    kind = fields.String(required=True)
    finding = fields.Nested(
        MoveFindingSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Null: it can finish there."},
    )


class MovesSchema(Schema):
    """Where a case stands and could go."""

    state = fields.String(required=True)
    places = fields.List(fields.Nested(TokenPlaceSchema), required=True)
    targets = fields.List(fields.Nested(MoveTargetSchema), required=True)
    data = fields.Dict(required=True)
    actions = fields.List(fields.String(), required=True)
