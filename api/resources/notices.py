"""What the caller was told."""

from typing import Any

from api.edge import clock, current_actor, needs, read_session, write_session
from api.resources.blueprint import Resources
from api.resources.paging import page, place
from api.schemas.notices import NoticePage, NoticeQuery, NoticeSchema, ReadSchema
from disputes.notices import operations, queries
from disputes.notices.models import Notice

resources = Resources("notices", __name__, "What the caller was told")


@resources.route("/notices")
@needs("notice.list")
@resources.arguments(NoticeQuery, location="query")
@resources.response(200, NoticePage)
def notices(query: dict[str, Any]) -> dict[str, Any]:
    """Notices to the caller, or to a role that the caller holds; the newest first."""
    after = place(query.get("after"), int)
    found = queries.page(
        read_session(),
        current_actor(),
        unread=query["unread"],
        before=after[0] if after else None,
        limit=query["limit"] + 1,
    )
    return page(found, query["limit"], "id")


@resources.route("/notices/<int:notice_id>/read", methods=("POST",))
@needs("notice.read")
@resources.response(200, NoticeSchema)
def mark_read(notice_id: int) -> Notice:
    """Note that a notice was read."""
    within = notice_id if notice_id < 2**31 else 0  # a number that no column holds names no notice
    return operations.mark_read(write_session(), within, by=current_actor(), now=clock())


@resources.route("/notices/read", methods=("POST",))
@needs("notice.list")
@resources.response(200, ReadSchema)
def mark_all_read() -> dict[str, int]:
    """Note that all of one's notices were read."""
    return {"read": operations.mark_all_read(write_session(), by=current_actor(), now=clock())}
