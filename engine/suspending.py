"""Stopping a case and letting it go on, with what was left of each of its deadlines.

While an instance is suspended its timers do not wake, and no answer, message or job reaches it; operators may still
repair it. When it is resumed, what is counted from the moment of arming (durations, cycles, expressions with
``now()`` or ``today()``) ends later by as long as it stood. A moment whose expression explains itself by a note (a
limit of the law) is evaluated again: the function behind it is told of the suspension and counts by its own rules.
A plain date is a date in the world, an appointment: it stays.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import bindparam, select, update

import feel
from engine import expressions, moments
from engine.diagram import Element
from engine.models import Instance, Suspension, Task, Timer

if TYPE_CHECKING:
    from engine.run import Run
    from engine.tokens import Token

#: FEEL's own functions that read the clock.
_CLOCK = frozenset({"now", "today"})
#: A claim that a worker has just made is taken back: it finds the instance suspended under the lock.
_HOLD = (
    update(Timer)
    .where(Timer.instance_id == bindparam("instance"), Timer.state.in_((Timer.State.ARMED, Timer.State.CLAIMED)))
    .values(state=Timer.State.ARMED, owner=None, wake_at=None)
    .execution_options(synchronize_session=False)
)
_OPEN = select(Suspension).where(Suspension.instance_id == bindparam("instance"), Suspension.ended_at.is_(None))


def suspend(run: "Run", why: str, *, keeps_remaining: bool) -> None:
    """Let the instance stand still."""
    instance, session = run.instance, run.session
    run.log("instance.suspended", payload={"reason": why, "keeps_remaining": keeps_remaining})
    session.add(
        Suspension(
            id=uuid4(),
            instance_id=instance.id,
            key=instance.key,
            began_at=run.now,
            began_by=run.by,
            why=why,
            keeps_remaining=keeps_remaining,
        )
    )
    instance.state = Instance.State.SUSPENDED
    run.held_still = True
    session.flush()
    session.execute(_HOLD, {"instance": instance.id})
    if keeps_remaining:
        run.rearm(noted_only=True)


def resume(run: "Run", why: str) -> None:
    """Let the instance go on."""
    suspension = close(run)
    assert suspension is not None
    began_at = suspension.began_at
    run.log(
        "instance.resumed",
        payload={
            "reason": why,
            "since": began_at.isoformat(),
            "seconds": int((run.now - began_at).total_seconds()),
            "keeps_remaining": suspension.keeps_remaining,
        },
    )
    run.instance.state = Instance.State.RUNNING
    run.held_still = False
    run.session.flush()
    if suspension.keeps_remaining:
        _give_back(run, began_at)
        run.rearm(noted_only=True)
    for timers in run.rows.timers().values():
        for timer in timers:
            if timer.state == Timer.State.ARMED:
                timer.wake_at = timer.due_at


def close(run: "Run") -> Suspension | None:
    """End the open suspension of the instance, if there is one."""
    with run.session.no_autoflush:
        found: Suspension | None = run.session.scalar(_OPEN, {"instance": run.instance.id})
    if found is not None:
        found.ended_at, found.ended_by = run.now, run.by
    return found


def keep_still(run: "Run") -> None:
    """What an operator's command has armed while the instance stands still does not wake either."""
    for timers in run.rows.timers().values():
        for timer in timers:
            if timer.state == Timer.State.ARMED:
                timer.wake_at = None


def counts_from_arming(run: "Run", token: "Token", element: Element, timer: str, text: str) -> bool:
    """Whether a moment is counted from when it was evaluated, rather than a date that stands by itself."""
    if timer in ("timeDuration", "timeCycle"):
        return True
    if not expressions.is_expression(text):
        return text.strip().lstrip("-").startswith("P")
    calls = expressions.compiled(text, run.engine.function_names).calls
    if calls:
        return bool(calls & _CLOCK)
    value = run.feel_of(token, text, None, element=element)
    return _is_duration(value)


def _is_duration(value: object) -> bool:
    """Whether a value is a length of time: FEEL's durations, or the text of one."""
    if isinstance(value, timedelta | feel.YearsMonths | feel.FarDuration):
        return True
    return isinstance(value, str) and value.strip().lstrip("-").startswith("P")


def _give_back(run: "Run", began_at: datetime) -> None:
    for timers in run.rows.timers().values():
        for timer in timers:
            _later_timer(run, timer, began_at)
    for number, task in run.rows.tasks().items():
        _later_task(run, run.token(number), task, began_at)


def _later_timer(run: "Run", timer: Timer, began_at: datetime) -> None:
    element = run.specifications.process(timer.process).elements[timer.element]
    trigger = element.trigger
    if trigger is None or timer.state != Timer.State.ARMED:
        return
    if not counts_from_arming(run, run.token(timer.token), element, trigger.timer, trigger.text):
        return
    before, timer.due_at = timer.due_at, timer.due_at + (run.now - max(began_at, timer.armed_at))
    run.log("timer.moved", element, payload=_moved({"timer": str(timer.id)}, before, timer.due_at))
    run.step.moved.append(timer)


def _later_task(run: "Run", token: "Token", task: Task, began_at: datetime) -> None:
    element = token.node.element
    if task.due_at is None or not counts_from_arming(run, token, element, "timeDate", element.due):
        return
    before, task.due_at = task.due_at, task.due_at + (run.now - max(began_at, task.opened_at))
    run.log("task.moved", element, payload=_moved({"task": str(task.id)}, before, task.due_at))
    run.step.moved.append(task)


def _moved(what: Mapping[str, str], before: datetime, after: datetime) -> dict[str, str | None]:
    return {**what, "from": moments.iso(before), "to": moments.iso(after)}
