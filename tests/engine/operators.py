"""What an operator does to the one case of a house."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from engine import Incident, Step
from engine.models import Event, Suspension
from engine.moving import Target
from tests.engine.house import House


class Operator:
    def __init__(self, house: House) -> None:
        self.house = house

    def __call__(self, command: str, **given: Any) -> Step:
        """One command on the case, in a transaction of its own."""
        given.setdefault("reason", "repaired in a test")
        with self.house.database.transaction() as session:
            step: Step = getattr(self.house.engine, command)(
                session, self.house.instance().id, **given, now=self.house.now, by="person:operator"
            )
            return step

    def of(self, command: str, incident: Incident, **given: Any) -> Step:
        """One command on an incident."""
        with self.house.database.transaction() as session:
            step: Step = getattr(self.house.engine, command)(
                session, incident.id, **given, now=self.house.now, by="person:operator"
            )
            return step

    def at(self, *elements: str) -> list[int]:
        """The tokens at elements."""
        with self.house.database.reader() as session:
            places = self.house.engine.places(session, self.house.instance().id)
        return [place.number for place in places if place.element in elements]

    def move(self, source: str | list[str], to: str, process: str = "p", **given: Any) -> Step:
        sources = [source] if isinstance(source, str) else source
        return self("move", tokens=self.at(*sources), to=(process, to), **given)

    def skip(self, element: str, **given: Any) -> Step:
        (token,) = self.at(element)
        return self("skip", token=token, **given)

    def targets(self, *elements: str) -> dict[str, Target]:
        with self.house.database.reader() as session:
            found = self.house.engine.targets(session, self.house.instance().id, self.at(*elements))
        return {target.element: target for target in found}

    def incidents(self) -> list[Incident]:
        with self.house.database.reader() as session:
            return list(session.scalars(select(Incident).order_by(Incident.at, Incident.id)))

    def suspensions(self) -> list[Suspension]:
        with self.house.database.reader() as session:
            return list(session.scalars(select(Suspension).order_by(Suspension.began_at)))

    def events(self, kind: str) -> list[Event]:
        with self.house.database.reader() as session:
            return list(session.scalars(select(Event).where(Event.kind == kind).order_by(Event.number)))
