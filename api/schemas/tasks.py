"""Tasks as people see them, their forms, drafts and answers."""

from marshmallow import fields, validate

from api.schemas.base import Moment, PageQuery, Schema, Text, page_of

STAGES = ("registration", "acceptance", "settlement", "mediation", "court", "closure", "revisit")


class TaskQuery(PageQuery):
    """Which of one's tasks."""

    role = Text(32)
    office_id = fields.UUID(metadata={"description": "Tasks of this organisation alone."})
    stage = fields.String(validate=validate.OneOf(STAGES))
    due_before = Moment()
    overdue = fields.Boolean(load_default=False, metadata={"description": "Only what is past its limit."})
    claimed = fields.String(validate=validate.OneOf(["mine", "free", "others"]))
    case_id = fields.UUID()
    text = Text(100, load_default="", empty=True, metadata={"description": "Part of a case number or of a title."})


class TaskSchema(Schema):
    """One task in a list."""

    id = fields.UUID(required=True, attribute="task_id")
    case_id = fields.UUID(required=True)
    case_no = fields.String(required=True)
    case_title = fields.String(required=True)
    process = fields.String(required=True)
    element = fields.String(required=True)
    title = fields.String(required=True)
    form = fields.String(required=True)
    party = fields.String(required=True, allow_none=True)
    stage = fields.String(required=True)
    role = fields.String(required=True)
    organisation_id = fields.UUID(required=True, allow_none=True)
    opened_at = Moment(required=True)
    due_at = Moment(required=True, allow_none=True)
    due_note = fields.Dict(
        required=True, allow_none=True, metadata={"description": "The limit, its article and how it was counted."}
    )
    claimed_by = fields.UUID(required=True, allow_none=True)
    claimed_at = Moment(required=True, allow_none=True)
    state = fields.String(required=True, metadata={"description": "open, done or dropped"})
    version = fields.Integer(required=True)


class TaskLineSchema(TaskSchema):
    """A task in a list."""

    suspended = fields.Boolean(
        required=True, metadata={"description": "Its case stands still: it cannot be answered before that goes on."}
    )


TaskPage = page_of(TaskLineSchema, "Task")


class FieldSchema(Schema):
    """One question of a form."""

    key = fields.String(required=True)
    type = fields.String(required=True, metadata={"description": "The FEEL type of its answer."})
    kind = fields.String(required=True, metadata={"description": "The form-js component."})
    label = fields.String(required=True)
    help = fields.String(required=True)
    required = fields.Boolean(required=True)


class FormSchema(Schema):
    """The form of a task, exactly as its case was started with it."""

    id = fields.String(required=True)
    digest = fields.String(required=True, metadata={"description": "Send it back as `form_digest`."})
    fields_ = fields.List(fields.Nested(FieldSchema), required=True, data_key="fields")


class OneTaskSchema(TaskSchema):
    """One task with its form, and what this person may do with it."""

    form = fields.Nested(FormSchema, required=True)  # type: ignore[assignment]
    context = fields.Dict(required=True, metadata={"description": "What the form's texts and conditions read."})
    draft = fields.Dict(required=True)
    claimed_name = fields.String(required=True, allow_none=True)
    suspended = fields.Boolean(required=True)
    may_answer = fields.Boolean(required=True)
    may_claim = fields.Boolean(required=True)
    may_reassign = fields.Boolean(required=True)


class AnswerSchema(Schema):
    """What was filled in."""

    form_digest = Text(64, required=True, metadata={"description": "The digest of the form that was shown."})
    answer = fields.Dict(
        keys=fields.String(), required=True, metadata={"description": "By the keys of its fields."}
    )


class AnsweredSchema(Schema):
    """An answer that was taken. ``parked``: the procedure met a fault, which staff will put right."""

    task_id = fields.UUID(required=True)
    case_id = fields.UUID(required=True)
    at = Moment(required=True)
    parked = fields.Boolean(required=True)


class ReassignSchema(Schema):
    """To whom a task is given."""

    person_id = fields.UUID(required=True)


class CountsSchema(Schema):
    """How much waits for the caller."""

    open = fields.Integer(required=True)
    mine = fields.Integer(required=True)
    overdue = fields.Integer(required=True)
    today = fields.Integer(required=True)
    by_stage = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    by_role = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
