"""What the engine comes to when it runs into a fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from core.db import Database
from engine import Event, Incident, ServiceCall, Services, Task, state
from tests.engine.house import House


@dataclass
class Played:
    """A case after its script."""

    house: House
    #: Services called: (type, recipients).
    called: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    fired: list[str] = field(default_factory=list)
    #: Unfinished tokens after each step.
    tokens: list[int] = field(default_factory=list)

    @property
    def state(self) -> str:
        return self.house.instance().state

    def incidents(self) -> list[str]:
        with self.house.database.reader() as session:
            return list(session.scalars(select(Incident.kind)))

    def visited(self) -> set[str]:
        with self.house.database.reader() as session:
            return {e for e in session.scalars(select(Event.element)) if e}

    def every_task(self) -> list[Task]:
        with self.house.database.reader() as session:
            return list(session.scalars(select(Task)))


def play(database: Database, xml: bytes, script: str) -> Played:
    """Run a script on a new case whose ``x`` and ``y`` are 1 and 2."""

    def service(call: ServiceCall) -> dict[str, Any]:
        recipients = tuple(call.inputs.get("recipients", ()))
        played.called.append(("tell" if recipients else "work", recipients))
        return {}

    house = House(database, xml, services=Services({"work": service, "tell": service}))
    played = Played(house)
    house.start(x=1, y=2)
    played.tokens.append(_tokens(house))
    for step in filter(None, (part.strip() for part in script.split(";"))):
        if step[0] == "+":
            played.fired += house.advance(timedelta(days=int(step[1:])))
        elif step[0] == "?":
            house.deliver(step[1:])
        else:
            element, _, answer = step.partition(" ")
            name, _, value = answer.partition("=")
            house.complete(element, **({name: int(value) if name == "x" else value} if answer else {}))
        played.tokens.append(_tokens(house))
    return played


def _tokens(house: House) -> int:
    """Tokens of the stored state, the listening boundary events aside."""
    blob = house.instance().blob
    scopes = state.unpack(blob)["w"] if blob else []
    return sum("host" not in token[4] for _, _, tokens in scopes for token in tokens)


def waits_for_nothing(played: Played) -> bool:
    house = played.house
    quiet = not house.tasks() and not house.timers() and not house.subscriptions()
    return played.state == "running" and quiet and not played.incidents()


def never_came_to(element: str) -> Callable[[Played], bool]:
    return lambda played: played.state == "completed" and element not in played.visited()


def still_waits_at(element: str) -> Callable[[Played], bool]:
    return lambda played: played.state == "running" and element in played.house.waiting()


def tokens_grew(played: Played) -> bool:
    """By one at least in each of the last rounds."""
    return played.tokens[-1] > played.tokens[-3] > played.tokens[0]


def called_twice(service: str) -> Callable[[Played], bool]:
    return lambda played: [name for name, _ in played.called].count(service) == 2 and played.state == "completed"


def task_was_taken_away(element: str) -> Callable[[Played], bool]:
    def was(played: Played) -> bool:
        return any(t.element == element and t.state == Task.State.CANCELLED for t in played.every_task())

    return was


def has_incident(kind: str) -> Callable[[Played], bool]:
    return lambda played: played.incidents() == [kind]


def open_tasks(count: int) -> Callable[[Played], bool]:
    return lambda played: len(played.house.tasks()) == count


def only_timers_fired_without_end(played: Played) -> bool:
    return played.state == "running" and len(played.fired) > 3 and bool(played.house.timers())


def told_no_supervisor(played: Played) -> bool:
    return not any("boss" in recipients for _, recipients in played.called)


def ended_and_told_nobody(played: Played) -> bool:
    return played.state == "completed" and bool(played.fired) and not played.called
