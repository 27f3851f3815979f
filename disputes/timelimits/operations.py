"""Stopping and resuming clocks, and changing the calendar."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Select, delete, insert, select
from sqlalchemy.orm import Session

from core.refusals import Forbidden, Invalid, WrongState
from disputes.audit import operations as audit
from disputes.timelimits import functions, queries
from disputes.timelimits.calendar import (
    ANNOUNCED_FROM,
    LAST_YEAR,
    ONE_DAY,
    Calendar,
    Day,
    Status,
    each_day,
    known_year,
    named_breaks,
)
from disputes.timelimits.explanation import record
from disputes.timelimits.limits import Limit, PauseReason
from disputes.timelimits.models import (
    EVERY,
    CalendarChange,
    CalendarDay,
    Deadline,
    DeadlineExtension,
    DeadlinePause,
)
from disputes.timelimits.rules import Due, Extension, Pause, compute, day_of, moment_of
from engine import Engine, Instance

# Pauses.

#: Without evidence a pause begins today; with it, no further back than this.
JUSTIFIED = timedelta(days=30)


def pause(
    session: Session,
    instance: Instance,
    limit: Limit,
    *,
    why: str,
    reason: str | None = None,
    source: DeadlinePause.Source = DeadlinePause.Source.PROCEDURE,
    from_on: date | None = None,
    evidence_id: UUID | None = None,
    now: datetime,
    by: str,
) -> DeadlinePause:
    """Stop a limit on a case. The caller has the case's moments evaluated again (``engine.rearm``).

    ``reason`` is one of ``limit.pausable``, the first of them by default; ``from_on`` is the first day that is not
    counted, today by default. What a person stopped, the procedure may take over, and nobody else may stop twice.
    Raises WrongState when the law lets nothing stop this limit, or not for this reason, or when it stands still
    already; Invalid when the day cannot be.
    """
    known = _pause_reason(limit, reason)
    open_pause = _open_pause(session, instance.id, limit.id)
    if open_pause is not None:
        if source is not DeadlinePause.Source.PROCEDURE or open_pause.source != DeadlinePause.Source.PERSON:
            raise WrongState(f"{limit.id} 已经暂停。", code="deadline.already_paused", limit=limit.id)
        open_pause.ended_at, open_pause.ended_by = now, by
    if from_on is not None:
        _check_day(session, instance, limit, from_on, evidence_id, now)
    row = DeadlinePause(
        key=instance.key,
        instance_id=instance.id,
        limit=limit.id,
        source=source,
        reason=known.code,
        began_at=now,
        began_by=by,
        from_on=None if from_on == day_of(now) else from_on,
        why=why.strip() or known.zh,
        evidence_id=evidence_id,
    )
    session.add(row)
    session.flush()
    functions.forget(session)
    return row


def resume(
    session: Session,
    instance: Instance,
    limit: str,
    *,
    to_on: date | None = None,
    now: datetime,
    by: str,
) -> DeadlinePause:
    """Let a limit go on; ``to_on`` is the first day that counts again, today by default.

    The caller has the case's moments evaluated again. Raises WrongState when the limit does not stand still,
    Invalid when the day is before the pause or in the future.
    """
    row = _open_pause(session, instance.id, limit)
    if row is None:
        raise WrongState(f"{limit} 没有暂停，不能恢复。", code="deadline.not_paused", limit=limit)
    begun = row.from_on or day_of(row.began_at)
    if to_on is not None and not begun <= to_on <= day_of(now):
        raise Invalid(
            f"恢复的日子在{begun}和今天之间。 The clock goes on between {begun} and today.",
            code="deadline.resume_day",
            fields={"to": [f"{begun} – {day_of(now)}"]},
        )
    row.ended_at, row.ended_by = now, by
    row.to_on = None if to_on == day_of(now) else to_on
    session.flush()
    functions.forget(session)
    return row


def pause_all(session: Session, instance: Instance, *, why: str = "", now: datetime, by: str) -> DeadlinePause:
    """Stop every limit of a case while it is mended: what is left of each stays, to the day, or to the minute for
    limits in hours and minutes. The caller has the moments evaluated again. Raises WrongState when it stands still.
    """
    if _open_pause(session, instance.id, EVERY) is not None:
        raise WrongState(
            "这件的期限已经全部暂停。 All limits stand still.", code="deadline.already_paused", limit=EVERY
        )
    row = DeadlinePause(
        key=instance.key,
        instance_id=instance.id,
        limit=EVERY,
        source=DeadlinePause.Source.REPAIR,
        began_at=now,
        began_by=by,
        why=why.strip() or queries.REPAIR_ZH,
    )
    session.add(row)
    session.flush()
    functions.forget(session)
    return row


def resume_all(session: Session, instance: Instance, *, now: datetime, by: str) -> DeadlinePause:
    """Let every limit of a case go on that ``pause_all`` stopped. Raises WrongState when nothing did."""
    return resume(session, instance, EVERY, now=now, by=by)


def stands_still(session: Session, instance_id: UUID, limit: str) -> DeadlinePause | None:
    """The pause that lasts, if the limit (or ``EVERY`` limit) stands still."""
    return _open_pause(session, instance_id, limit)


def _pause_reason(limit: Limit, reason: str | None) -> PauseReason:
    if not limit.pausable:
        raise WrongState(
            f"{limit.name_zh}（{limit.id}）没有规定可以暂停：{limit.article}。",
            code="deadline.no_pause",
            limit=limit.id,
        )
    known = limit.pausable[0] if reason is None else limit.pause_reason(reason)
    if known is None:
        may = "、".join(f"{r.zh}（{r.article}）" for r in limit.pausable)
        raise WrongState(
            f"{limit.name_zh}（{limit.id}）不因这个事由暂停；可以因为：{may}。依据：{limit.article}。",
            code="deadline.no_such_pause",
            limit=limit.id,
            reasons=", ".join(r.code for r in limit.pausable),
        )
    return known


def _check_day(
    session: Session, instance: Instance, limit: Limit, from_on: date, evidence_id: UUID | None, now: datetime
) -> None:
    """A pause begins today; before that only as far as evidence shows it, and never over another pause."""
    today = day_of(now)
    earliest = today - JUSTIFIED if evidence_id is not None else today
    begun = session.scalars(
        select(Deadline.start_on).where(
            Deadline.instance_id == instance.id,
            Deadline.limit == limit.id,
            Deadline.state.in_((Deadline.State.RUNNING, Deadline.State.PAUSED)),
        )
    ).all()
    earliest = max([earliest, *([max(begun)] if begun else [])])
    for pause_ in queries.pauses_of(session, instance.id):
        if pause_.limit == limit.id and pause_.ended_at is not None:
            earliest = max(earliest, pause_.to_on or day_of(pause_.ended_at))
    if not min(earliest, today) <= from_on <= today:
        hint = "" if evidence_id else "；要从更早的日子算，请附上证明材料"
        raise Invalid(
            f"暂停从{earliest}到今天之间的一天起算{hint}。 The pause begins between {earliest} and today; "
            f"an earlier day needs evidence and must not lie in another pause.",
            code="deadline.pause_day",
            fields={"from": [f"{earliest} – {today}"]},
        )


def _open_pause(session: Session, instance_id: UUID, limit: str) -> DeadlinePause | None:
    return session.scalar(
        select(DeadlinePause).where(
            DeadlinePause.instance_id == instance_id,
            DeadlinePause.limit == limit,
            DeadlinePause.ended_at.is_(None),
        )
    )


# Extensions.


def request_extension(
    session: Session,
    row: Deadline,
    limit: Limit,
    *,
    amount: int | None = None,
    until: date | None = None,
    why: str,
    consents: Collection[str] = (),
    now: datetime,
    by: str,
    by_name: str = "",
) -> DeadlineExtension:
    """Ask for more time: ``amount`` of the limit's units, or the day that shall be the last. Nothing moves yet.

    Raises WrongState when the limit cannot be extended, was extended as often as it may be, is over, or when an
    answer is still awaited; Invalid when the length or the consents do not fit.
    """
    rule = limit.extendable
    if rule is None or limit.amount is None:
        raise WrongState(
            f"{limit.name_zh}（{limit.id}）没有规定可以延长：{limit.article}。",
            code="deadline.no_extension",
            limit=limit.id,
        )
    require_running(row, now=now)
    earlier = [e for e in session.scalars(_requests_of(row)) if e.state in _COUNTING]
    if any(e.state == DeadlineExtension.State.REQUESTED for e in earlier):
        raise WrongState(
            "已有一份延期申请在等批准。 A request is waiting.", code="extension.waiting", limit=limit.id
        )
    if len(earlier) >= rule.times:
        raise WrongState(
            f"{limit.id} 最多延长{rule.times}次，已经延长过了（{rule.article}）。",
            code="extension.used_up",
            limit=limit.id,
        )
    missing = [party for party in rule.consent if party not in consents]
    if missing:
        raise Invalid(
            f"延长须经当事人同意（{rule.article}）。 The parties have to consent.",
            code="extension.no_consent",
            fields={"consents": [", ".join(missing)]},
        )
    base = _with_extensions(session, row, limit, (), now=now)
    wanted = _units_until(session, row, limit, until, base, now=now) if amount is None else amount
    if wanted < 1 or (rule.at_most is not None and wanted > rule.at_most) or wanted > _LONGEST:
        most = rule.at_most or _LONGEST
        raise Invalid(
            f"可以延长 1 至 {most}（{rule.article}）。 From 1 to {most} may be asked for.",
            code="extension.too_long",
            fields={"amount": [f"1 – {most}"]},
        )
    after = _with_extensions(session, row, limit, (Extension(wanted, "", day_of(now), rule.article),), now=now)
    asked = DeadlineExtension(
        key=row.key,
        instance_id=row.instance_id,
        deadline_id=row.id,
        limit=row.limit,
        start=row.start,
        amount=wanted,
        why=why.strip(),
        consents=sorted(set(consents)),
        article=rule.article,
        approved_by=list(rule.approved_by),
        state=DeadlineExtension.State.REQUESTED,
        requested_at=now,
        requested_by=by,
        requested_by_name=by_name,
        before_on=row.due_on,
        after_on=after.due_on,
    )
    session.add(asked)
    session.flush()
    return asked


def approve(
    session: Session,
    asked: DeadlineExtension,
    row: Deadline,
    *,
    note: str = "",
    now: datetime,
    by: str,
    by_name: str,
) -> DeadlineExtension:
    """Grant more time. The caller holds the instance's lock and has the moments evaluated again afterwards.

    Raises WrongState when it was answered, or when the deadline is over (the limit passes as it is), Forbidden when
    the person who asked would answer it.
    """
    _decide(asked, DeadlineExtension.State.APPROVED, note, now=now, by=by, by_name=by_name)
    require_running(row, now=now)
    row.extended += 1
    session.flush()
    functions.forget(session)
    return asked


def refuse(
    session: Session, asked: DeadlineExtension, *, note: str = "", now: datetime, by: str, by_name: str
) -> DeadlineExtension:
    """Leave the deadline as it is. Raises as ``approve``."""
    _decide(asked, DeadlineExtension.State.REFUSED, note, now=now, by=by, by_name=by_name)
    session.flush()
    return asked


def withdraw_extension(session: Session, asked: DeadlineExtension, *, now: datetime, by: str) -> DeadlineExtension:
    """Take a request back. Raises WrongState when it was answered."""
    _require_requested(asked)
    asked.state, asked.decided_at, asked.decided_by = DeadlineExtension.State.WITHDRAWN, now, by
    session.flush()
    return asked


def require_running(row: Deadline, *, now: datetime) -> None:
    """Refuse what would reopen a deadline that is over. Raises WrongState."""
    over = row.state == Deadline.State.RUNNING and now >= row.due_at
    if over or row.state not in (Deadline.State.RUNNING, Deadline.State.PAUSED):
        raise WrongState(
            f"{row.limit} 已经届满或者结束，不能再暂停或者延长。 The limit is over.",
            code="deadline.over",
            limit=row.limit,
            state=str(row.state),
        )


#: No request is longer, whatever the parties agree: beyond it is a mistake.
_LONGEST = 366
_COUNTING = (DeadlineExtension.State.REQUESTED, DeadlineExtension.State.APPROVED)


def _requests_of(row: Deadline) -> Select[DeadlineExtension]:
    return select(DeadlineExtension).where(DeadlineExtension.deadline_id == row.id)


def _require_requested(asked: DeadlineExtension) -> None:
    if asked.state != DeadlineExtension.State.REQUESTED:
        raise WrongState(
            f"这份延期申请已经有了结果。 Expected a waiting request, found one that is {asked.state}.",
            code=f"extension.already_{asked.state}",
            expected="requested",
            found=str(asked.state),
        )


def _decide(
    asked: DeadlineExtension,
    how: DeadlineExtension.State,
    note: str,
    *,
    now: datetime,
    by: str,
    by_name: str,
) -> None:
    _require_requested(asked)
    if asked.requested_by == by:
        raise Forbidden(
            "延期由另一个人批准。 Somebody else has to decide on your request.", code="extension.four_eyes"
        )
    asked.state, asked.note = how, note.strip()
    asked.decided_at, asked.decided_by, asked.decided_by_name = now, by, by_name


def _with_extensions(
    session: Session, row: Deadline, limit: Limit, more: tuple[Extension, ...], *, now: datetime
) -> Due:
    granted = queries.extensions_of(session, row.instance_id) if row.extended else []
    return compute(
        limit,
        moment_of(row.start),
        calendar=queries.calendar(session),
        pauses=queries.spans(queries.pauses_of(session, row.instance_id), limit),
        extensions=(*queries.lengthened(granted, row.limit, row.start), *more),
        today=day_of(now),
    )


def _units_until(
    session: Session, row: Deadline, limit: Limit, until: date | None, base: Due, *, now: datetime
) -> int:
    """How many units make ``until`` the last day. Raises Invalid when no number of them does."""
    assert limit.extendable is not None
    ends: list[date] = []
    if until is not None and until > base.due_on:
        for amount in range(1, (limit.extendable.at_most or _LONGEST) + 1):
            more = (Extension(amount, "", day_of(now), ""),)
            ends.append(_with_extensions(session, row, limit, more, now=now).due_on)
            if ends[-1] == until:
                return amount
            if ends[-1] > until:
                break
    near = "、".join(sorted({end.isoformat() for end in ends[-2:]})) or f"> {base.due_on}"
    raise Invalid(
        f"最后一日不能是{until}；可以是{near}。 The last day cannot be {until}; it can be {near}.",
        code="extension.until",
        fields={"until": [near]},
    )


# The calendar.


@dataclass(frozen=True)
class Notice:
    """What the State Council announces for a year: breaks from–to, and workdays on weekends.

    Days of the neighbouring years may be among them (31 December made up for New Year).
    """

    year: int
    #: (name, first day, last day)
    breaks: tuple[tuple[str, date, date], ...]
    workdays: tuple[date, ...]
    source: str = "State Council"
    document_no: str = ""

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> "Notice":
        """Read ``{year, document_no, breaks: [{name, from, to}], workdays: [date]}``. Raises Invalid."""
        try:
            return cls(
                int(tree["year"]),
                tuple(
                    (str(b["name"]), date.fromisoformat(str(b["from"])), date.fromisoformat(str(b["to"])))
                    for b in tree["breaks"]
                ),
                tuple(date.fromisoformat(str(day)) for day in tree.get("workdays", ())),
                str(tree.get("source", "State Council")),
                str(tree.get("document_no", "")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid(
                "放假安排要写明 year、breaks（name, from, to）和 workdays。", fields={"": [str(error)]}
            ) from error

    def days(self) -> list[Day]:
        """Every day of the year as announced, and the days of the neighbouring years that it names."""
        self._check()
        off = {day: name for name, first, last in self.breaks for day in each_day(first, last + ONE_DAY)}
        year = each_day(date(self.year, 1, 1), date(self.year + 1, 1, 1))
        days = []
        for on in sorted({*year, *off, *self.workdays}):
            name = off.get(on, "")
            worked = on in self.workdays or (not name and on.weekday() < 5)
            label = "调休上班" if on in self.workdays else name
            days.append(Day(on, worked, label, name, self.source, self.document_no, Status.ANNOUNCED))
        return days

    def _check(self) -> None:
        wrong: list[str] = []
        if not ANNOUNCED_FROM <= self.year <= LAST_YEAR:
            wrong.append(f"{self.year} 不在 {ANNOUNCED_FROM}–{LAST_YEAR}。")
        off: set[date] = set()
        for name, first, last in self.breaks:
            if not name.strip() or last < first or (last - first).days > 30:
                wrong.append(f"{name} {first}–{last} 不是一段假期。")
                continue
            off.update(each_day(first, last + ONE_DAY))
        for day in (*off, *self.workdays):
            if abs(day.year - self.year) > 1:
                wrong.append(f"{day} 不属于 {self.year} 年的安排。")
        wrong += [f"{day} 既放假又上班。" for day in self.workdays if day in off]
        wrong += [f"{day} 本来就是工作日。" for day in self.workdays if day.weekday() < 5]
        if not self.breaks:
            wrong.append("没有写假期。")
        if wrong:
            raise Invalid("放假安排有误。", fields={"notice": wrong})


def override(on: date, *, is_workday: bool, name: str, source: str, document_no: str = "") -> list[Day]:
    """One day as an administrator sets it (a local order, a correction); a named day off is a break's."""
    return [Day(on, is_workday, name, "" if is_workday else name, source, document_no, Status.ANNOUNCED)]


