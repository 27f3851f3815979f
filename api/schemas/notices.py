"""Notices."""

from marshmallow import fields

from api.schemas.base import Moment, PageQuery, Schema, page_of


class NoticeQuery(PageQuery):
    """Which notices."""

    unread = fields.Boolean(load_default=False)


class NoticeSchema(Schema):
    """What somebody was told."""

    id = fields.Integer(required=True)
    case_key = fields.String(required=True, allow_none=True, metadata={"description": "The case's id."})
    kind = fields.String(required=True)
    title_zh = fields.String(required=True)
    title_en = fields.String(required=True)
    text_zh = fields.String(required=True)
    text_en = fields.String(required=True)
    link = fields.String(required=True, allow_none=True)
    created_at = Moment(required=True)
    read_at = Moment(required=True, allow_none=True)


NoticePage = page_of(NoticeSchema, "Notice")


class ReadSchema(Schema):
    """How many were new."""

    read = fields.Integer(required=True)
