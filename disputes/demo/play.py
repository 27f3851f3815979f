"""Plays stories on one virtual clock: people act through the real operations, timers fire at their due moments."""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import Database
from core.now import CHINA
from core.refusals import NotFound, WrongState
from disputes.cases import operations as cases
from disputes.cases.models import Case
from disputes.demo.cast import Cast, assemble, require_release
from disputes.demo.report import report
from disputes.demo.stories import STORIES, Story, tickets
from disputes.identity import queries as people
from disputes.identity.actor import Actor
from disputes.identity.models import Person
from disputes.identity.roles import Role
from disputes.inbox import operations as inbox
from disputes.inbox.forms import form_of
from disputes.inbox.models import InboxItem, ItemState
from disputes.network.models import Kind
from disputes.network.queries import of_kinds
from disputes.timelimits.queries import calendar
from disputes.wiring import build_engine, judge_release
from engine import Engine, Incident, timers

#: The moment at which a demonstration of its own ends: Sunday noon, so that some deadlines lie ahead.
END = datetime(2026, 11, 22, 12, 0, tzinfo=CHINA)
#: Releases and the district exist before the first ticket.
OPENING = datetime(2026, 4, 15, 9, 0, tzinfo=CHINA)


def run(
    database: Database,
    *,
    end: datetime | None = None,
    row: str | None = None,
    directory: Path = Path(),
    files: Path | None = None,  # no story lays down a file yet
    engine: Engine | None = None,
) -> dict[str, Any]:
    """Play the demonstration on a database with all tables, and tell what happened (CONTRACTS, ``demo``).

    ``end`` is the virtual now at which it stops; what has not happened by then stays open. ``row`` plays one story.
    The district, its accounts and the release are laid down where they are missing.
    """
    end = end or END
    engine = engine or build_engine()
    chosen = [story for story in STORIES if row is None or row in (story.name, story.ticket)]
    if not chosen:
        raise NotFound(
            f"没有名为 {row} 的演示。 There is no story {row!r}; there are: {', '.join(s.name for s in STORIES)}.",
            code="demo.no_row",
        )
    judge_release(database, directory, engine, now=OPENING)
    with database.transaction() as session:
        cast = assemble(session, now=OPENING)
        require_release(session, directory, engine, now=OPENING)
    play = Play(database, engine, cast, end, tickets(directory))
    play.stories(chosen)
    with database.reader() as session:
        return report(session, play.case_ids, now=end)


@dataclass
class Play:
    """All stories on one clock."""

    database: Database
    engine: Engine
    cast: Cast
    end: datetime
    #: Texts of the real tickets, by number.
    tickets: Mapping[str, str]
    case_ids: list[UUID] = field(default_factory=list)

    def stories(self, chosen: Iterable[Story]) -> None:
        """Let every story act at its moments, in the order of the clock, until the end."""
        order = count()
        queue: list[tuple[datetime, int, Iterator[datetime], Scene]] = []
        for story in chosen:
            starts_at = story.starts(self.end, self._workday)
            scene = Scene(self, story, starts_at)
            heapq.heappush(queue, (starts_at, next(order), story.script(scene), scene))
        while queue and queue[0][0] <= self.end:
            at, _, script, scene = heapq.heappop(queue)
            self.fire_until(at)
            scene.now = at
            again = next(script, None)
            if again is not None:
                if again < at:
                    raise ValueError(f"{scene.story.name} goes back in time: {at} to {again}.")
                heapq.heappush(queue, (again, next(order), script, scene))
        self.fire_until(self.end)

    def fire_until(self, at: datetime) -> None:
        """Let every timer fire at the moment at which it is due, up to ``at``."""
        while True:
            with self.database.reader() as session:
                due = timers.next_due(session)
            if due is None or due > at:
                return
            if timers.drain(self.database, self.engine, owner="demo", now=due) == 0:
                raise WrongState(f"A timer that was due at {due} did not fire.", code="demo.stuck")

    def _workday(self, day: datetime, ahead: int) -> datetime:
        """The same time of day, so many workdays ahead (or back, below zero)."""
        with self.database.reader() as session:
            days = calendar(session)
        step = timedelta(days=1 if ahead >= 0 else -1)
        left = abs(ahead)
        while left or not days.is_workday(day.astimezone(CHINA).date()):
            day += step
            if days.is_workday(day.astimezone(CHINA).date()):
                left = max(left - 1, 0)
        return day


