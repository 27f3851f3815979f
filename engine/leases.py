"""What a worker's loop does with one thing that it holds: carry it out, or say why not, and go on to the next."""

import logging
from collections.abc import Callable

from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from core.db import Database
from core.refusals import Conflict
from engine.steps import Step

logger = logging.getLogger(__name__)

#: Failures of the moment: somebody holds the rows, the database is away. The hold runs out and it is tried again.
PASSING = (Conflict, OperationalError, InterfaceError, TimeoutError, StaleDataError)


def carry_out(
    database: Database,
    what: str,
    act: Callable[[Session], Step | None],
    park: Callable[[Session, Exception], Step | None],
) -> bool:
    """Carry out one thing in a transaction of its own; answers whether it had an effect.

    What fails for a passing reason is tried again when the hold has run out. Any other failure would fail for ever
    in silence: it is rolled back and left as an incident, which somebody sees and repeats.
    """
    try:
        with database.transaction() as session:
            return act(session) is not None
    except PASSING:
        logger.warning("%s was not carried out; it is tried again when its hold runs out.", what, exc_info=True)
        return False
    except Exception as error:  # a job loop: whatever it is, the others are due too
        logger.exception("%s failed and is parked.", what)
        failed = error
    try:
        with database.transaction() as session:
            park(session, failed)
    except Exception:  # not even that: it is held until its lease runs out
        logger.exception("%s could not be parked.", what)
    return False