@dataclass(frozen=True)
class Moved:
    """A deadline that ends on another day when the calendar changes."""

    key: str
    instance_id: UUID
    limit: str
    start: str
    before: date
    after: date
    #: Whether the new date stands on announced days.
    provisional: bool

    def json(self) -> dict[str, Any]:
        """As it is listed and logged."""
        return {
            "key": self.key,
            "limit": self.limit,
            "start": self.start,
            "before": self.before.isoformat(),
            "after": self.after.isoformat(),
            "provisional": self.provisional,
        }


@dataclass(frozen=True)
class Change:
    """What a change of the calendar does, before it is applied."""

    days: tuple[Day, ...]
    #: Days that differ: (before, after).
    changed: tuple[tuple[Day, Day], ...]
    moved: tuple[Moved, ...]
    #: Deadlines that end on the same day, surer than before.
    settled: tuple[Moved, ...]

    def json(self) -> dict[str, Any]:
        """``{days: [{date, before, after}], moved: […], settled: […]}``"""
        return {
            "days": [day_difference(before, after) for before, after in self.changed],
            "moved": [deadline.json() for deadline in self.moved],
            "settled": [deadline.json() for deadline in self.settled],
        }


def preview(session: Session, days: Iterable[Day], *, now: datetime) -> Change:
    """What importing these days would change: the days, and every deadline that would move. Changes nothing."""
    given = tuple(sorted(days, key=lambda day: day.date))
    before = queries.calendar(session)
    after = with_days(before, given)
    dates = {day.date for day in (*given, *after.given())} | {day.date for day in before.given()}
    changed = tuple(
        (before.day(on), after.day(on)) for on in sorted(dates) if days_differ(before.day(on), after.day(on))
    )
    if not changed:
        return Change(given, (), (), ())
    first, last = changed[0][0].date, changed[-1][0].date
    moved: list[Moved] = []
    settled: list[Moved] = []
    for row, limit, pauses in _running(session, first, last):
        due = compute(limit, moment_of(row.start), calendar=after, pauses=pauses, today=day_of(now))
        entry = Moved(row.key, row.instance_id, row.limit, row.start, row.due_on, due.due_on, due.provisional)
        if due.due_at != row.due_at:
            moved.append(entry)
        elif explains_otherwise(row, due):
            settled.append(entry)
    return Change(given, changed, tuple(moved), tuple(settled))


