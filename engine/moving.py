"""Where the tokens of a case stand, where an operator may put them instead, and doing it.

A token is moved by taking away what waits and starting another element: in the same scope, out of a sub-process or
into one. A multi-instance, and a called process seen from outside, are moved as a whole. The token game has the
last word: the marking that would come of it must still be able to finish.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.refusals import Invalid, WrongState
from engine import proving
from engine.diagram import Element, Kind
from engine.findings import Finding
from engine.nodes import Call, EventGateway, Joining, MultiInstance, Node, SubProcess
from engine.specifications import Specifications, Unsupported
from engine.tokens import Inner, Outer, Token

if TYPE_CHECKING:
    from engine.run import Run

#: Element as (process, id).
To = tuple[str, str]


@dataclass(frozen=True)
class Place:
    """One token of a case, as an operator sees it."""

    #: Token in the instance's state.
    number: int
    process: str
    element: str
    name: str
    kind: Kind
    #: Sub-processes and called processes around it, from outside in, as (process, element).
    inside: tuple[To, ...]
    #: It waits for something by itself; an activity with an inside waits for that.
    waits: bool
    #: An activity with everything in it: a sub-process, a called process, a multi-instance.
    whole: bool
    #: Why it cannot be moved or passed over, Chinese and English; empty where it can.
    fixed: str
    may_skip: bool


@dataclass(frozen=True)
class Target:
    """An element to which tokens could be moved, and what the token game says of it."""

    process: str
    element: str
    name: str
    kind: Kind
    #: None: the case can still finish from there.
    finding: Finding | None


# Where tokens stand.


def places(top: Outer) -> list[Place]:
    """Every token that is not a listening boundary event or one instance of a multi-instance, oldest first."""
    found = [_place(token) for token in _tokens(top)]
    return sorted(found, key=lambda place: place.number)


def _tokens(top: Outer) -> Iterator[Token]:
    for workflow in top.workflows():
        for token in workflow.unfinished():
            if "host" not in token.internal_data and "body" not in token.internal_data:
                yield token


def _place(token: Token) -> Place:
    node = token.node
    element = node.element
    fixed = "" if not _in_multi(token) else "它在多实例之内，只能整体移动多实例。 It is inside a multi-instance."
    whole = isinstance(node, SubProcess | MultiInstance)
    return Place(
        token.id,
        element.process,
        element.id,
        element.name or element.id,
        element.kind,
        tuple((h.node.element.process, h.node.element.id) for h in reversed(list(_hosts(token)))),
        node.waits(token),
        whole,
        fixed,
        not fixed and not isinstance(node, EventGateway | Joining),
    )


def _hosts(token: Token) -> Iterator[Token]:
    """The activities that a token runs in, from inside out."""
    host = token.host_of_workflow
    while host is not None:
        yield host
        host = host.host_of_workflow


def _in_multi(token: Token) -> bool:
    return any(host.body is not None for host in _hosts(token))


# What a move would do.


@dataclass(frozen=True)
class Plan:
    """A move that can be made: what is taken away, and where the target is started."""

    cancelled: tuple[Token, ...]
    #: The scope in which to start; its sub-processes ``opened`` come first, from outside in.
    workflow: Outer | Inner
    opened: tuple[str, ...]
    target: Element


def plan(top: Outer, specifications: Specifications, numbers: Collection[int], to: To) -> Plan:
    """How these tokens get to an element. Raises Invalid, or WrongState with the reason why they cannot."""
    chosen = _chosen(top, numbers)
    target = _target(specifications, to)
    workflow, opened = _scope_of(specifications, chosen[0], target)
    cancelled = {token.id: token for token in (_climb(top, token, workflow, numbers) for token in chosen)}
    return Plan(tuple(cancelled[number] for number in sorted(cancelled)), workflow, opened, target)


def _chosen(top: Outer, numbers: Collection[int]) -> list[Token]:
    known = {token.id: token for token in _tokens(top)}
    if not numbers or not known.keys() >= set(numbers):
        raise Invalid(
            "没有这个位置，请刷新后再选。 There is no such token; read the case again.",
            code="token.unknown",
            fields={"tokens": ["没有这个位置。 No such token."]},
        )
    chosen = [known[number] for number in sorted(set(numbers))]
    for token in chosen:
        if _in_multi(token):
            raise _refused(_place(token).fixed, "move.multi_instance", token.node.element)
    return chosen


def _target(specifications: Specifications, to: To) -> Element:
    process = specifications.processes.get(to[0])
    element = process.elements.get(to[1]) if process is not None else None
    if element is None:
        raise Invalid(
            f"图中没有“{to[1]}”。 The diagram has no element {to[1]!r}.",
            code="move.unknown_target",
            fields={"to": ["没有这个环节。 No such element."]},
        )
    why = _no_target(specifications, element)
    if why:
        raise _refused(why, "move.no_target", element)
    return element


def _no_target(specifications: Specifications, element: Element) -> str:
    """Why nothing can be started at an element; empty where it can."""
    node = _node(specifications, element)
    if node is None or isinstance(node, Unsupported):
        return "引擎不能执行它。 The engine does not run it."
    if element.kind is Kind.START:
        return "起点不能作为目标，请选它后面的环节。 A start is no target: choose what follows it."
    if element.kind is Kind.BOUNDARY:
        return "边界事件不能作为目标，请选它后面的环节。 A boundary event is no target: choose what follows it."
    if isinstance(node, Joining) and len(element.incoming) > 1:
        return "汇合网关要等齐各路，请选它后面的环节。 A joining gateway waits for others: choose what follows it."
    return ""


def _node(specifications: Specifications, element: Element) -> Node | None:
    specification = specifications.scopes.get(_key(element))
    return specification.task_specs.get(element.id) if specification is not None else None


def _key(element: Element) -> str:
    """Key of the specification in which an element is drawn."""
    return element.process if element.scope == element.process else f"{element.process}/{element.scope}"


def _scope_of(
    specifications: Specifications, token: Token, target: Element
) -> tuple[Outer | Inner, tuple[str, ...]]:
    """The running scope for a target, and the sub-processes that are opened on the way into it."""
    process = specifications.process(target.process)
    opened: list[str] = []
    scope = target
    while True:
        workflow = _around(token, _key(scope))
        if workflow is not None:
            return _into_running(workflow, opened)
        if scope.scope == scope.process:
            raise _refused(
                "它属于另一个流程，只能移动整个调用环节。 It is in another process: move the call as a whole.",
                "move.other_process",
                target,
            )
        scope = process.elements[scope.scope]
        if scope.loop is not None:
            raise _refused("它在多实例之内。 It is inside a multi-instance.", "move.multi_instance", target)
        opened.insert(0, scope.id)


def _around(token: Token, key: str) -> Outer | Inner | None:
    """The innermost scope around a token with this specification."""
    for holder in (token, *_hosts(token)):
        workflow: Outer | Inner = holder.workflow
        if workflow.spec.name == key:
            return workflow
    return None


def _into_running(workflow: Outer | Inner, opened: list[str]) -> tuple[Outer | Inner, tuple[str, ...]]:
    """Go on into a sub-process that already runs, rather than open it twice."""
    while opened:
        running = [t for t in workflow.at(opened[0]) if t.id in workflow.top_workflow.subprocesses]
        if len(running) != 1:
            break
        workflow = workflow.top_workflow.subprocesses[running[0].id]
        opened = opened[1:]
    return workflow, tuple(opened)


def _climb(top: Outer, token: Token, workflow: Outer | Inner, numbers: Collection[int]) -> Token:
    """What has to be taken away in the target's scope: the token, or the whole sub-process that it is in."""
    here = token
    while here.workflow is not workflow:
        host = here.host_of_workflow
        if host is None:
            if isinstance(workflow, Inner) and _is_within(workflow, here.workflow):
                return token
            raise _refused(
                "这些位置不在同一个流程里，请分开移动。 These are in different processes: move them one by one.",
                "move.scattered",
                token.node.element,
            )
        if isinstance(host.node, Call) and not _is_within(workflow, here.workflow):
            raise _refused(
                "它在被调用的流程里，只能移动整个调用环节。 It is in a called process: move the call as a whole.",
                "move.called_process",
                token.node.element,
            )
        if _is_within(workflow, here.workflow):
            return token
        here = host
    if here is not token:
        left = [t for t in _tokens(top) if here in _hosts(t) and t.id not in numbers and not _holds(t)]
        if left:
            names = "、".join(sorted({t.node.element.name or t.node.element.id for t in left}))
            raise _refused(
                f"子流程里还有别的位置（{names}），请一起移出，或者整体移动子流程。 "
                "Other tokens are in the sub-process: move them too, or the sub-process as a whole.",
                "move.leaves_others",
                token.node.element,
            )
    return here


