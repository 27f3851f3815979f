"""Filing, cases as each of their readers sees them, their timeline, deadlines, evidence and routes."""

from marshmallow import fields, validate

from api.schemas.base import Day, Moment, PageQuery, Schema, Text, Truth, Whole, page_of
from api.schemas.tasks import STAGES, FormSchema, TaskSchema
from engine.messages import Outcome

#: Roles with which a file may be shared; ``disputes.cases.evidence.SHARED_WITH`` is compared in a test.
SHARED_WITH = ("complainant", "respondent", "mediator", "court_liaison", "council_liaison")


class FilingFormSchema(FormSchema):
    """The form that a filing fills in, of the release in force."""


class FilingSchema(Schema):
    """A matter to file: an answer to the form `file-complaint`."""

    answer = fields.Dict(
        keys=fields.String(), required=True, metadata={"description": "By the keys of its fields."}
    )


class CaseSchema(Schema):
    """A case in a list."""

    id = fields.UUID(required=True)
    case_no = fields.String(required=True)
    title = fields.String(required=True)
    kind = fields.String(required=True)
    status = fields.String(required=True)
    stage = fields.String(required=True)
    turn = fields.List(
        fields.String(), required=True, metadata={"description": "The roles that owe the next step."}
    )
    exit = fields.String(required=True, allow_none=True)
    respondent_name = fields.String(required=True)
    path = fields.String(required=True)
    channel = fields.String(required=True, allow_none=True)
    region = fields.String(required=True)
    disputed_fen = fields.Integer(required=True)
    agreed_fen = fields.Integer(required=True)
    recovered_fen = fields.Integer(required=True)
    filed_at = Moment(required=True)
    received_at = Moment(required=True, allow_none=True)
    accepted_at = Moment(required=True, allow_none=True)
    closed_at = Moment(required=True, allow_none=True)
    synthetic = fields.Boolean(required=True)


CasePage = page_of(CaseSchema, "Case")


class CaseQuery(PageQuery):
    """Which of the caller's cases."""

    status = Text(32)
    stage = fields.String(validate=validate.OneOf(STAGES))
    exit = Text(32)
    office_id = fields.UUID()
    open_only = fields.Boolean(load_default=False)
    text = Text(
        100, load_default="", empty=True, metadata={"description": "Part of a number, a title, a merchant."}
    )


class PartySchema(Schema):
    """A party, as far as the reader may know it."""

    side = fields.String(required=True)
    name = fields.String(required=True)
    phone = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    id_no = fields.String(required=True, metadata={"description": "Always masked."})
    uscc = fields.String(required=True, allow_none=True)