def apply(
    session: Session,
    engine: Engine,
    days: Iterable[Day],
    *,
    source: str,
    document_no: str = "",
    now: datetime,
    by: str,
) -> Change:
    """Take the days over, log what they change, and move every deadline that rests on them.

    The cases are re-armed one after the other in this transaction, in the order of their ids.
    """
    change = preview(session, days, now=now)
    if not change.changed:
        return change
    calendar = with_days(queries.calendar(session), change.days)
    store_calendar(session, calendar)
    session.add(
        CalendarChange(
            at=now,
            by=by,
            source=source,
            document_no=document_no,
            digest=calendar_digest(calendar),
            days=[day_difference(before, after) for before, after in change.changed],
            moved=[deadline.json() for deadline in change.moved],
        )
    )
    days_changed = sorted(before.date.isoformat() for before, _ in change.changed)
    facts = {
        "first": days_changed[0],
        "last": days_changed[-1],
        "days": len(days_changed),
        "moved": len(change.moved),
        "document_no": document_no,
    }
    audit.record(session, chain="calendar", action="calendar.changed", facts=facts, by=by, now=now)
    session.flush()
    functions.forget(session)
    for instance_id in sorted({deadline.instance_id for deadline in change.moved}):
        engine.rearm(session, instance_id, now=now, by=by)
    _explain_again(session, calendar, change, now)
    return change


