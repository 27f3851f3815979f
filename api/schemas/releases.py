"""Releases, their files, and what the gate finds."""

from marshmallow import fields, validate

from api.schemas.base import Moment, PageQuery, Schema, Text, page_of


class FindingSchema(Schema):
    """One finding of the gate."""

    file = fields.String(required=True)
    element = fields.String(required=True)
    code = fields.String(required=True)
    severity = fields.String(required=True, metadata={"description": "error or warning"})
    zh = fields.String(required=True)
    en = fields.String(required=True)
    trace = fields.List(
        fields.String(), required=True, metadata={"description": "The way there, element by element."}
    )


class ReleaseSchema(Schema):
    """One deployment."""

    version = fields.Integer(required=True)
    digest = fields.String(required=True)
    name = fields.String(required=True)
    deployed_at = Moment(required=True)
    deployed_by = fields.String(required=True)
    findings = fields.List(fields.Nested(FindingSchema), required=True)
    retired_at = Moment(required=True, allow_none=True)


class ListedReleaseSchema(ReleaseSchema):
    """One deployment in the list."""

    current = fields.Boolean(required=True, metadata={"description": "New cases start on it."})
    cases = fields.Integer(required=True, metadata={"description": "Cases that run on its files now."})


class ReleaseDifferenceSchema(Schema):
    """One thing that two releases say differently."""

    file = fields.String(required=True)
    of = fields.String(required=True, metadata={"description": "The process, table, form, limit or scenario."})
    element = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True)
    what = fields.String(required=True)
    before = fields.Raw(required=True, allow_none=True)
    after = fields.Raw(required=True, allow_none=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)
    touches = fields.Integer(
        required=True, metadata={"description": "Running cases of the first release that stand at it or before it."}
    )


class DifferencesSchema(Schema):
    """What two releases say differently."""

    items = fields.List(fields.Nested(ReleaseDifferenceSchema), required=True)


class ReleaseQuery(PageQuery):
    """Which releases."""


ReleasePage = page_of(ListedReleaseSchema, "Release")


class ReleaseFileSchema(Schema):
    """One file of a release."""

    path = fields.String(required=True)
    size = fields.Integer(required=True)


class ReleaseFilesSchema(Schema):
    """The files of a release."""

    items = fields.List(fields.Nested(ReleaseFileSchema), required=True)


class FilesSchema(Schema):
    """The files of a release in the making, by path, as text."""

    files = fields.Dict(
        keys=Text(200),
        values=fields.String(validate=validate.Length(max=4 * 1024 * 1024)),
        required=True,
        validate=validate.Length(min=1, max=500),
    )


class DeploySchema(FilesSchema):
    """A release to deploy."""

    name = Text(200, load_default="", empty=True)


class CheckedSchema(Schema):
    """What the gate says."""

    files = fields.Integer(required=True)
    findings = fields.List(fields.Nested(FindingSchema), required=True)


class DifferenceSchema(Schema):
    """Where a scenario went another way than it says."""

    step = fields.Integer(required=True, metadata={"description": "0: the start."})
    at = fields.String(required=True, metadata={"description": "The virtual moment, ISO 8601."})
    line = fields.Integer(required=True)
    what = fields.String(required=True, metadata={"description": "The word of `then` that differs."})
    expected = fields.Raw(required=True, allow_none=True)
    found = fields.Raw(required=True, allow_none=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)


class OutcomeSchema(Schema):
    """How one scenario went."""

    file = fields.String(required=True)
    name = fields.String(required=True)
    passed = fields.Boolean(required=True)
    why = fields.String(required=True, allow_none=True)
    ended = fields.String(required=True, allow_none=True)
    virtual_days = fields.Float(required=True)
    difference = fields.Nested(DifferenceSchema, required=True, allow_none=True)


class PlayedSchema(Schema):
    """How the scenarios of a release went, and what they reached."""

    scenarios = fields.List(fields.Nested(OutcomeSchema), required=True)
    coverage = fields.Dict(required=True, metadata={"description": "Per diagram: elements, flows, missing."})
    decisions = fields.Dict(required=True, metadata={"description": "Per table: rules that matched, missing."})


class RecordedSchema(Schema):
    """A scenario told by a case."""

    case_no = fields.String(required=True)
    replays = fields.Boolean(required=True)
    why = fields.String(required=True, allow_none=True, metadata={"description": "Where it replays differently."})
    text = fields.String(required=True, metadata={"description": "The scenario file, YAML."})
