"""What a worker's loop does with one thing that it holds: carry it out, or say why not, and go on to the next."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from core.db import Database
from core.refusals import Conflict
from engine.steps import Step

logger = logging.getLogger(__name__)

#: Failures of the moment: somebody holds the rows, the database is away. The hold runs out and it is tried again.
PASSING = (Conflict, OperationalError, InterfaceError, TimeoutError, StaleDataError)


@dataclass(frozen=True)
class Held:
    """One thing that a worker holds: what people call it, how it is carried out, and how it is parked."""

    what: str
    act: Callable[[Session], Step | None]
    park: Callable[[Session, Exception], Step | None]


def carry_out_together(database: Database, held: Sequence[Held]) -> int:
    """Carry out a few things at the price of one commit; answers how many had an effect.

    When one of them fails, all are rolled back and each is carried out by itself: nobody is held up by another.
    """
    try:
        with database.transaction() as session:
            return sum(one.act(session) is not None for one in held)
    except Exception:
        logger.info("%d things that are due are carried out one by one.", len(held), exc_info=True)
    return sum(carry_out(database, one) for one in held)


def carry_out(database: Database, held: Held) -> bool:
    """Carry out one thing in a transaction of its own; answers whether it had an effect.

    What fails for a passing reason is tried again when the hold has run out. Any other failure would fail for ever
    in silence: it is rolled back and left as an incident, which somebody sees and repeats.
    """
    try:
        with database.transaction() as session:
            return held.act(session) is not None
    except PASSING:
        logger.warning(
            "%s was not carried out; it is tried again when its hold runs out.", held.what, exc_info=True
        )
        return False
    except Exception as error:  # a job loop: whatever it is, the others are due too
        logger.exception("%s failed and is parked.", held.what)
        failed = error
    try:
        with database.transaction() as session:
            held.park(session, failed)
    except Exception:  # not even that: it is held until its lease runs out
        logger.exception("%s could not be parked.", held.what)
    return False