def fill_calendar(session: Session, years: Iterable[int], *, now: datetime, by: str) -> int:
    """Write down the days of years as ``holidays`` knows them; years that are there already stay. Days written.

    Nothing moves: years that are missing are reckoned in the same way.
    """
    have = queries.calendar(session)
    wanted = [year for year in sorted(set(years)) if year not in have.years]
    days = [day for year in wanted for day in known_year(year).values()]
    if days:
        calendar = Calendar([*have.given(), *days])
        store_calendar(session, calendar)
        session.add(
            CalendarChange(at=now, by=by, source="holidays", digest=calendar_digest(calendar), days=[], moved=[])
        )
        session.flush()
        functions.forget(session)
    return len(days)


def with_days(calendar: Calendar, days: Sequence[Day]) -> Calendar:
    """The calendar with these days, in which whole years stand written: a year is never half known."""
    years = {day.date.year for day in days} - calendar.years
    base = {day.date: day for day in calendar.given()}
    for year in years:
        base.update(known_year(year))
    base.update({day.date: day for day in days})
    # A break may reach over New Year: what lies beyond is looked at, and kept only where it was before.
    around = {
        day.date: day
        for year in {day.year for day in base}
        for near in (year - 1, year + 1)
        if ANNOUNCED_FROM <= near <= LAST_YEAR
        for day in known_year(near).values()
        if day.date not in base
    }
    return Calendar(day for day in named_breaks([*base.values(), *around.values()]) if day.date in base)