def _holds(token: Token) -> bool:
    """Whether a token only stands for what runs inside it."""
    return isinstance(token.node, SubProcess) and token.id in token.workflow.top_workflow.subprocesses


def _is_within(workflow: Outer | Inner, outer: Outer | Inner) -> bool:
    """Whether a scope runs inside another."""
    while isinstance(workflow, Inner):
        workflow = workflow.parent_task.workflow
        if workflow is outer:
            return True
    return False


def _refused(why: str, code: str, element: Element) -> WrongState:
    return WrongState(why, code=code, element=element.id, process=element.process)


# Every target.


def candidates(top: Outer, specifications: Specifications, numbers: Collection[int]) -> list[Plan]:
    """A plan for every element to which these tokens could be moved, by the order of the diagram."""
    chosen = _chosen(top, numbers)
    processes = dict.fromkeys([chosen[0].node.element.process, *(t.node.element.process for t in chosen)])
    found = []
    for process in processes:
        for element in specifications.process(process).elements.values():
            try:
                found.append(plan(top, specifications, numbers, (process, element.id)))
            except WrongState:
                continue
    return found


# Doing it.


def move(run: "Run", planned: Plan, variables: Mapping[str, Any], why: str) -> None:
    """Take the tokens away and start the target."""
    run.log(
        "token.moved",
        planned.target,
        payload={
            "from": [{"process": e.process, "element": e.id} for e in _elements(planned.cancelled)],
            "to": {"process": planned.target.process, "element": planned.target.id},
            "variables": sorted(variables),
            "reason": why,
        },
    )
    for token in planned.cancelled:
        token.cancel()
    workflow = planned.workflow
    for id in planned.opened:
        host: Token = workflow.task_tree._add_child(workflow.spec.node(id))
        assert isinstance(host.node, SubProcess)
        run.entered(host)
        workflow = host.node.open(host)
    token = workflow.task_tree._add_child(workflow.spec.node(planned.target.id))
    for name, value in variables.items():
        run.scopes.assign(token, name, value)
    token.node._update(token)


