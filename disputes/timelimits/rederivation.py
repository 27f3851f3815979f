"""All running deadlines reckoned again when the calendar or a time limit changes: rehearsed, then applied.

A rehearsal writes down each deadline that would change, before and after, and changes nothing. Applying makes the
cause hold (the calendar is stored), then moves case after case: in small transactions, each under the locks of its
cases, each case reckoned once more. What was committed stays when a process is killed; the next one goes on.

Nothing that has passed is reopened: a limit whose end was acted upon is reported and kept. A limit whose new end
lies in the past is due at once.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, insert, select, tuple_
from sqlalchemy.orm import Session

from core.db import Database
from core.refusals import Invalid, NotFound, WrongState
from disputes.audit import operations as audit
from disputes.timelimits import functions, queries
from disputes.timelimits import operations as calendars
from disputes.timelimits.calendar import ANNOUNCED_FROM, LAST_YEAR, Calendar, Day, Status
from disputes.timelimits.explanation import record
from disputes.timelimits.limits import Limit, LimitsError, UnknownLimit
from disputes.timelimits.models import (
    CalendarChange,
    Deadline,
    DeadlineExtension,
    DeadlinePause,
    Rederivation,
    RederivationItem,
)
from disputes.timelimits.rules import (
    NEVER,
    Due,
    Extension,
    Pause,
    TimeLimitError,
    compute,
    day_of,
    moment_of,
    warning_at,
)
from engine import Engine, Instance, Task, Timer, bundles, retiming

log = logging.getLogger(__name__)

State, Cause = Rederivation.State, Rederivation.Cause
Item, Effect = RederivationItem.State, RederivationItem.Effect

#: Cases moved in one transaction: few enough that nobody waits long for their locks.
BATCH = 100
#: Rows written in one statement.
CHUNK = 1000
#: Looks for what began meanwhile, before an application ends all the same (and says what is left).
SWEEPS = 5

_OPEN = (Deadline.State.RUNNING, Deadline.State.PAUSED)
_UNRECKONABLE = (LimitsError, UnknownLimit, TimeLimitError, NotFound, ValueError)


@dataclass(frozen=True)
class Moved:
    """One deadline that ends on another day than before."""

    limit: str
    start: str
    name_zh: str
    name_en: str
    #: Whether the parties are told: a limit of the law, or one that they are held to.
    for_parties: bool
    before: date
    after: date


#: Tells the people of cases (key → what moved), inside the transaction that moved it.
Telling = Callable[[Session, Mapping[str, Sequence[Moved]], Rederivation, datetime], None]


def nobody_is_told(
    session: Session, moved: Mapping[str, Sequence[Moved]], plan: Rederivation, now: datetime
) -> None:
    """For whoever tells them in another way."""


# The rehearsal.


def rehearse(
    session: Session,
    *,
    cause: Rederivation.Cause,
    days: Iterable[Day] = (),
    release: str | None = None,
    why: str = "",
    document_no: str = "",
    source: str = "",
    now: datetime,
    by: str,
) -> Rederivation:
    """Write down what a change of the calendar (``days``) or of the limits (those of ``release``) would do.

    Raises Invalid when the cause lacks what it stands on.
    """
    given = tuple(sorted(days, key=lambda day: day.date))
    if (cause is Cause.CALENDAR) != bool(given) or (cause is Cause.LIMITS) != (release is not None):
        raise Invalid(
            "日历变更要给出日子，时限变更要给出发布版本。 A calendar needs days, limits need a release.",
            code="rederivation.cause",
        )
    if release is not None:
        queries.limits_of(session, release)
    plan = Rederivation(
        cause=cause,
        state=State.REHEARSED,
        why=why.strip(),
        document_no=document_no.strip(),
        source=source.strip(),
        days=[_stored(day) for day in given],
        release=release,
        rehearsed_at=now,
        rehearsed_by=by,
        counts={},
    )
    session.add(plan)
    before, after = _bases(session, plan, now)
    plan.changed = [calendars.day_difference(one, other) for one, other in _changed_days(before, after, given)]
    session.flush()
    checked = session.scalar(select(func.count()).select_from(_running().subquery())) or 0
    old, new = _Reckoner(session, before), _Reckoner(session, after)
    old.read(None)
    new.share(old)
    found = list(_differences(session, plan, old, new))
    _mark_warned(session, new, found)
    _insert(session, plan, found, first=1)
    plan.counts = _counted(checked, found)
    facts = {
        "rederivation": str(plan.id),
        "cause": str(cause),
        "items": len(found),
        "document_no": plan.document_no,
    }
    audit.record(session, chain="calendar", action="deadlines.rehearsed", facts=facts, by=by, now=now)
    session.flush()
    return plan


def rehearse_wanted(session: Session, wanted: Mapping[str, Any], *, now: datetime, by: str) -> Rederivation:
    """Rehearse what a request or a file describes.

    ``{cause, notice: {year, breaks, workdays, …} or days: [{date, is_workday, name}], release, why, document_no,
    source}``; the limits are those of the release in force unless another is named. Raises Invalid.
    """
    cause = Cause(wanted["cause"])
    document_no, source = str(wanted.get("document_no") or ""), str(wanted.get("source") or "")
    days: list[Day] = []
    if wanted.get("notice"):
        notice = calendars.Notice.from_json(wanted["notice"])
        days, document_no, source = notice.days(), document_no or notice.document_no, source or notice.source
    for one in wanted.get("days") or ():
        _check_known(one["date"])
        days += calendars.override(
            one["date"],
            is_workday=one["is_workday"],
            name=str(one.get("name") or "").strip(),
            source=source or "administrator",
            document_no=document_no,
        )
    if len({day.date for day in days}) != len(days):
        raise Invalid("同一日写了两次。 A day is given twice.", code="calendar.twice", fields={"days": ["twice"]})
    release = wanted.get("release") or (bundles.current(session) if cause is Cause.LIMITS else None)
    return rehearse(
        session,
        cause=cause,
        days=days,
        release=release,
        why=str(wanted.get("why") or ""),
        document_no=document_no,
        source=source,
        now=now,
        by=by,
    )


def _check_known(on: date) -> None:
    if not ANNOUNCED_FROM <= on.year <= LAST_YEAR:
        raise Invalid(
            f"{on} 不在 {ANNOUNCED_FROM}–{LAST_YEAR}。 No calendar is kept for that year.",
            code="calendar.year",
            fields={"days": [f"{ANNOUNCED_FROM} – {LAST_YEAR}"]},
        )


def abandon(session: Session, plan: Rederivation, *, now: datetime, by: str) -> Rederivation:
    """Never apply a rehearsal. Raises WrongState when it was applied or abandoned."""
    _require(plan, State.REHEARSED)
    plan.state, plan.ended_at = State.ABANDONED, now
    facts = {"rederivation": str(plan.id)}
    audit.record(session, chain="calendar", action="deadlines.abandoned", facts=facts, by=by, now=now)
    session.flush()
    return plan


def begin(session: Session, plan: Rederivation, *, now: datetime, by: str) -> Rederivation:
    """Make the cause hold, and order that all cases be moved (``carry_out``). Raises WrongState.

    What begins from now on is reckoned by the new calendar already.
    """
    _require(plan, State.REHEARSED)
    plan.state, plan.applied_at, plan.applied_by = State.APPLYING, now, by
    if plan.cause == Cause.CALENDAR:
        days = [_day(tree) for tree in plan.days]
        before = queries.calendar(session)
        after = calendars.with_days(before, days)
        plan.changed = [
            calendars.day_difference(a, b) for a, b in _changed_days(_Basis(before, now), _Basis(after, now), days)
        ]
        calendars.store_calendar(session, after)
        session.add(
            CalendarChange(
                at=now,
                by=by,
                source=plan.source or "rederivation",
                document_no=plan.document_no,
                digest=calendars.calendar_digest(after),
                days=plan.changed,
                moved=[],
            )
        )
    facts = {"rederivation": str(plan.id), "cause": str(plan.cause), "document_no": plan.document_no}
    audit.record(session, chain="calendar", action="deadlines.applied", facts=facts, by=by, now=now)
    session.flush()
    functions.forget(session)
    return plan


# The application.


def carry_out(
    database: Database,
    engine: Engine,
    *,
    clock: Callable[[], datetime],
    tell: Telling = nobody_is_told,
    plan_id: UUID | None = None,
    batches: int | None = None,
) -> int:
    """Go on with everything that was ordered to be applied; answers how many cases were taken up.

    ``batches`` bounds the work of one call. Any number of workers may do this at the same time.
    """
    done = 0
    while batches is None or batches > 0:
        with database.reader() as session:
            wanted = select(Rederivation.id).where(Rederivation.state == State.APPLYING)
            if plan_id is not None:
                wanted = wanted.where(Rederivation.id == plan_id)
            waiting = session.scalar(wanted.order_by(Rederivation.applied_at).limit(1))
        if waiting is None:
            break
        taken = _one_batch(database, engine, waiting, clock, tell)
        if taken is None:
            break  # another worker is at it
        done += taken
        batches = None if batches is None else batches - 1
    return done


def _one_batch(
    database: Database, engine: Engine, plan_id: UUID, clock: Callable[[], datetime], tell: Telling
) -> int | None:
    """Move the next cases; None when another process holds the plan."""
    ids: list[UUID] = []
    try:
        with database.transaction() as session:
            plan = _lock_plan(session, plan_id)
            if plan is None:
                return None
            ids = _next_instances(session, plan)
            if not ids:
                _sweep_or_end(session, plan, clock())
                return 0
            _move(session, engine, plan, ids, clock(), tell)
        return len(ids)
    except Exception:
        if not ids:
            raise
        log.exception("A batch of %s cases was not moved together; each is tried alone.", len(ids))
    for instance_id in ids:
        _one_alone(database, engine, plan_id, instance_id, clock, tell)
    return len(ids)


def _one_alone(
    database: Database,
    engine: Engine,
    plan_id: UUID,
    instance_id: UUID,
    clock: Callable[[], datetime],
    tell: Telling,
) -> None:
    """One failing case holds up nobody: it is reported, and stays as it is."""
    try:
        with database.transaction() as session:
            plan = _lock_plan(session, plan_id)
            if plan is not None:
                _move(session, engine, plan, [instance_id], clock(), tell)
    except Exception as error:
        log.exception("Case %s was not moved.", instance_id)
        with database.transaction() as session:
            for item in _planned_of(session, plan_id, [instance_id]):
                item.state, item.note = Item.FAILED, f"{type(error).__name__}: {error}"[:500]


def _lock_plan(session: Session, plan_id: UUID) -> Rederivation | None:
    query = (
        select(Rederivation)
        .where(Rederivation.id == plan_id, Rederivation.state == State.APPLYING)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).one_or_none()


def _next_instances(session: Session, plan: Rederivation) -> list[UUID]:
    query = (
        select(RederivationItem.instance_id)
        .where(RederivationItem.rederivation_id == plan.id, RederivationItem.state == Item.PLANNED)
        .distinct()
        .order_by(RederivationItem.instance_id)
        .limit(BATCH)
    )
    return list(session.scalars(query))


def _planned_of(session: Session, plan_id: UUID, ids: Sequence[UUID]) -> list[RederivationItem]:
    query = select(RederivationItem).where(
        RederivationItem.rederivation_id == plan_id,
        RederivationItem.state == Item.PLANNED,
        RederivationItem.instance_id.in_(ids),
    )
    return list(session.scalars(query.order_by(RederivationItem.instance_id, RederivationItem.number)))


def _move(
    session: Session, engine: Engine, plan: Rederivation, ids: Sequence[UUID], now: datetime, tell: Telling
) -> None:
    """Reckon the deadlines of these cases under their locks, and move what has to move."""
    items = _planned_of(session, plan.id, ids)
    instances = retiming.lock(session, ids)
    reckoner = _Reckoner(session, _Basis(queries.calendar(session), now, plan.release))
    rows = {row.id: row for row in session.scalars(select(Deadline).where(Deadline.instance_id.in_(instances)))}
    reckoner.read(instances)
    carried = _carried(session, instances)
    changes: dict[UUID, _Change] = {}
    for item in items:
        row, instance = rows.get(item.deadline_id), instances.get(item.instance_id)
        if row is None or instance is None or row.state not in _OPEN:
            item.state = Item.GONE
            continue
        change = changes.setdefault(instance.id, _Change(retiming.Retiming(instance)))
        _move_one(reckoner, plan, item, row, instance, carried.get((instance.id, row.limit, row.start), []), change)
    by = f"system:rederivation:{plan.id}"
    retiming.retime(engine, session, [c.retiming for c in changes.values() if not c.odd], now=now, by=by)
    session.flush()
    for change in changes.values():
        if change.odd:
            functions.forget(session)
            engine.rearm(session, change.retiming.instance.id, now=now, by=by)
    moved = {c.retiming.instance.key: c.moved for c in changes.values() if c.moved}
    facts = {
        f"case:{key}": {
            "rederivation": str(plan.id),
            "cause": str(plan.cause),
            "moved": [f"{m.limit} {m.before.isoformat()} → {m.after.isoformat()}" for m in what],
        }
        for key, what in moved.items()
    }
    audit.record_many(session, action="deadlines.moved", facts=facts, by=by, now=now)
    if moved:
        tell(session, moved, plan, now)
    session.flush()


@dataclass
class _Change:
    retiming: retiming.Retiming
    moved: list[Moved] = field(default_factory=list)
    #: A moment that no limit alone gives (``due(…) + duration(…)``): the engine evaluates the whole case.
    odd: bool = False


def _move_one(
    reckoner: "_Reckoner",
    plan: Rederivation,
    item: RederivationItem,
    row: Deadline,
    instance: Instance,
    carriers: Sequence[Timer | Task],
    change: _Change,
) -> None:
    try:
        found = reckoner.reckon(_Known.of(row, instance.bundle))
        moves = [(c, *_moment(reckoner, found, c)) for c in carriers if _is_plain(c)]
    except _UNRECKONABLE as error:
        item.state, item.note = Item.FAILED, str(error)[:500]
        return
    due = found.due
    right = due.due_at == row.due_at and due.provisional == row.provisional and not due.paused
    if right and not calendars.explains_otherwise(row, due):
        item.state = Item.GONE
        return
    if plan.release is not None:
        row.limits_from, row.edition_on = plan.release, found.edition_on
    # While it stands still, its row says what held on the day of the pause; the rehearsal said what held then.
    before = item.before_on if due.paused else row.due_on
    item.state = Item.APPLIED if due.due_at == item.after_at else Item.CHANGED
    item.after_on, item.after_at, item.after_provisional = due.due_on, due.due_at, due.provisional
    change.odd = change.odd or len(moves) < len(carriers)
    change.retiming.moves.extend(moves)
    if not carriers:
        row.due_on, row.due_at, row.provisional = due.due_on, due.due_at, due.provisional
    if before != due.due_on:
        change.moved.append(_told(due, row, before))
        payload = {
            "limit": row.limit,
            "start": row.start,
            "from": before.isoformat(),
            "to": due.due_on.isoformat(),
            "cause": str(plan.cause),
            "rederivation": str(plan.id),
        }
        change.retiming.log.append(("deadline.moved", row.process, row.element, payload))


def _told(due: Due, row: Deadline, before: date) -> Moved:
    limit = due.limit
    return Moved(
        row.limit,
        row.start,
        limit.name_zh,
        limit.name_en,
        limit.legal or limit.bound.value == "party",
        before,
        due.due_on,
    )


def _is_plain(carrier: Timer | Task) -> bool:
    """Whether the moment is what the limit gave, and nothing was added to it."""
    note = (carrier.note if isinstance(carrier, Timer) else carrier.due_note) or {}
    at = note.get("at") or (note.get("due_at") if note.get("rung") is None and not note.get("paused") else None)
    return at is not None and carrier.due_at == datetime.fromisoformat(at)


def _moment(reckoner: "_Reckoner", found: "_Found", carrier: Timer | Task) -> tuple[datetime, dict[str, Any]]:
    note = (carrier.note if isinstance(carrier, Timer) else carrier.due_note) or {}
    rung = note.get("rung")
    moment = found.due.fires_at if rung is None else reckoner.warning(found, rung)
    return moment, {
        **reckoner.said(found),
        "rung": rung,
        "at": moment.astimezone(UTC).isoformat(),
        "edition_on": found.edition_on.isoformat(),
        "case_region": str(note.get("case_region") or ""),
    }


def _carried(
    session: Session, instances: Mapping[UUID, Instance]
) -> dict[tuple[UUID, str, str], list[Timer | Task]]:
    """Who holds somebody to which limit: (instance, limit, start) → timers and tasks."""
    found: dict[tuple[UUID, str, str], list[Timer | Task]] = {}
    for carrier in retiming.carriers(session, list(instances)):
        note = (carrier.note if isinstance(carrier, Timer) else carrier.due_note) or {}
        if "limit" in note and "start" in note:
            found.setdefault((carrier.instance_id, note["limit"], note["start"]), []).append(carrier)
    return found


def _sweep_or_end(session: Session, plan: Rederivation, now: datetime) -> None:
    """Look for what began while the rest was moved; end when there is nothing more."""
    sweeps = plan.counts.get("sweeps", 0)
    basis = _Basis(queries.calendar(session), now, plan.release)
    left = [] if sweeps >= SWEEPS else list(_drifted(session, plan, basis))
    known = session.scalar(
        select(func.max(RederivationItem.number)).where(RederivationItem.rederivation_id == plan.id)
    )
    if left:
        _insert(session, plan, left, first=(known or 0) + 1)
        plan.counts = {**plan.counts, "sweeps": sweeps + 1}
        return
    counted = session.execute(
        select(RederivationItem.state, func.count())
        .where(RederivationItem.rederivation_id == plan.id)
        .group_by(RederivationItem.state)
    ).all()
    plan.counts = {**plan.counts, **{f"items_{state}": number for state, number in counted}}
    plan.state, plan.ended_at = State.APPLIED, now
    facts = {"rederivation": str(plan.id), **{str(state): number for state, number in counted}}
    audit.record(session, chain="calendar", action="deadlines.moved_all", facts=facts, by="system", now=now)


def rearm_instance(session: Session, engine: Engine, instance_id: UUID, *, now: datetime, by: str) -> list[Moved]:
    """Reckon one case again after its diagram changed (a migration): every expression is evaluated anew.

    Answers the deadlines that moved; those that the new diagram holds nobody to are dropped by the listener.
    """
    query = select(Deadline).where(Deadline.instance_id == instance_id, Deadline.state.in_(_OPEN))
    before = {row.id: row.due_on for row in session.scalars(query)}
    functions.forget(session)
    engine.rearm(session, instance_id, now=now, by=by)
    session.flush()
    moved = []
    bundle = session.get_one(Instance, instance_id).bundle
    for row in session.scalars(query.execution_options(populate_existing=True)):
        if row.id in before and before[row.id] != row.due_on:
            limit = queries.limit_of(session, row, bundle)
            seen = limit.legal or limit.bound.value == "party"
            moved.append(
                Moved(row.limit, row.start, limit.name_zh, limit.name_en, seen, before[row.id], row.due_on)
            )
    return moved


# Reading.


def find(session: Session, plan_id: UUID, *, lock: bool = False) -> Rederivation:
    """One re-derivation. Raises NotFound."""
    query = select(Rederivation).where(Rederivation.id == plan_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    plan = session.scalars(query).one_or_none()
    if plan is None:
        raise NotFound("没有这次重新推算。 There is no such re-derivation.", code="rederivation.not_found")
    return plan


def plans(session: Session, *, after: tuple[datetime, UUID] | None = None, limit: int = 50) -> list[Rederivation]:
    """Re-derivations, the newest first."""
    query = select(Rederivation).order_by(Rederivation.rehearsed_at.desc(), Rederivation.id.desc())
    if after is not None:
        query = query.where(tuple_(Rederivation.rehearsed_at, Rederivation.id) < tuple_(*after))
    return list(session.scalars(query.limit(limit)))


def items(
    session: Session,
    plan_id: UUID,
    *,
    effect: str | None = None,
    state: str | None = None,
    after: int = 0,
    limit: int = 50,
) -> list[RederivationItem]:
    """The deadlines that it changes, in the order of their cases, behind number ``after``."""
    query = select(RederivationItem).where(
        RederivationItem.rederivation_id == plan_id, RederivationItem.number > after
    )
    if effect:
        query = query.where(RederivationItem.effect == effect)
    if state:
        query = query.where(RederivationItem.state == state)
    return list(session.scalars(query.order_by(RederivationItem.number).limit(limit)))


def progress(session: Session, plan_id: UUID) -> dict[str, int]:
    """How many items stand in which state."""
    query = (
        select(RederivationItem.state, func.count())
        .where(RederivationItem.rederivation_id == plan_id)
        .group_by(RederivationItem.state)
    )
    return {str(state): number for state, number in session.execute(query)}


# The reckoning.


@dataclass(frozen=True)
class _Basis:
    """What deadlines are reckoned with."""

    calendar: Calendar
    now: datetime
    #: The release whose limits hold for all; None: each its own.
    release: str | None = None

    @property
    def today(self) -> date:
        return day_of(self.now)


@dataclass(frozen=True)
class _Known:
    """What the reckoning wants to know of a deadline."""

    id: UUID
    instance_id: UUID
    limit: str
    start: str
    region: str
    edition_on: date
    limits_from: str | None
    bundle: str
    extended: int

    @classmethod
    def of(cls, row: "Deadline | Row[Any]", bundle: str) -> "_Known":
        limit = row.limit if isinstance(row, Deadline) else row.limit_id
        return cls(
            row.id,
            row.instance_id,
            limit,
            row.start,
            row.region,
            row.edition_on,
            row.limits_from,
            bundle,
            row.extended,
        )


@dataclass(frozen=True)
class _Found:
    due: Due
    edition_on: date
    #: Everything that the moment follows from but the start's hour: the key of what is kept.
    key: tuple[Any, ...]
    pauses: tuple[Pause, ...]
    extensions: tuple[Extension, ...]


class _Reckoner:
    """Reckons many deadlines; those that began alike are reckoned once."""

    def __init__(self, session: Session, basis: _Basis) -> None:
        self.session, self.basis = session, basis
        self._pauses: dict[UUID, list[DeadlinePause]] = {}
        self._extensions: dict[UUID, list[DeadlineExtension]] = {}
        self._editions: dict[tuple[Any, ...], tuple[Limit, date]] = {}
        self._dues: dict[tuple[Any, ...], Due] = {}
        self._warnings: dict[tuple[Any, ...], datetime] = {}
        self._said: dict[tuple[Any, ...], dict[str, Any]] = {}

    def read(self, instances: Iterable[UUID] | None) -> None:
        """Read the pauses and extensions of these instances, or of all."""
        pauses = select(DeadlinePause).order_by(DeadlinePause.began_at, DeadlinePause.id)
        extensions = (
            select(DeadlineExtension)
            .where(DeadlineExtension.state == DeadlineExtension.State.APPROVED)
            .order_by(DeadlineExtension.decided_at, DeadlineExtension.id)
        )
        if instances is not None:
            wanted = list(instances)
            pauses = pauses.where(DeadlinePause.instance_id.in_(wanted))
            extensions = extensions.where(DeadlineExtension.instance_id.in_(wanted))
        else:
            live = select(Instance.id).where(Instance.ended_at.is_(None))
            pauses = pauses.where(DeadlinePause.instance_id.in_(live))
            extensions = extensions.where(DeadlineExtension.instance_id.in_(live))
        for pause in self.session.scalars(pauses):
            self._pauses.setdefault(pause.instance_id, []).append(pause)
        for extension in self.session.scalars(extensions):
            self._extensions.setdefault(extension.instance_id, []).append(extension)

    def share(self, other: "_Reckoner") -> None:
        """Take over what another one has read."""
        self._pauses, self._extensions = other._pauses, other._extensions

    def reckon(self, row: _Known) -> _Found:
        """When the deadline ends on this basis. Raises what cannot be reckoned."""
        limit, edition_on = self._edition(row)
        pauses = tuple(queries.spans(self._pauses.get(row.instance_id, ()), limit))
        granted = self._extensions.get(row.instance_id, ()) if row.extended else ()
        extensions = queries.lengthened(granted, row.limit, row.start)
        start = moment_of(row.start)
        whole = limit.unit is None or limit.unit.whole_days
        digest = self.basis.release or row.limits_from or row.bundle
        begun = day_of(start) if whole else start
        key = (digest, row.limit, row.region, edition_on, begun, pauses, extensions)
        due = self._dues.get(key)
        if due is None:
            due = self._dues[key] = compute(
                limit,
                start,
                calendar=self.basis.calendar,
                pauses=pauses,
                extensions=extensions,
                today=self.basis.today,
            )
        return _Found(due if due.start == start else replace(due, start=start), edition_on, key, pauses, extensions)

    def warning(self, found: _Found, rung: int) -> datetime:
        """When a rung of its ladder is due."""
        if found.due.paused:
            return NEVER
        key = (found.key, rung)
        moment = self._warnings.get(key)
        if moment is None:
            moment = self._warnings[key] = warning_at(
                found.due.limit,
                found.due.start,
                rung,
                calendar=self.basis.calendar,
                pauses=found.pauses,
                extensions=found.extensions,
                today=self.basis.today,
            )
        return moment

    def said(self, found: _Found) -> dict[str, Any]:
        """The explanation that is kept with it (``explanation.record``)."""
        key = (found.key, found.due.start)
        said = self._said.get(key)
        if said is None:
            said = self._said[key] = record(found.due)
        return said

    def _edition(self, row: _Known) -> tuple[Limit, date]:
        digest = self.basis.release or row.limits_from or row.bundle
        key = (digest, row.limit, row.region, row.edition_on)
        found = self._editions.get(key)
        if found is None:
            limits, region = queries.limits_of(self.session, digest), row.region or None
            if self.basis.release is None:
                found = limits.get(row.limit, region=region, on=row.edition_on), row.edition_on
            else:
                limit = limits.of_running(row.limit, region=region, began_on=row.edition_on, today=self.basis.today)
                on = row.edition_on if not limit.covers_running else self.basis.today
                found = limit, on
            self._editions[key] = found
        return found


def _bases(session: Session, plan: Rederivation, now: datetime) -> tuple[_Basis, _Basis]:
    """What holds now, and what would hold."""
    calendar = queries.calendar(session)
    new = calendars.with_days(calendar, [_day(tree) for tree in plan.days]) if plan.days else calendar
    return _Basis(calendar, now), _Basis(new, now, plan.release)


def _changed_days(before: _Basis, after: _Basis, given: Sequence[Day]) -> list[tuple[Day, Day]]:
    dates = {day.date for day in given}
    dates |= {day.date for day in (*before.calendar.given(), *after.calendar.given())}
    pairs = [(before.calendar.day(on), after.calendar.day(on)) for on in sorted(dates)]
    return [(one, other) for one, other in pairs if calendars.days_differ(one, other)]


_COLUMNS = (
    Deadline.id,
    Deadline.instance_id,
    Deadline.key,
    Deadline.limit.label("limit_id"),
    Deadline.start,
    Deadline.region,
    Deadline.edition_on,
    Deadline.limits_from,
    Deadline.extended,
    Deadline.due_on,
    Deadline.due_at,
    Deadline.provisional,
    Deadline.state,
    Deadline.settled_at,
    Instance.bundle,
)


def _running(states: Sequence[Deadline.State] = _OPEN) -> Select[*tuple[Any, ...]]:
    return (
        select(*_COLUMNS)
        .join(Instance, Instance.id == Deadline.instance_id)
        .where(Instance.ended_at.is_(None), Deadline.state.in_(states))
    )


def _touched(plan: Rederivation, states: Sequence[Deadline.State]) -> Select[*tuple[Any, ...]]:
    """The deadlines that look at a day that changes; all, when limits change."""
    query = _running(states)
    if plan.cause == Cause.CALENDAR:
        if not plan.changed:
            return query.where(Deadline.id.is_(None))
        first = date.fromisoformat(plan.changed[0]["date"])
        last = date.fromisoformat(plan.changed[-1]["date"])
        query = query.where(Deadline.due_on >= first, Deadline.start_on <= last)
    return query.order_by(Deadline.instance_id, Deadline.limit, Deadline.start)


@dataclass
class _Difference:
    row: Row[Any]
    before_on: date
    before_at: datetime
    before_provisional: bool
    after: Due | None
    effect: RederivationItem.Effect
    state: RederivationItem.State = Item.PLANNED
    note: str = ""
    warned: list[str] = field(default_factory=list)


def _differences(session: Session, plan: Rederivation, old: "_Reckoner", new: "_Reckoner") -> Iterator[_Difference]:
    """Every deadline that would change, and those whose passing would have been none."""
    for row in session.execute(_touched(plan, (*_OPEN, Deadline.State.MISSED))):
        difference = _difference(row, old, new)
        if difference is not None:
            yield difference


def _difference(row: Row[Any], old: _Reckoner, new: _Reckoner) -> _Difference | None:
    known = _Known.of(row, row.bundle)
    now = new.basis.now
    over = row.state == Deadline.State.MISSED
    try:
        due = new.reckon(known).due
        was = old.reckon(known).due
    except _UNRECKONABLE as error:
        if over:
            return None
        return _Difference(
            row, row.due_on, row.due_at, row.provisional, None, Effect.SAME, Item.FAILED, str(error)[:500]
        )
    if over:
        settled = row.settled_at or row.due_at
        if due.due_at == row.due_at or due.due_at <= settled:
            return None
        return _Difference(row, row.due_on, row.due_at, row.provisional, due, Effect.OVER, Item.KEPT)
    # While it stands still, the end is what it would be if it went on tomorrow: today's, not that of the pause.
    on, at, unsure = (
        (was.due_on, was.due_at, was.provisional) if due.paused else (row.due_on, row.due_at, row.provisional)
    )
    if due.due_at == at:
        if due.provisional == unsure and _says(due) == _says(was):
            return None
        return _Difference(row, on, at, unsure, due, Effect.SAME)
    if due.due_at <= now < at and not due.paused:
        return _Difference(row, on, at, unsure, due, Effect.OVERDUE)
    return _Difference(row, on, at, unsure, due, Effect.LATER if due.due_at > at else Effect.EARLIER)


def _says(due: Due) -> tuple[Any, ...]:
    return due.skipped, due.rolled, due.made_up, due.counted, due.limit.article, due.limit.name_zh


def _drifted(session: Session, plan: Rederivation, basis: _Basis) -> Iterator[_Difference]:
    """What is not as it would be reckoned now: it began or changed while the others were moved."""
    failed = set(
        session.scalars(
            select(RederivationItem.deadline_id).where(
                RederivationItem.rederivation_id == plan.id,
                RederivationItem.state.in_((Item.FAILED, Item.PLANNED)),
            )
        )
    )
    reckoner = _Reckoner(session, basis)
    reckoner.read(None)
    for row in session.execute(_touched(plan, (Deadline.State.RUNNING,))):
        if row.id in failed:
            continue
        try:
            due = reckoner.reckon(_Known.of(row, row.bundle)).due
        except _UNRECKONABLE:
            continue
        if (due.due_at, due.provisional) != (row.due_at, row.provisional):
            effect = Effect.LATER if due.due_at > row.due_at else Effect.EARLIER
            effect = Effect.SAME if due.due_at == row.due_at else effect
            yield _Difference(
                row, row.due_on, row.due_at, row.provisional, due, effect, note="预演以后才开始 since the rehearsal"
            )


def _mark_warned(session: Session, reckoner: _Reckoner, found: Sequence[_Difference]) -> None:
    """Which warnings have gone out that would now come later: they are not taken back and not repeated."""
    later = {
        (d.row.instance_id, d.row.limit_id, d.row.start): d for d in found if d.effect == Effect.LATER and d.after
    }
    ids = sorted({instance_id for instance_id, _, _ in later})
    for first in range(0, len(ids), CHUNK):
        query = select(Timer.instance_id, Timer.element, Timer.note).where(
            Timer.instance_id.in_(ids[first : first + CHUNK]), Timer.state == Timer.State.FIRED
        )
        for instance_id, element, note in session.execute(query):
            if not note or note.get("rung") is None:
                continue
            difference = later.get((instance_id, str(note.get("limit")), str(note.get("start"))))
            if difference is None or element in difference.warned:
                continue
            reckoned = reckoner.reckon(_Known.of(difference.row, difference.row.bundle))
            if reckoner.warning(reckoned, note["rung"]) > reckoner.basis.now:
                difference.warned.append(element)


def _insert(session: Session, plan: Rederivation, found: Sequence[_Difference], *, first: int) -> None:
    rows = [
        {
            "rederivation_id": plan.id,
            "number": number,
            "deadline_id": d.row.id,
            "instance_id": d.row.instance_id,
            "key": d.row.key,
            "limit": d.row.limit_id,
            "start": d.row.start,
            "before_on": d.before_on,
            "before_at": d.before_at,
            "before_provisional": d.before_provisional,
            "after_on": d.before_on if d.after is None else d.after.due_on,
            "after_at": d.before_at if d.after is None else d.after.due_at,
            "after_provisional": d.before_provisional if d.after is None else d.after.provisional,
            "effect": d.effect,
            "warned": d.warned,
            "state": d.state,
            "note": d.note,
        }
        for number, d in enumerate(found, first)
    ]
    session.flush()
    for start in range(0, len(rows), CHUNK):
        session.execute(insert(RederivationItem), rows[start : start + CHUNK])


def _counted(checked: int, found: Sequence[_Difference]) -> dict[str, Any]:
    """What a rehearsal found, in numbers."""
    planned = [d for d in found if d.state == Item.PLANNED]
    effects = Counter(str(d.effect) for d in planned)
    return {
        "checked": checked,
        "unchanged": checked - len(planned) - sum(d.state == Item.FAILED for d in found),
        **{str(effect): effects[str(effect)] for effect in (Effect.LATER, Effect.EARLIER, Effect.SAME)},
        "overdue": effects[str(Effect.OVERDUE)],
        "over": sum(d.state == Item.KEPT for d in found),
        "failed": sum(d.state == Item.FAILED for d in found),
        "settled": sum(d.before_provisional and d.after is not None and not d.after.provisional for d in planned),
        "warned": sum(bool(d.warned) for d in planned),
        "cases": len({d.row.key for d in planned}),
    }


def _stored(day: Day) -> dict[str, Any]:
    return {
        "date": day.date.isoformat(),
        "is_workday": day.is_workday,
        "name": day.name,
        "break_name": day.break_name,
        "source": day.source,
        "document_no": day.document_no,
        "status": str(day.status),
    }


def _day(tree: Mapping[str, Any]) -> Day:
    return Day(**{**tree, "date": date.fromisoformat(tree["date"]), "status": Status(tree["status"])})


def _require(plan: Rederivation, expected: Rederivation.State) -> None:
    if plan.state != expected:
        raise WrongState(
            f"这次重新推算已经不是预演的状态。 Expected {expected}, found {plan.state}.",
            code=f"rederivation.already_{plan.state}",
            expected=str(expected),
            found=str(plan.state),
        )
