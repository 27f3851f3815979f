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


class ReleaseQuery(PageQuery):
    """Which releases."""


ReleasePage = page_of(ReleaseSchema, "Release")


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
