"""Migrations of running cases between releases."""

from marshmallow import fields, validate

from api.schemas.base import Moment, PageQuery, Schema, Text, Truth, Whole, page_of


class MigrationCasesSchema(Schema):
    """Which of the release's cases; all where nothing is given."""

    office = Text(40, metadata={"description": "Id of the office in charge."})
    status = Text(40)


class PlanMigrationSchema(Schema):
    """A migration to rehearse."""

    from_version = Whole(1, 2**31 - 1, required=True)
    to_version = Whole(1, 2**31 - 1, required=True)
    mapping = fields.Dict(
        keys=Text(400),
        values=Text(400),
        load_default=dict,
        validate=validate.Length(max=500),
        metadata={"description": "Element → element where ids differ; `process/*` → `process/*` for a process."},
    )
    rederive = Truth(
        load_default=False, metadata={"description": "Reckon moments again by the new diagrams and limits."}
    )
    cases = fields.Nested(MigrationCasesSchema, load_default=dict)
    why = Text(400, load_default="", empty=True)


class MigrationCountsSchema(Schema):
    """How many cases stand where."""

    waiting = fields.Integer(required=True)
    fits = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    moved = fields.Integer(required=True)
    gone = fields.Integer(required=True)


class MigrationSchema(Schema):
    """One migration."""

    id = fields.UUID(required=True)
    from_version = fields.Integer(required=True)
    to_version = fields.Integer(required=True)
    mapping = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    rederive = fields.Boolean(required=True)
    cases = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    why = fields.String(required=True)
    state = fields.String(
        required=True, metadata={"description": "rehearsing, rehearsed, running, done or abandoned"}
    )
    created_at = Moment(required=True)
    created_by = fields.String(required=True)
    applied_at = Moment(required=True, allow_none=True)
    applied_by = fields.String(required=True, allow_none=True)
    ended_at = Moment(required=True, allow_none=True)


class CountedMigrationSchema(MigrationSchema):
    """One migration with its counts."""

    counts = fields.Nested(MigrationCountsSchema, required=True)


class MigrationQuery(PageQuery):
    """Which migrations."""


MigrationPage = page_of(MigrationSchema, "Migration")


class MigrationReasonSchema(Schema):
    """Why a case stays where it is."""

    code = fields.String(required=True)
    process = fields.String(required=True)
    element = fields.String(required=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)


class MigrationChangeSchema(Schema):
    """One thing that changes for a case."""

    what = fields.String(
        required=True, metadata={"description": "armed, dropped, due, kept, renamed, form, role, assignee or draft"}
    )
    kind = fields.String(required=True)
    process = fields.String(required=True)
    element = fields.String(required=True)
    name = fields.String(required=True)
    before = fields.String(required=True, allow_none=True)
    after = fields.String(required=True, allow_none=True)
    since = fields.String(required=True, allow_none=True)


class MigrationItemSchema(Schema):
    """One case of a migration."""

    instance_id = fields.UUID(required=True)
    case_no = fields.String(required=True)
    state = fields.String(required=True, metadata={"description": "waiting, fits, refused, moved or gone"})
    tasks = fields.Integer(required=True, metadata={"description": "Open tasks that are kept."})
    reasons = fields.List(fields.Nested(MigrationReasonSchema), required=True)
    changes = fields.List(fields.Nested(MigrationChangeSchema), required=True)


class MigrationItemQuery(PageQuery):
    """Which cases of a migration."""

    state = fields.String(
        load_default="", validate=validate.OneOf(["", "waiting", "fits", "refused", "moved", "gone"])
    )


MigrationItemPage = page_of(MigrationItemSchema, "MigrationItem")
