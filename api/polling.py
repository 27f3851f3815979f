"""Requests that wait until there is something for them: a few at a time, none with a connection in its hand.

A web process has a handful of threads. If every one of them waited for jobs, nobody else would be served; so only
some may wait, and whoever finds them all taken is answered at once with what there is, and asks again.
"""

import time
from collections.abc import Callable
from math import ceil
from threading import BoundedSemaphore
from typing import TypeVar

T = TypeVar("T")

#: Requests of one process that may wait at once; ``api.server.THREADS`` are twice as many.
PLACES = 4
#: Seconds between two looks: what comes is noticed half of this later, on average.
PAUSE = 0.5
#: Seconds that a request may wait; proxies commonly give up after 60.
LONGEST = 30


class Polls:
    """The places of one process. ``pause`` sleeps for so many seconds."""

    def __init__(self, places: int = PLACES, pause: Callable[[float], None] = time.sleep) -> None:
        self._places = BoundedSemaphore(places)
        self._pause = pause

    def until(self, look: Callable[[], T], *, seconds: float) -> T:
        """Look until something is there or the time is over; answers the last look. ``look`` is cheap."""
        found = look()
        if found or seconds <= 0 or not self._places.acquire(blocking=False):
            return found
        try:
            for _ in range(ceil(min(seconds, LONGEST) / PAUSE)):
                self._pause(PAUSE)
                found = look()
                if found:
                    break
            return found
        finally:
            self._places.release()