class EvidenceSchema(Schema):
    """A file that the reader may open."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    mime = fields.String(required=True)
    size = fields.Integer(required=True)
    sha256 = fields.String(required=True)
    is_identity = fields.Boolean(required=True)
    added_at = Moment(required=True)
    visible_to = fields.List(fields.String(), required=True)


class NoteSchema(Schema):
    """A note that the reader may read."""

    text = fields.String(required=True)
    written_by = fields.String(required=True)
    written_at = Moment(required=True)


class PlaceSchema(Schema):
    """An organisation, by name."""

    id = fields.UUID(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)


class WaitSchema(Schema):
    """One thing that the case waits for."""

    process = fields.String(required=True)
    element = fields.String(required=True)
    title = fields.String(required=True)
    turn = fields.List(fields.String(), required=True, metadata={"description": "The roles that owe it."})
    since = Moment(required=True)
    due_at = Moment(required=True, allow_none=True)
    due_on = Day(required=True, allow_none=True, metadata={"description": "The last day on which it is in time."})
    limit = fields.String(required=True, allow_none=True)
    note = fields.Dict(required=True, metadata={"description": "How the limit was counted."})
    messages = fields.List(fields.String(), required=True, metadata={"description": "Messages it would take now."})


class WaitListSchema(Schema):
    """What the case waits for, the nearest limit first."""

    items = fields.List(fields.Nested(WaitSchema), required=True)


class OneCaseSchema(CaseSchema):
    """A case as the reader sees it; what the reader must not see is not in it."""

    roles = fields.List(fields.String(), required=True, metadata={"description": "How the reader stands to it."})
    facts = fields.String(required=True)
    requests = fields.List(fields.String(), required=True)
    category = fields.String(required=True)
    occurred_on = Day(required=True, allow_none=True)
    parties = fields.List(fields.Nested(PartySchema), required=True)
    evidence = fields.List(fields.Nested(EvidenceSchema), required=True)
    notes = fields.List(fields.Nested(NoteSchema), required=True)
    waits = fields.List(fields.Nested(WaitSchema), required=True)
    office = fields.Nested(PlaceSchema, required=True, allow_none=True)
    mediator = fields.String(required=True, allow_none=True)
    mediation_body = fields.Nested(PlaceSchema, required=True, allow_none=True)
    court = fields.Nested(PlaceSchema, required=True, allow_none=True)
    actions = fields.List(fields.String(), required=True, metadata={"description": "What the reader may do now."})


class EntrySchema(Schema):
    """One thing that happened."""

    number = fields.Integer(required=True)
    at = Moment(required=True)
    kind = fields.String(required=True)
    process = fields.String(required=True)
    element = fields.String(required=True)
    who = fields.String(required=True)
    what = fields.String(required=True)
    what_en = fields.String(required=True)
    limit = fields.String(required=True, allow_none=True)
    article = fields.String(required=True, allow_none=True)
    due_on = Day(required=True, allow_none=True)
    met = fields.Boolean(required=True, allow_none=True)


class TimelineSchema(Schema):
    """What happened, oldest first."""

    items = fields.List(fields.Nested(EntrySchema), required=True)


class DeadlineListSchema(Schema):
    """The deadlines of a case with their explanation; those that run first."""

    items = fields.List(
        fields.Dict(keys=fields.String()),
        required=True,
        metadata={
            "description": "As the command `due` explains it (limit, start, due_on, due_at, article, counted,"
            " skipped, pauses, rolled, provisional), and how it stands: state, clock, left, left_unit, sentences."
        },
    )


class RouteSchema(Schema):
    """One of the five lawful routes of 消法 第三十九条."""

    number = fields.Integer(required=True)
    code = fields.String(required=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)
    is_open = fields.Boolean(required=True)
    closed = fields.List(fields.String(), required=True, allow_none=True, metadata={"description": "Why: zh, en."})
    closes = fields.List(fields.String(), required=True, allow_none=True, metadata={"description": "zh, en."})
    action = fields.String(required=True, allow_none=True)


class RouteListSchema(Schema):
    """The routes that are open, and why the others are not."""

    items = fields.List(fields.Nested(RouteSchema), required=True)


class CaseTasksSchema(Schema):
    """The open tasks of a case that the caller may work on."""

    items = fields.List(fields.Nested(TaskSchema), required=True)


class ReasonSchema(Schema):
    """Why."""

    reason = Text(500, load_default="", empty=True)


class ReturnSchema(Schema):
    """Why the office gives the case back."""

    reason = Text(500, required=True)


class IdentitySchema(Schema):
    """Proof of identity."""

    name = Text(100, required=True)
    id_kind = Text(12, required=True)
    id_no = Text(30, required=True)
    attachments = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=20))


class NewNoteSchema(Schema):
    """A note to write."""

    text = Text(4000, required=True)
    visible_to = fields.List(Text(32), load_default=list, validate=validate.Length(max=12))


class EvidenceFormSchema(Schema):
    """What goes with a file."""

    visible_to = fields.List(
        fields.String(validate=validate.OneOf(SHARED_WITH)),
        load_default=lambda: ["mediator"],
        metadata={"description": "Who may open it beside the office and whoever lays it down."},
    )
    is_identity = fields.Boolean(
        load_default=False, metadata={"description": "An identity paper: the office alone."}
    )


class SharingSchema(Schema):
    """Who may open a file."""

    visible_to = fields.List(
        fields.String(validate=validate.OneOf(SHARED_WITH)), required=True, validate=validate.Length(max=5)
    )


class MessageSchema(Schema):
    """A message to a case."""

    message = Text(60, required=True)
    case = Text(40, required=True, metadata={"description": "Id or number of the case."})
    message_id = Text(200, metadata={"description": "The sender's own id; the same id is heeded once."})
    ttl_seconds = Whole(
        0,
        30 * 86400,
        load_default=0,
        metadata={"description": "Keep it so long for a case that does not wait for it yet."},
    )
    payload = fields.Dict(keys=fields.String(), load_default=dict)


class DeliveredSchema(Schema):
    """What became of the message."""

    outcome = fields.String(
        required=True,
        validate=validate.OneOf([outcome.value for outcome in Outcome]),
        metadata={
            "description": "`repeated`: its id was here before. `unwanted`: nobody waits, and it was not kept."
        },
    )
    delivered = Truth(required=True)
    parked = Truth(required=True, metadata={"description": "The case could not take it in; an incident holds it."})
    expires_at = Moment(required=True, allow_none=True, metadata={"description": "Until when it is kept."})


class TrackSchema(Schema):
    """A case and the phone on record for it."""

    case_no = Text(40, required=True)
    phone = Text(40, required=True)


class OpenSchema(TrackSchema):
    """With the code that was sent."""

    code = Text(12, required=True)


class GuestSchema(Schema):
    """The case that was opened; its cookie is set beside it."""

    case_id = fields.UUID(required=True)
    csrf_token = fields.String(required=True)
