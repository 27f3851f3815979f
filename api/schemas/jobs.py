"""Jobs as external workers take and return them, and signals."""

from marshmallow import fields, validate

from api.polling import LONGEST
from api.schemas.base import Moment, Schema, Text, Truth, Whole
from engine import jobs

_NAME = {"description": "How this worker calls itself; with the attempt it proves that it holds the job."}
_LONGEST_LOCK = int(jobs.LONGEST_LOCK.total_seconds())


class ActivationSchema(Schema):
    """Which jobs a worker wants."""

    types = fields.List(Text(200), required=True, validate=validate.Length(min=1, max=jobs.MOST_TYPES))
    worker = Text(100, required=True, metadata=_NAME)
    limit = Whole(1, jobs.MOST, load_default=10)
    lock_seconds = Whole(1, _LONGEST_LOCK, load_default=300)
    wait_seconds = Whole(
        0,
        LONGEST,
        load_default=0,
        metadata={"description": "Wait so long for a job if there is none; the answer may come sooner and empty."},
    )


class JobSchema(Schema):
    """A job that a worker holds."""

    id = fields.UUID(required=True)
    type = fields.String(required=True)
    key = fields.String(required=True, metadata={"description": "The business key: the case's id."})
    process = fields.String(required=True)
    element = fields.String(required=True)
    headers = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    variables = fields.Dict(
        keys=fields.String(),
        required=True,
        attribute="inputs",
        metadata={"description": "What the task's input mapping names, and nothing else."},
    )
    attempt = fields.Integer(required=True)
    retries = fields.Integer(required=True)
    locked_until = Moment(required=True)


class JobListSchema(Schema):
    """The jobs that the worker holds from now on, the oldest first."""

    items = fields.List(fields.Nested(JobSchema), required=True)


class HoldingSchema(Schema):
    """Who speaks of a job."""

    worker = Text(100, required=True, metadata=_NAME)
    attempt = Whole(1, 2**31 - 1, required=True)


class ExtensionSchema(HoldingSchema):
    """A job that takes longer."""

    lock_seconds = Whole(1, _LONGEST_LOCK, load_default=300)


class CompletionSchema(HoldingSchema):
    """What a worker returns."""

    variables = fields.Dict(
        keys=fields.String(),
        load_default=dict,
        metadata={"description": "Local to the task: its output mapping names what enters the case."},
    )


class FailureSchema(HoldingSchema):
    """A job that could not be done now."""

    error = Text(2000, required=True)
    retries = Whole(0, 100, metadata={"description": "Retries that are left; one less than before by default."})
    retry_after_seconds = Whole(0, 7 * 86400, load_default=0)


class ErrorSchema(CompletionSchema):
    """A job that ends by an error of the business, which the diagram catches."""

    code = Text(200, required=True)
    message = Text(2000, load_default="", empty=True)


class DoneSchema(Schema):
    """What became of it."""

    parked = Truth(required=True, metadata={"description": "The case could not go on; an incident holds the job."})


class FailedSchema(DoneSchema):
    """What became of a job that was given back."""

    retries = fields.Integer(required=True)


class SignalSchema(Schema):
    """A signal to every case that waits for it."""

    signal = Text(200, required=True)
    payload = fields.Dict(keys=fields.String(), load_default=dict)


class ThrownSchema(Schema):
    """How many events will get the signal."""

    receivers = fields.Integer(required=True)