def store_calendar(session: Session, calendar: Calendar) -> None:
    session.execute(delete(CalendarDay))
    rows = [{**asdict(day), "status": day.status.value} for day in calendar.given()]
    session.execute(insert(CalendarDay), rows)


def calendar_digest(calendar: Calendar) -> str:
    days = [{**asdict(day), "date": day.date.isoformat()} for day in calendar.given()]
    return hashlib.sha256(orjson.dumps(days, option=orjson.OPT_SORT_KEYS)).hexdigest()


def days_differ(before: Day, after: Day) -> bool:
    """Whether people would notice: source and number alone change no deadline."""
    return (before.is_workday, before.break_name, before.name, before.status) != (
        after.is_workday,
        after.break_name,
        after.name,
        after.status,
    )


def day_difference(before: Day, after: Day) -> dict[str, Any]:
    def plain(day: Day) -> dict[str, Any]:
        return {
            "is_workday": day.is_workday,
            "name": day.name,
            "break_name": day.break_name,
            "status": day.status.value,
        }

    return {"date": before.date.isoformat(), "before": plain(before), "after": plain(after)}


def _running(session: Session, first: date, last: date) -> Iterable[tuple[Deadline, Limit, list[Pause]]]:
    """Deadlines that look at a day between these two, with their limits and pauses."""
    rows = session.execute(
        select(Deadline, Instance.bundle)
        .join(Instance, Instance.id == Deadline.instance_id)
        .where(
            Deadline.state.in_((Deadline.State.RUNNING, Deadline.State.PAUSED)),
            Deadline.due_on >= first,
            Deadline.start_on <= last,
        )
        .order_by(Deadline.key, Deadline.due_at, Deadline.limit)
    ).all()
    ids = {row.instance_id for row, _ in rows}
    pauses: dict[UUID, list[DeadlinePause]] = {}
    for pause_ in session.scalars(select(DeadlinePause).order_by(DeadlinePause.began_at)):
        if pause_.instance_id in ids:
            pauses.setdefault(pause_.instance_id, []).append(pause_)
    for row, bundle in rows:
        limit = queries.limits_of(session, bundle).get(row.limit, region=row.region or None, on=row.edition_on)
        yield row, limit, queries.spans(pauses.get(row.instance_id, []), limit)


def explains_otherwise(row: Deadline, due: Due) -> bool:
    return due.json() != {key: row.explanation.get(key) for key in due.json()}


def _explain_again(session: Session, calendar: Calendar, change: Change, now: datetime) -> None:
    """Deadlines that end on the same day for another reason, or for sure now, say so."""
    first, last = change.changed[0][0].date, change.changed[-1][0].date
    for row, limit, pauses in _running(session, first, last):
        due = compute(limit, moment_of(row.start), calendar=calendar, pauses=pauses, today=day_of(now))
        if due.due_at == row.due_at:
            row.provisional = due.provisional
            row.explanation = {**row.explanation, **record(due)}