@dataclass
class Scene:
    """One story as its script sees it: what it may do, and when it is."""

    play: Play
    story: Story
    now: datetime
    case_id: UUID | None = None
    complainant_id: UUID | None = None

    # What the people of the story do.

    def file(self, filing: Mapping[str, Any], *, by: str = "complainant") -> None:
        """File the story's matter, by the complainant, or by a clerk at the counter for somebody else."""
        with self.play.database.transaction() as session:
            person = self.play.cast.consumer(session, self.story.consumer, now=self.now)
            self.complainant_id = person.id
            actor = people.as_actor(person)
            if by != "complainant":
                actor = self.play.cast.staff(session, by)
            case = cases.file(
                session,
                self.play.engine,
                {
                    "complainant_name": person.name,
                    "complainant_phone": person.phone,
                    "complainant_address": person.address,
                    "path": "file_now",
                    "seller_kind": "shop",
                    "for_living": True,
                    "handled_by": "none",
                    "consent_publish": True,
                    "consent_e_service": True,
                    "truthful": True,
                    **filing,
                },
                by=actor,
                now=self.now,
                synthetic=self.story.ticket is None,
                ticket=self.story.ticket,
            )
            self.case_id = case.id
            self.play.case_ids.append(case.id)

    def do(self, element: str, party: str | None = None, **answer: Any) -> None:
        """Answer the open task ``element``, as the person whom it waits for."""
        with self.play.database.transaction() as session:
            item = self._item(session, element, party)
            actor = self._actor(session, item)
            if item.role not in (Role.COMPLAINANT, Role.RESPONDENT) and item.claimed_by is None:
                inbox.claim(session, item.task_id, by=actor, now=self.now)
            digest = form_of(session, item).digest
            inbox.answer(session, self.play.engine, item.task_id, digest, answer, by=actor, now=self.now)
            if item.state == ItemState.OPEN:
                faults = session.scalars(select(Incident.message).where(Incident.key == str(self.case_id))).all()
                raise WrongState(f"{self.story.name}: {element} stopped: {'; '.join(faults)}", code="demo.stopped")

    def withdraw(self, reason: str = "") -> None:
        with self.play.database.transaction() as session:
            case, actor = self._case(session), self._complainant(session)
            cases.withdraw(session, self.play.engine, case, reason=reason, by=actor, now=self.now)

    def file_now(self) -> None:
        with self.play.database.transaction() as session:
            case, actor = self._case(session), self._complainant(session)
            cases.file_now(session, self.play.engine, case, by=actor, now=self.now)

    def supply_identity(self, id_no: str) -> None:
        with self.play.database.transaction() as session:
            case, actor = self._case(session), self._complainant(session)
            cases.supply_identity(
                session,
                self.play.engine,
                case,
                name=actor.name,
                id_kind="resident",
                id_no=id_no,
                by=actor,
                now=self.now,
            )

    def return_dispatch(self, reason: str) -> None:
        with self.play.database.transaction() as session:
            case = self._case(session)
            officer = people.holders(session, Role.OFFICER, *[case.office_id] if case.office_id else [])[0]
            cases.return_dispatch(
                session, self.play.engine, case, reason=reason, by=people.as_actor(officer), now=self.now
            )

    # When it happens.

    def later(self, *, days: int = 0, hours: int = 0, minutes: int = 0) -> datetime:
        """So long after now."""
        return self.now + timedelta(days=days, hours=hours, minutes=minutes)

    def workday(self, ahead: int, clock: str = "10:00") -> datetime:
        """At a time of day, so many workdays ahead."""
        moment = self.play._workday(self.now, ahead).astimezone(CHINA)
        return datetime.combine(moment.date(), time.fromisoformat(clock), CHINA)

    def day(self, ahead: int, clock: str = "10:00") -> datetime:
        """At a time of day, so many natural days ahead."""
        moment = (self.now + timedelta(days=ahead)).astimezone(CHINA)
        return datetime.combine(moment.date(), time.fromisoformat(clock), CHINA)

    def date(self, ahead: int) -> str:
        """A date of a form, so many natural days ahead (or back)."""
        return self.day(ahead).date().isoformat()

    # What the people need to know.

    def ticket(self) -> str:
        """The text of the story's real ticket, word for word."""
        return self.play.tickets[self.story.ticket or ""]

    def mediator(self) -> str:
        """The id of a mediator of a mediation body, as the forms of the court want it."""
        with self.play.database.reader() as session:
            return str(self.play.cast.mediator(session).id)

    def waits_for(self, element: str) -> bool:
        """Is this task open now?"""
        with self.play.database.reader() as session:
            query = select(InboxItem.task_id).where(
                InboxItem.case_id == self.case_id, InboxItem.element == element, InboxItem.state == ItemState.OPEN
            )
            return session.scalar(query.limit(1)) is not None

    def another_office(self) -> str:
        """The code of an office that is not in charge."""
        with self.play.database.reader() as session:
            case = self._case(session)
            offices = of_kinds(session, Kind.OFFICE, region=case.region)
            return next(office.code for office in offices if office.id != case.office_id)

    def _item(self, session: Session, element: str, party: str | None) -> InboxItem:
        query = select(InboxItem).where(
            InboxItem.case_id == self.case_id, InboxItem.element == element, InboxItem.state == ItemState.OPEN
        )
        if party is not None:
            query = query.where(InboxItem.party == party)
        item = session.scalars(query.limit(1)).one_or_none()
        if item is None:
            open_now = session.scalars(
                select(InboxItem.element).where(
                    InboxItem.case_id == self.case_id, InboxItem.state == ItemState.OPEN
                )
            ).all()
            raise WrongState(
                f"{self.story.name} at {self.now}: expected {element} to be open, found {sorted(open_now)}.",
                code="demo.story",
            )
        return item

    def _actor(self, session: Session, item: InboxItem) -> Actor:
        if item.role == Role.COMPLAINANT:
            return self._complainant(session)
        if item.role == Role.RESPONDENT:
            return self.play.cast.merchant_side(session, self._case(session))
        if item.person_id is not None:
            return people.as_actor(people.person(session, item.person_id))
        places = [item.organisation_id] if item.organisation_id else []
        return people.as_actor(people.holders(session, item.role, *places)[0])

    def _complainant(self, session: Session) -> Actor:
        return people.as_actor(session.get_one(Person, self.complainant_id))

    def _case(self, session: Session) -> Case:
        return session.get_one(Case, self.case_id)
