"""Small diagrams with one fault each, beside their sound twins, and how the engine is run into the fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.engine.faults import consequences as so
from tests.engine.faults.consequences import Played

#: Steps: ``a`` completes a task (``a x=1`` with an answer), ``?m`` delivers a message, ``+30`` lets days pass.
Script = str


@dataclass(frozen=True)
class Fault:
    name: str
    #: The finding: code and element.
    code: str
    element: str
    broken: str
    sound: str
    script: Script
    #: What the engine comes to.
    comes_to: Callable[[Played], bool]
    #: Whether parties and supervisors are known: then waits and silences are judged.
    house: bool = False
    #: False: twin and fault behave alike, and only what is said of them differs.
    twin_differs: bool = True


FAULTS = [
    # -- joins that starve ------------------------------------------------------------------------------------------
    Fault(
        "a parallel join behind an exclusive split",
        *("flow.deadlock", "join"),
        broken="""
            start > which:xor -[x = 1]> a > join:and > end
            which -*> b > join""",
        sound="""
            start > which:xor -[x = 1]> a > join:xor > end
            which -*> b > join""",
        script="a",
        comes_to=so.waits_for_nothing,
    ),
    Fault(
        "a parallel join behind an inclusive split",
        *("flow.deadlock", "join"),
        broken="""
            start > which:or -[x = 1]> a > join:and > end
            which -[y = 1]> b > join""",
        sound="""
            start > which:or -[x = 1]> a > join:or > end
            which -[y = 1]> b > join""",
        script="a",
        comes_to=so.waits_for_nothing,
    ),
    Fault(
        "one branch leaves by a way of its own",
        *("flow.deadlock", "join"),
        broken="""
            start > split:and > a > join:and > end
            split > b > which:xor -[x = 1]> end2
            which -*> join""",
        sound="""
            start > split:and > a > join:and > end
            split > b > which:xor -[x = 1]> c > merge:xor > join
            which -*> merge""",
        script="b x=1; a",
        comes_to=so.waits_for_nothing,
    ),
    Fault(
        "a limit takes a branch away from its join",
        *("flow.deadlock", "join"),
        broken="""
            start > split:and > a > join:and > end
            split > b > join
            late@a:timer > end2""",
        sound="""
            start > split:and > a > merge:xor > join:and > end
            split > b > join
            late@a:timer > merge""",
        script="+4; b",
        comes_to=so.waits_for_nothing,
    ),
    Fault(
        "a join behind an event gateway",
        *("flow.deadlock", "join"),
        broken="""
            start > first:event > m:msg=m > join:and > end
            first > t:timer > join""",
        sound="""
            start > first:event > m:msg=m > join:xor > end
            first > t:timer > join""",
        script="?m",
        comes_to=so.waits_for_nothing,
    ),
    Fault(
        "a join that is also the head of a loop",
        *("flow.deadlock", "head"),
        broken="""
            start > head:and > a > again:xor -[x = 1]> head
            again -*> end""",
        sound="""
            start > head:xor > a > again:xor -[x = 1]> head
            again -*> end""",
        script="",
        comes_to=so.waits_for_nothing,
    ),
    Fault(
        "a join inside a sub-process",
        *("flow.deadlock", "join"),
        broken="""
            start > s:sub > end
            [s]
            start_s > which:xor -[x = 1]> a > join:and > end_s
            which -*> b > join""",
        sound="""
            start > s:sub > end
            [s]
            start_s > which:xor -[x = 1]> a > join:xor > end_s
            which -*> b > join""",
        script="a",
        comes_to=so.waits_for_nothing,
    ),
    Fault(
        "a join inside a called process",
        *("flow.deadlock", "join"),
        broken="""
            start > c:call=q > end
            (q)
            start_q > split:and > a > join:and > end_q
            split > b > end_b
            split > d > which:xor -[x = 1]> end_d
            which -*> join""",
        sound="""
            start > c:call=q > end
            (q)
            start_q > split:and > a > join:and > end_q
            split > b > end_b
            split > d > which:xor -[x = 1]> e > join2:xor > join
            which -*> join2""",
        script="d x=1; a; b",
        comes_to=so.waits_for_nothing,
    ),
    # -- elements that are never reached ----------------------------------------------------------------------------
    Fault(
        "a condition that is never true",
        *("flow.unreachable", "a"),
        broken="""
            start > which:xor -[1 > 2]> a > end
            which -*> b > end2""",
        sound="""
            start > which:xor -[x = 1]> a > end
            which -*> b > end2""",
        script="b",
        comes_to=so.never_came_to("a"),
    ),
    Fault(
        "a default behind a condition that is always true",
        *("flow.unreachable", "b"),
        broken="""
            start > which:xor -[true]> a > end
            which -*> b > end2""",
        sound="""
            start > which:xor -[x = 2]> a > end
            which -*> b > end2""",
        script="a",
        comes_to=so.never_came_to("b"),
    ),
    Fault(
        "an island",
        *("flow.unreachable", "b"),
        broken="""
            start > a > end
            b > c:xor -[x = 1]> b
            c -*> end2""",
        sound="""
            start > a > m:xor > b > c:xor -[x = 1]> m
            c -*> end""",
        script="a",
        comes_to=so.never_came_to("b"),
    ),
    # -- ways that lead to no end -----------------------------------------------------------------------------------
    Fault(
        "a loop without a way out",
        *("flow.cannot_finish", "b"),
        broken="""
            start > a > which:xor -[x = 1]> end
            which -*> head:xor > b > c > head""",
        sound="""
            start > a > which:xor -[x = 1]> end
            which -*> head:xor > b > c > again:xor -[x = 1]> head
            again -*> end""",
        script="a x=2; b; c; b; c x=2; b; c",
        comes_to=so.still_waits_at("b"),
    ),
    Fault(
        "a limit that leads into an endless wait",
        *("flow.cannot_finish", "m"),
        broken="""
            start > a > end
            late@a:timer > head:xor > m:msg=m > head""",
        sound="""
            start > a > end
            late@a:timer > head:xor > m:msg=m > which:xor -[x = 2]> head
            which -*> end2""",
        script="+4; ?m; ?m; ?m",
        comes_to=so.still_waits_at("m"),
    ),
    Fault(
        "an event gateway whose ways all lead back",
        *("flow.cannot_finish", "first"),
        broken="""
            start > a > which:xor -[x = 1]> end
            which -*> head:xor > first:event > m:msg=m > head
            first > t:timer > head""",
        sound="""
            start > a > which:xor -[x = 1]> end
            which -*> head:xor > first:event > m:msg=m > head
            first > t:timer > end""",
        script="a x=2; ?m; +30; ?m",
        comes_to=so.still_waits_at("first"),
    ),
    # -- tokens that multiply ---------------------------------------------------------------------------------------
    Fault(
        "a loop out of a parallel split",
        *("flow.unbounded", "b"),
        broken="""
            start > head:xor > a > split:and > head
            split > b > end""",
        sound="""
            start > head:xor > a > split:and > b > join:and > again:xor -[x = 1]> head
            split > c > join
            again -*> end""",
        script="a; a; a; a",
        comes_to=so.tokens_grew,
    ),
    Fault(
        "a loop out of an inclusive split",
        *("flow.unbounded", "b"),
        broken="""
            start > head:xor > a > split:or -[x = 1]> head
            split -[x >= 1]> b > end
            split -*> end2""",
        sound="""
            start > head:xor > a > split:or -[x = 1]> c > join:or > again:xor -[x = 1]> head
            split -[x >= 1]> b > join
            split -*> end2
            again -*> end""",
        script="a x=1; a x=1; a x=1; a x=1",
        comes_to=so.tokens_grew,
    ),
    Fault(
        "a timer that opens another task every day",
        *("flow.piles_up", "b"),
        broken="""
            start > a > end
            day@a:daily~ > b > end2""",
        sound="""
            start > a > end
            day@a:daily~ > b:tell=boss > end2""",
        script="+1; +1; +1; +1",
        comes_to=so.tokens_grew,
    ),
    Fault(
        "a reminder that leaves a task behind in every round",
        *("flow.piles_up", "b"),
        broken="""
            start > head:xor > a > again:xor -[x = 1]> head
            again -*> end
            late@a:timer~ > b > end2""",
        sound="""
            start > head:xor > a > again:xor -[x = 1]> head
            again -*> end
            late@a:timer~ > b:work > end2""",
        script="+4; a x=1; +4; a x=1; +4; a x=1; +4",
        comes_to=so.tokens_grew,
    ),
    # -- what is done twice -----------------------------------------------------------------------------------------
    Fault(
        "an exclusive join behind a parallel split",
        *("flow.runs_twice", "join"),
        broken="""
            start > split:and > a > join:xor > w:work > end
            split > b > join""",
        sound="""
            start > split:and > a > join:and > w:work > end
            split > b > join""",
        script="a; b",
        comes_to=so.called_twice("work"),
    ),
    Fault(
        "an exclusive join behind an inclusive split",
        *("flow.runs_twice", "join"),
        broken="""
            start > split:or -[x >= 1]> a > join:xor > w:work > end
            split -[x = 1]> b > join""",
        sound="""
            start > split:or -[x >= 1]> a > join:or > w:work > end
            split -[x = 1]> b > join""",
        script="a; b",
        comes_to=so.called_twice("work"),
    ),
    Fault(
        "a reminder that runs on into the main path",
        *("flow.runs_twice", "merge"),
        broken="""
            start > a > merge:xor > w:work > end
            late@a:timer~ > merge""",
        sound="""
            start > a > merge:xor > w:work > end
            late@a:timer > merge""",
        script="+4; a",
        comes_to=so.called_twice("work"),
    ),
    Fault(
        "an end that takes away what others still do",
        *("flow.terminate_loses", "stop"),
        broken="""
            start > split:and > a > stop:terminate
            split > b > end""",
        sound="""
            start > split:and > a > join:and > stop:terminate
            split > b > join""",
        script="a",
        comes_to=so.task_was_taken_away("b"),
    ),
    Fault(
        "a loop that waits for nobody",
        *("flow.instant_loop", "head"),
        broken="""
            start > head:xor > w:work > again:xor -[x = 1]> head
            again -*> end""",
        sound="""
            start > head:xor > w:work > a > again:xor -[x = 1]> head
            again -*> end""",
        script="",
        comes_to=so.has_incident("loop"),
    ),
    # -- errors and escalations -------------------------------------------------------------------------------------
    Fault(
        "an error that nobody catches",
        *("event.uncaught", "stop"),
        broken="""
            start > a > which:xor -[x = 1]> stop:error=gone
            which -*> end""",
        sound="""
            start > s:sub > end
            caught@s:error=gone > end
            [s]
            start_s > a > which:xor -[x = 1]> stop:error=gone
            which -*> end_s""",
        script="a x=1",
        comes_to=so.has_incident("error_event"),
    ),
    Fault(
        "an error that leaves a called process and is not caught there",
        *("event.uncaught", "stop"),
        broken="""
            start > c:call=q > end
            (q)
            start_q > a > which:xor -[x = 1]> stop:error=gone
            which -*> end_q""",
        sound="""
            start > c:call=q > end
            caught@c:error > end
            (q)
            start_q > a > which:xor -[x = 1]> stop:error=gone
            which -*> end_q""",
        script="a x=1",
        comes_to=so.has_incident("error_event"),
    ),
    Fault(
        "an error that nothing throws",
        *("event.never_thrown", "caught"),
        broken="""
            start > s:sub > end
            caught@s:error=gone > b > end2
            [s]
            start_s > a > end_s""",
        sound="""
            start > s:sub > end
            caught@s:error=gone > b > end2
            [s]
            start_s > a > which:xor -[x = 1]> stop:error=gone
            which -*> end_s""",
        script="a x=1",
        comes_to=so.never_came_to("b"),
    ),
    Fault(
        "an escalation that nothing throws",
        *("event.never_thrown", "told"),
        broken="""
            start > s:sub > end
            told@s:escalation=high~ > b > end2
            [s]
            start_s > a > end_s""",
        sound="""
            start > s:sub > end
            told@s:escalation=high~ > b > end2
            [s]
            start_s > r:raise=high > a > end_s""",
        script="a",
        comes_to=so.never_came_to("b"),
    ),
    Fault(
        "more instances than a case holds",
        *("loop.too_many", "a"),
        broken="start > a:many=[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21] > end",
        sound="start > a:many=[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20] > end",
        script="",
        comes_to=so.open_tasks(21),
    ),
    # -- waits without a limit --------------------------------------------------------------------------------------
    Fault(
        "a party's task without a limit",
        *("wait.unbounded", "a"),
        broken="start > a:user=party > end",
        sound="""
            start > a:user=party > end
            late@a:timer > end""",
        script="+3650",
        comes_to=so.still_waits_at("a"),
        house=True,
    ),
    Fault(
        "a message that may never come",
        *("wait.unbounded", "m"),
        broken="start > m:msg=m > end",
        sound="""
            start > first:event > m:msg=m > end
            first > t:timer > end""",
        script="+3650",
        comes_to=so.still_waits_at("m"),
        house=True,
    ),
    Fault(
        "an event gateway without a timer",
        *("wait.unbounded", "first"),
        broken="""
            start > first:event > m:msg=m > end
            first > n:msg=n > end""",
        sound="""
            start > s:sub > end
            late@s:timer > end
            [s]
            start_s > first:event > m:msg=m > end_s
            first > n:msg=n > end_s""",
        script="+3650",
        comes_to=so.still_waits_at("first"),
        house=True,
    ),
    Fault(
        "a wait inside a called process whose caller has no limit",
        *("wait.unbounded", "m"),
        broken="""
            start > c:call=q > end
            (q)
            start_q > m:msg=m > end_q""",
        sound="""
            start > c:call=q > end
            late@c:timer > end
            (q)
            start_q > m:msg=m > end_q""",
        script="+3650",
        comes_to=so.still_waits_at("m"),
        house=True,
    ),
    Fault(
        "a reminder that reminds nobody but the one who is late",
        *("wait.unbounded", "a"),
        broken="""
            start > a:user=officer > end
            late@a:timer~ > t:tell=officer > end2""",
        sound="""
            start > a:user=officer > end
            late@a:timer~ > t:tell=boss > end2""",
        script="+3650",
        comes_to=so.told_no_supervisor,
        house=True,
    ),
    # -- silences that lead nowhere ---------------------------------------------------------------------------------
    Fault(
        "a party's limit that leads back to the same task",
        *("silence.parties", "a"),
        broken="""
            start > head:xor > a:user=party > end
            late@a:timer > head""",
        sound="""
            start > head:xor > a:user=party > end
            late@a:timer > again:xor -[x = 2]> head
            again -*> end""",
        script="+30; +30",
        comes_to=so.only_timers_fired_without_end,
        house=True,
    ),
    Fault(
        "two parties who wait for each other",
        *("silence.parties", "a"),
        broken="""
            start > head:xor > a:user=party > end
            late@a:timer > b:user=party > end
            late_b@b:timer > head""",
        sound="""
            start > head:xor > a:user=party > end
            late@a:timer > b:user=party > head
            late_b@b:timer > end""",
        script="+30; +30",
        comes_to=so.only_timers_fired_without_end,
        house=True,
    ),
    Fault(
        "a party whose silence only a supervisor hears of",
        *("silence.parties", "a"),
        broken="""
            start > a:user=party > end
            late@a:timer~ > t:tell=boss > end2""",
        sound="""
            start > a:user=party > end
            late@a:timer~ > t:tell=boss > end2
            over@a:timer=P9D > end""",
        script="+3650",
        comes_to=so.still_waits_at("a"),
        house=True,
    ),
    Fault(
        "a called process in which a party may be silent for ever",
        *("silence.parties", "a"),
        broken="""
            start > c:call=q > end
            (q)
            start_q > head:xor > a:user=party > end_q
            late@a:timer > head""",
        sound="""
            start > c:call=q > end
            over@c:timer=P30D > end
            (q)
            start_q > head:xor > a:user=party > end_q
            late@a:timer > head""",
        script="+20; +20; +20",
        comes_to=so.only_timers_fired_without_end,
        house=True,
    ),
    Fault(
        "an authority's limit that ends the case, and no supervisor knows",
        *("silence.authority", "a"),
        broken="""
            start > a:user=officer > end
            late@a:timer > end""",
        sound="""
            start > a:user=officer > end
            late@a:timer > t:tell=boss > end""",
        script="+30",
        comes_to=so.ended_and_told_nobody,
        house=True,
    ),
    Fault(
        "an authority's limit that hands the task back to itself",
        *("silence.authority", "a"),
        broken="""
            start > head:xor > a:user=officer > end
            late@a:timer > t:tell=officer > head""",
        sound="""
            start > a:user=officer > end
            late@a:timer > b:user=boss! > end
            day@b:daily~ > t:tell=boss > end2""",
        script="+30",
        comes_to=so.told_no_supervisor,
        house=True,
    ),
    Fault(
        "a daily reminder of a duty that is not marked as one",
        *("silence.timer_cycle", "day"),
        broken="""
            start > a:user=officer > end
            day@a:daily~ > t:tell=boss > end2""",
        sound="""
            start > a:user=officer! > end
            day@a:daily~ > t:tell=boss > end2""",
        script="+30",
        comes_to=so.only_timers_fired_without_end,
        house=True,
        twin_differs=False,
    ),
    Fault(
        "an authority's limit that goes round for ever",
        *("silence.timer_cycle", "late"),
        broken="""
            start > head:xor > a:user=officer > end
            late@a:timer > t:tell=boss > head""",
        sound="""
            start > head:xor > a:user=officer! > end
            late@a:timer > t:tell=boss > head
            day@a:daily~ > u:tell=boss > end2""",
        script="+30",
        comes_to=so.only_timers_fired_without_end,
        house=True,
        twin_differs=False,
    ),
    Fault(
        "a standing duty of which nobody is reminded",
        *("duty.no_reminder", "b"),
        broken="""
            start > a:user=officer > end
            late@a:timer > b:user=boss! > end""",
        sound="""
            start > a:user=officer > end
            late@a:timer > b:user=boss! > end
            day@b:daily~ > t:tell=boss > end2""",
        script="+3650",
        comes_to=so.told_no_supervisor,
        house=True,
    ),
    Fault(
        "a standing duty of a party",
        *("duty.of_a_party", "a"),
        broken="""
            start > a:user=party! > end
            day@a:daily~ > t:tell=boss > end2""",
        sound="""
            start > a:user=party > end
            day@a:daily~ > t:tell=boss > end2
            over@a:timer=P9D > end""",
        script="+30",
        comes_to=so.only_timers_fired_without_end,
        house=True,
    ),
    # -- names and types --------------------------------------------------------------------------------------------
    Fault(
        "a name that nobody knows",
        *("feel.name", "which-a"),
        broken="""
            start > which:xor -[xx = 1]> a > end
            which -*> b > end2""",
        sound="""
            start > which:xor -[x = 1]> a > end
            which -*> b > end2""",
        script="b",
        comes_to=so.never_came_to("a"),
    ),
    Fault(
        "a name that is given a value only later",
        *("data.not_yet", "which-a"),
        broken="""
            start > which:xor -[z = 1]> a > end
            which -*> b > w:write=z > end2""",
        sound="""
            start > w:write=z > which:xor -[z = 1]> a > end
            which -*> b > end2""",
        script="b",
        comes_to=so.never_came_to("a"),
        twin_differs=False,
    ),
    Fault(
        "a number that is compared with a text",
        *("feel.compare", "which-a"),
        broken="""
            start > which:xor -[x = "1"]> a > end
            which -*> b > end2""",
        sound="""
            start > which:xor -[x = 1]> a > end
            which -*> b > end2""",
        script="b",
        comes_to=so.never_came_to("a"),
    ),
    Fault(
        "a choice that the form does not offer",
        *("feel.enum", "which-a"),
        broken="""
            start > ask:pick > which:xor -[picked = "tow"]> a > end
            which -*> b > end2""",
        sound="""
            start > ask:pick > which:xor -[picked = "two"]> a > end
            which -*> b > end2""",
        script="ask pick=two; b",
        comes_to=so.never_came_to("a"),
    ),
    Fault(
        "a timer that is given a number",
        *("feel.timer", "t"),
        broken="start > t:timer==x > end",
        sound="start > t:timer==duration('P3D') > end".replace("'", '"'),
        script="",
        comes_to=so.has_incident("expression"),
    ),
]
