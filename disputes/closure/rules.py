"""What was recovered for the consumer, and whether anybody is called about it. Pure."""

from disputes.cases.models import Exit, Performance

#: Exits in which an agreement stands.
AGREED = frozenset({Exit.SETTLED_IN_HOUSE, Exit.SETTLED_SUNSHINE, Exit.MEDIATED, Exit.COURT_CONFIRMED})


def performance(known: Performance | None, *, performed: object, presumed: object) -> Performance | None:
    """Whether the agreement was performed: what the case knows, else what the procedure asked last."""
    if known in (Performance.PERFORMED, Performance.PRESUMED):
        return known
    if presumed is True:
        return Performance.PRESUMED
    if performed is True:
        return Performance.PERFORMED
    return Performance.NOT_PERFORMED if performed is False else known


def recovered_fen(exit: Exit, agreed_fen: int, performance: Performance | None) -> int:
    """为消费者挽回经济损失: what was agreed, once it was performed or is presumed so; nothing otherwise."""
    done = performance in (Performance.PERFORMED, Performance.PRESUMED)
    return agreed_fen if exit in AGREED and done else 0
