"""Which columns hold personal data of a case, of which kind, and what stays in their place.

A table belongs to a case when it has one of ``CASE_COLUMNS``. In such a table everything that is sealed, JSON or
free text is personal unless this page says that it stays; short texts (``String``) are personal where this page
says so. A guard reads every table and asks for the columns that nobody has thought of.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Column, String, Table, Text

from core.db import Base
from core.sealing import Sealed, SealedBytes
from disputes.retention.models import Kind

#: What people read where something was.
GONE = "（已删除）"

#: Column → what it is compared with: the case's id, the same as text, or its instance's id.
CASE_COLUMNS = {"case_id": "id", "case_key": "text", "key": "text", "instance_id": "instance"}
#: Tables with such a column that means something else; they are emptied within days anyway.
NO_CASE = {"repeatable_answer"}

#: Tables whose rows go as a whole; nothing is counted in them.
ROWS: dict[str, Kind] = {
    "notice": Kind.CORRESPONDENCE,
    "mail": Kind.CORRESPONDENCE,
    "draft": Kind.CORRESPONDENCE,
    "claim_link": Kind.CORRESPONDENCE,
    "note": Kind.CASE,
    "evidence": Kind.CASE,
    "answer": Kind.CASE,
}

#: Tables, or columns of tables, that are kept longer or shorter than the case.
KINDS: dict[str, Kind] = {
    "paper": Kind.PAPER,
    "handover": Kind.PAPER,
    "agreement": Kind.PAPER,
    "settlement_agreement": Kind.PAPER,
    "confirmation_application": Kind.PAPER,
    "party.id_no": Kind.IDENTITY,
    "party.id_type": Kind.IDENTITY,
}

#: Short texts that are somebody's, or that name a case elsewhere.
PERSONAL = {
    "dispute_case.title", "dispute_case.respondent_name", "inbox_item.case_title", "settlement_order.masked_notice",
    "settlement_order.not_published_why", "settlement_order.ended_why", "mediation.why", "mediation_session.place",
    "dispatch.reason", "dispatch.return_reason", "acceptance_decision.competent_body", "pointer.body",
    "paper.addressee", "paper.withdrawn_why", "party.id_type", "party.phone_fingerprint", "party.uscc",
    "confirmation_application.court_case_no", "confirmation_application.ruling_no", "incident.target",
    "deadline_extension.requested_by_name", "deadline_extension.decided_by_name", "task.assignee",
}  # fmt: skip

#: What is nobody's: it decides the way of a case, it is counted, or the chain stands on it.
STAYS = {
    "dispute_case.turn", "dispute_case.requests", "inbox_item.due_note", "task.due_note", "timer.note",
    "deadline.explanation", "rederivation_item.warned", "rederivation_item.note", "event.payload", "event.salt",
    "instance.blob", "erasure.counts", "retention_hold.reason", "erasure_request.answer",
}  # fmt: skip

#: What stands in the place of a value that may not be missing, where "" or [] or {} would not do.
INSTEAD: dict[str, Any] = {
    "dispute_case.title": GONE,
    "dispute_case.respondent_name": GONE,
    "dispute_case.facts": GONE,
    "inbox_item.case_title": GONE,
    "party.name": GONE,
    "paper.data": "{}",
    "handover.package": "{}",
    "mediation_session.undisputed_facts": "[]",
    "mediation_session.disputed_points": "[]",
}

#: JSON that is a list and may not be missing.
LISTS = {
    "agreement.signatures", "confirmation_application.signatures", "deadline_extension.consents",
    "deadline_extension.approved_by", "migration_item.reasons", "migration_item.changes",
}  # fmt: skip

#: Names of short texts that are codes, ids of people, states or numbers, in whatever table.
CODES = {
    "process", "element", "key", "case_key", "name", "form", "role", "by", "ended_by", "owner", "host", "bundle",
    "ended_element", "message", "message_id", "kind", "topic", "idempotency_key", "worker", "type", "title",
    "legal_basis", "template", "digest", "hash", "issued_by", "decided_by", "dispatched_by", "returned_by",
    "made_by", "sent_by", "offered_by", "visited_by", "done_by", "began_by", "requested_by", "resolved_by",
    "correlation_key", "suspended_by", "resumed_by", "asked_by", "set_by", "lifted_by", "limits_from", "event_head",
    "salt", "sha256", "number", "article", "why", "reason", "before", "after", "applied_by",
    "category", "ticket", "cycle", "case_no",
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A column that is emptied."""

    column: Column[Any]
    kind: Kind
    instead: Any


def tables() -> Iterator[tuple[Table, Column[Any]]]:
    """Every table that belongs to a case, with the column that says to which."""
    for table in Base.metadata.sorted_tables:
        for name in CASE_COLUMNS:
            if name in table.columns and table.name not in NO_CASE:
                yield table, table.columns[name]
                break


def places(table: Table) -> list[Place]:
    """The columns of a table that are emptied, each with its kind and with what stays in its place."""
    return [
        Place(column, _kind(table, column), _instead(table, column))
        for column in table.columns
        if is_personal(table, column)
    ]


def is_personal(table: Table, column: Column[Any]) -> bool:
    """Whether a column of a case's table holds personal data."""
    name = f"{table.name}.{column.name}"
    if name in STAYS or column.foreign_keys or column.primary_key:
        return False
    return name in PERSONAL or isinstance(column.type, Sealed | SealedBytes | JSON | Text)


def unknown(table: Table) -> list[str]:
    """Short texts of a case's table of which this page says nothing."""
    if table.name in ROWS:
        return []
    return [
        f"{table.name}.{column.name}"
        for column in table.columns
        if isinstance(column.type, String)
        and not isinstance(column.type, Text)
        and (column.type.length or 0) >= 60
        and not column.foreign_keys
        and column.name not in CODES
        and f"{table.name}.{column.name}" not in PERSONAL | STAYS
    ]


def _kind(table: Table, column: Column[Any]) -> Kind:
    return KINDS.get(f"{table.name}.{column.name}", KINDS.get(table.name, Kind.CASE))


def _instead(table: Table, column: Column[Any]) -> Any:
    name = f"{table.name}.{column.name}"
    if name in INSTEAD:
        return INSTEAD[name]
    if column.nullable:
        return None
    if isinstance(column.type, JSON):
        return [] if name in LISTS else {}
    return b"" if isinstance(column.type, SealedBytes) else ""
