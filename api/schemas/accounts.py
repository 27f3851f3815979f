"""Sessions, tokens, people and the roles that they hold."""

from marshmallow import fields, validate

from api.schemas.base import Moment, PageQuery, Schema, Text, Truth, Whole, page_of


class SignInSchema(Schema):
    """Login and password."""

    login = Text(64, required=True)
    password = Text(256, required=True, load_only=True)


class HeldRoleSchema(Schema):
    """A role in an organisation."""

    role = fields.String(required=True)
    organisation_id = fields.UUID(required=True)


class CallerSchema(Schema):
    """Who asks, and what they may do."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    language = fields.String(required=True)
    roles = fields.List(fields.Nested(HeldRoleSchema), required=True)


class SessionSchema(Schema):
    """A session; its cookie is set beside it."""

    person = fields.Nested(CallerSchema, required=True)
    csrf_token = fields.String(
        required=True, metadata={"description": "Send it as X-CSRFToken with every request that changes something."}
    )


class TokenRequestSchema(Schema):
    """What a new token is for."""

    name = Text(100, required=True, metadata={"description": "To tell it from the others."})
    scopes = fields.List(
        Text(60),
        required=True,
        validate=validate.Length(min=1, max=100),
        metadata={"description": "Permissions, or whole areas: `task.*`. It can never do more than its person."},
    )
    lasts_days = Whole(1, 366, load_default=90)


class TokenSchema(Schema):
    """A token, without its secret."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    prefix = fields.String(required=True, metadata={"description": "Its first characters."})
    scopes = fields.List(fields.String(), required=True)
    created_at = Moment(required=True)
    expires_at = Moment(required=True)
    last_used_at = Moment(required=True, allow_none=True)
    revoked_at = Moment(required=True, allow_none=True)


class NewTokenSchema(TokenSchema):
    """A token with its secret, shown this once."""

    token = fields.String(required=True)


class TokenListSchema(Schema):
    """All tokens of a person, newest first."""

    items = fields.List(fields.Nested(TokenSchema), required=True)


class NewPersonSchema(Schema):
    """Somebody to register."""

    name = Text(100, required=True)
    login = Text(64)
    password = Text(256, load_only=True)
    phone = Text(40)
    email = Text(120)
    language = fields.String(validate=validate.OneOf(["zh", "en"]), load_default="zh")


class PersonSchema(Schema):
    """Somebody as the administrator sees them: contact data stay masked."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    login = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, metadata={"description": "Masked."})
    email = fields.String(required=True, metadata={"description": "Masked."})
    language = fields.String(required=True)
    active = fields.Boolean(required=True)
    roles = fields.List(fields.Nested(HeldRoleSchema), required=True)
    version = fields.Integer(required=True)


class PersonQuery(PageQuery):
    """Which people."""

    search = Text(100, load_default="", empty=True)


PersonPage = page_of(PersonSchema, "Person")


class MembershipSchema(Schema):
    """A role to give or to take."""

    role = Text(20, required=True)
    organisation_id = fields.UUID(required=True)


class ActiveSchema(Schema):
    """Whether an account may be used."""

    active = Truth(required=True)
