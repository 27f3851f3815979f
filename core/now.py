"""The only place that reads the clock. Everything below the edge is handed its moment."""

from datetime import UTC, datetime, timedelta, timezone

#: China has one civil time and no daylight saving; legal days begin and end by it.
CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)