def _elements(tokens: Sequence[Token]) -> list[Element]:
    return [token.node.element for token in tokens]


def skip(run: "Run", number: int, variables: Mapping[str, Any], why: str) -> None:
    """Let a token leave its element without the element being carried out."""
    (token,) = _chosen(run.top, (number,))
    place = _place(token)
    element = token.node.element
    if not place.may_skip:
        raise _refused(
            "网关不能跳过，请移动到它后面的环节。 A gateway cannot be skipped: move the token to what follows it.",
            "skip.gateway",
            element,
        )
    run.log("token.skipped", element, payload={"variables": sorted(variables), "reason": why})
    for name, value in variables.items():
        run.scopes.assign(token, name, value)
    token.node.withdraw(token)
    if isinstance(token.node, MultiInstance):
        for instance in token.children:
            instance.cancel()
    token.complete()


# What the token game says.


def targets(
    top: Outer, specifications: Specifications, numbers: Collection[int], services: Collection[str]
) -> list[Target]:
    """Every element to which these tokens could be moved, and the finding where the case could not finish."""
    before = _judged(specifications, marking(top), services)
    return [
        Target(
            planned.target.process,
            planned.target.id,
            planned.target.name or planned.target.id,
            planned.target.kind,
            _made_worse(before, _judged(specifications, marking(top, planned), services)),
        )
        for planned in candidates(top, specifications, numbers)
    ]


def require_sound(top: Outer, specifications: Specifications, planned: Plan, services: Collection[str]) -> None:
    """Refuse a move after which the case could not finish. Raises WrongState with the finding's sentences."""
    finding = _judged(specifications, marking(top, planned), services)
    if finding is not None and _made_worse(_judged(specifications, marking(top), services), finding):
        raise WrongState(
            f"{finding.zh} {finding.en}", code="move.unsound", element=planned.target.id, finding=finding.code
        )


def marking(top: Outer, planned: Plan | None = None) -> list[proving.Scope]:
    """Where every token stands, or would stand after a move, scope by scope, for the token game."""
    gone = {token.id for token in planned.cancelled} if planned is not None else set()
    scopes: list[proving.Scope] = []
    index: dict[int, int] = {}
    for workflow in top.workflows():
        host = workflow.parent_task if isinstance(workflow, Inner) else None
        if host is not None and (host.id in gone or host.body is not None or id(host.workflow) not in index):
            continue
        index[id(workflow)] = len(scopes)
        process, _, element = workflow.spec.name.partition("/")
        scope = proving.Scope(process, element)
        if host is not None:
            scope.host, scope.host_element = index[id(host.workflow)], host.node.element.id
        scopes.append(scope)
        for token in workflow.unfinished():
            if token.id in gone or "host" in token.internal_data or "body" in token.internal_data:
                continue
            if isinstance(token.node, Joining):
                scope.via[token.internal_data["via"]] += 1
            else:
                scope.at[token.node.element.id] += 1
    if planned is not None:
        at = index[id(planned.workflow)]
        for opened in planned.opened:
            scopes[at].at[opened] += 1
            scopes.append(proving.Scope(planned.target.process, opened, at, opened))
            at = len(scopes) - 1
        scopes[at].entering[planned.target.id] += 1
    return scopes


def _judged(
    specifications: Specifications, scopes: Sequence[proving.Scope], services: Collection[str]
) -> Finding | None:
    return proving.judge_marking(specifications.processes, scopes, services=services)


def _made_worse(before: Finding | None, after: Finding | None) -> Finding | None:
    """What a move brings about; what was wrong without it is no reason to refuse the repair of something else."""
    if before is not None and after is not None and (before.code, before.element) == (after.code, after.element):
        return None
    return after
