"""Organisations, and which office is competent for an address."""

from marshmallow import fields, validate

from api.schemas.base import PageQuery, Schema, Text, Truth, page_of

#: Kinds that everybody may look up; merchants are for people who signed in.
PUBLIC_KINDS = ("bureau", "centre", "office", "station", "council", "mediation_body", "court")


class OrganisationQuery(PageQuery):
    """Which organisations."""

    kind = fields.String(required=True, validate=validate.OneOf(PUBLIC_KINDS))
    parent_id = fields.UUID()
    text = Text(60, load_default="", empty=True)


class MerchantQuery(PageQuery):
    """Which merchants."""

    text = Text(60, load_default="", empty=True, metadata={"description": "A part of the name."})


class OrganisationSchema(Schema):
    """An authority, a station, a merchant, a mediation body or a court."""

    id = fields.UUID(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    name_en = fields.String(required=True)
    kind = fields.String(required=True)
    parent_id = fields.UUID(required=True, allow_none=True)
    region = fields.String(required=True)
    address = fields.String(required=True)
    phone = fields.String(required=True)
    uscc = fields.String(required=True, allow_none=True)
    trade = fields.String(required=True, allow_none=True)
    areas = fields.List(fields.String(), required=True)
    skills = fields.List(fields.String(), required=True)
    on_board = fields.Boolean(required=True)
    active = fields.Boolean(required=True)
    synthetic = fields.Boolean(required=True)
    version = fields.Integer(required=True)


OrganisationPage = page_of(OrganisationSchema, "Organisation")


class NewOrganisationSchema(Schema):
    """An organisation to add."""

    code = Text(40, required=True)
    name = Text(120, required=True)
    name_en = Text(160, load_default="", empty=True)
    kind = fields.String(required=True, validate=validate.OneOf([*PUBLIC_KINDS, "merchant"]))
    region = fields.String(required=True, validate=validate.Regexp(r"^\d{6}$"))
    parent_id = fields.UUID()
    address = Text(200, load_default="", empty=True)
    phone = Text(32, load_default="", empty=True)


class ChangeOrganisationSchema(Schema):
    """What to change; what is left out stays."""

    name = Text(120)
    name_en = Text(160, empty=True)
    address = Text(200, empty=True)
    phone = Text(32, empty=True)
    areas = fields.List(Text(60), validate=validate.Length(max=200))
    skills = fields.List(Text(60), validate=validate.Length(max=50))
    on_board = Truth()
    active = Truth()


class CompetenceQuery(Schema):
    """Where the merchant carries on business."""

    address = Text(200, required=True)
    merchant_id = fields.UUID()


class CompetenceSchema(Schema):
    """The competent office, and why."""

    office = fields.Nested(OrganisationSchema, required=True)
    station = fields.Nested(OrganisationSchema, required=True, allow_none=True)
    why = fields.String(required=True)
    why_en = fields.String(required=True)
