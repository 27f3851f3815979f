"""How each kind of element behaves: task specifications for SpiffWorkflow, one class for each kind.

The library calls ``_update_hook`` when a token arrives, ``_run_hook`` when it is carried out, ``_on_complete_hook``
when it is done and ``_on_cancel`` when it is taken away. What an element does to the world (rows, services,
expressions) it asks of the command that is running, ``token.run_of``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from SpiffWorkflow.bpmn.specs.bpmn_task_spec import BpmnTaskSpec
from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec
from SpiffWorkflow.util.task import TaskState

from engine.diagram import Element, Flow, Kind
from engine.incidents import Stuck
from engine.tokens import Inner, Token

#: Sub-processes and calls that one instance may have open; a call of itself stops here.
MAX_SCOPES = 200
#: Instances of one multi-instance. The gate warns of far fewer.
MAX_INSTANCES = 1_000


class Specification(WorkflowSpec):  # type: ignore[misc]
    """One scope of a diagram: a process, or the inside of a sub-process."""

    #: BPMN data objects of the library; ours live in scopes.
    data_objects: Mapping[str, Any] = {}

    def __init__(self, key: str, process: str) -> None:
        super().__init__(name=key)
        self.process = process
        self.start = Root(self)
        #: Name of the node of the one start event.
        self.entry = ""
        self._reach: dict[str, dict[str, frozenset[str]]] = {}

    def node(self, name: str) -> "Node":
        found: Node = self.task_specs[name]
        return found

    def reach(self, gateway: "Inclusive") -> Mapping[str, frozenset[str]]:
        """Element → incoming flows of an inclusive gateway that a token there may still reach around it."""
        known = self._reach.get(gateway.name)
        if known is None:
            known = self._reach[gateway.name] = _reach(self, gateway)
        return known


class Root(BpmnTaskSpec):  # type: ignore[misc]
    """Where every token of a scope hangs. It is complete from the beginning."""

    def __init__(self, spec: Specification) -> None:
        super().__init__(spec, "Start")


class Node(BpmnTaskSpec):  # type: ignore[misc]
    """An element. By itself it does nothing and passes the token on: a plain task, a start, a plain event."""

    def __init__(self, spec: Specification, element: Element, flows: Sequence[Flow], name: str = "") -> None:
        super().__init__(spec, name or element.id)
        self.spec_of = spec
        self.element = element
        #: Outgoing flows, in the order of the diagram.
        self.flows = tuple(flows)
        #: Names of the nodes of its boundary events.
        self.boundaries: tuple[str, ...] = ()

    # What the library asks.

    def test(self) -> None:
        """The diagram was checked when it was deployed."""

    def _predict_hook(self, my_task: Token) -> None:
        """Nothing is predicted."""

    def _update_hook(self, my_task: Token) -> bool:
        if my_task._state != TaskState.FUTURE:
            return False
        my_task.run_of.entered(my_task)
        if my_task.run_of.passes(my_task):
            return True
        return self.enter(my_task)

    def _on_ready_hook(self, my_task: Token) -> None:
        my_task.workflow.top_workflow.ready.append(my_task)

    def _run_hook(self, my_task: Token) -> bool | None:
        if my_task.run_of.passes_over(my_task):
            return True
        return self.execute(my_task)

    def _on_complete_hook(self, my_task: Token) -> None:
        self._withdraw_boundaries(my_task, None)
        body = my_task.body
        if body is not None:
            node = body.node
            assert isinstance(node, MultiInstance)
            node.instance_done(body, my_task)
            my_task.run_of.scopes.drop(my_task)
            return
        my_task.run_of.scopes.drop(my_task)
        for flow in self.choose(my_task):
            my_task.run_of.took(self.element.process, flow)
            child = my_task._add_child(self.spec_of.node(flow.target))
            child.internal_data["via"] = flow.id

    def _on_cancel(self, my_task: Token) -> None:
        self._withdraw_boundaries(my_task, None)
        self.withdraw(my_task)
        my_task.run_of.scopes.drop(my_task)

    # What an element may do otherwise.

    def enter(self, token: Token) -> bool:
        """A token arrives. True: carry it out now; False: it waits."""
        return True

    def execute(self, token: Token) -> bool | None:
        """Carry it out. None: the token was taken away meanwhile."""
        return True

    def choose(self, token: Token) -> Sequence[Flow]:
        """The flows on which a token leaves."""
        return self.flows

    def withdraw(self, token: Token) -> None:
        """The token is taken away while it waits here."""

    def happen(self, token: Token, element: str, payload: Mapping[str, Any]) -> None:
        """What the token waited for has happened."""
        raise AssertionError(f"{self.name} waits for nothing.")

    def waits(self, token: Token) -> bool:
        """Whether an unfinished token here is a wait that people see."""
        return False

    # Boundary events.

    def arm_boundaries(self, token: Token, *, errors_only: bool = False) -> None:
        """Let the boundary events listen while the token is here."""
        for name in self.boundaries:
            node = self.spec_of.node(name)
            assert isinstance(node, Boundary)
            trigger = node.element.trigger
            if errors_only and trigger is not None and trigger.kind != "error":
                continue
            self.arm_boundary(token, name)

    def arm_boundary(self, token: Token, name: str) -> None:
        """Let one boundary event listen."""
        node = self.spec_of.node(name)
        assert isinstance(node, Boundary)
        event = token.parent._add_child(node, TaskState.WAITING)
        event.internal_data["host"] = token.id
        node.listen(event)

    def listeners(self, token: Token) -> list[Token]:
        """The boundary events that listen on a token."""
        if not self.boundaries:
            return []
        return [
            other
            for other in token.workflow.tasks.values()
            if other._state == TaskState.WAITING and other.internal_data.get("host") == token.id
        ]

    def _withdraw_boundaries(self, token: Token, but: Token | None) -> None:
        for event in self.listeners(token):
            if event is not but:
                event.cancel()


class User(Node):
    """Somebody has to answer."""

    def enter(self, token: Token) -> bool:
        run = token.run_of
        run.take_inputs(token)
        token._set_state(TaskState.STARTED)
        run.open_task(token)
        self.arm_boundaries(token)
        return False

    def withdraw(self, token: Token) -> None:
        token.run_of.cancel_task(token)

    def waits(self, token: Token) -> bool:
        return True

    def answered(self, token: Token, answer: Mapping[str, Any]) -> None:
        """The answer is local; what the ioMapping names enters the data."""
        token.run_of.give_outputs(token, answer)
        token._ready()


class Working(Node):
    """A service does it: at once where it is registered, as a job of an external worker where it is not."""

    def enter(self, token: Token) -> bool:
        run = token.run_of
        run.take_inputs(token)
        if run.has_service(self.element.task_type):
            self.arm_boundaries(token, errors_only=True)
            return True
        token._set_state(TaskState.STARTED)
        run.open_job(token)
        self.arm_boundaries(token)
        return False

    def execute(self, token: Token) -> bool | None:
        if not token.internal_data.pop("worked", False):
            token.run_of.call_service(token)
        return None if token._state == TaskState.CANCELLED else True

    def withdraw(self, token: Token) -> None:
        token.run_of.cancel_job(token)

    def waits(self, token: Token) -> bool:
        return token.is_started

    def worked(self, token: Token, result: Mapping[str, Any]) -> None:
        """An external worker has done it."""
        token.run_of.give_outputs(token, result)
        token.internal_data["worked"] = True
        token._ready()


class WorkingEnd(Working):
    """An end event or throw event that sends a message through a service."""

    def execute(self, token: Token) -> bool | None:
        done = super().execute(token)
        if done and self.element.kind is Kind.END:
            token.run_of.reached_end(token)
        return done


class Rule(Node):
    """A decision table decides."""

    def enter(self, token: Token) -> bool:
        token.run_of.take_inputs(token)
        self.arm_boundaries(token, errors_only=True)
        return True

    def execute(self, token: Token) -> bool | None:
        token.run_of.decide(token)
        return True


class Script(Node):
    """A FEEL expression computes a value."""

    def enter(self, token: Token) -> bool:
        token.run_of.take_inputs(token)
        return True

    def execute(self, token: Token) -> bool | None:
        token.run_of.compute(token)
        return True


class Start(Node):
    """The one plain start of a scope."""


class Catch(Node):
    """An intermediate event or a receive task: waits for its trigger. Behind an event gateway it has happened."""

    def enter(self, token: Token) -> bool:
        run = token.run_of
        if "payload" in token.internal_data:
            return True
        run.take_inputs(token)
        token._set_state(TaskState.WAITING)
        run.listen(token, self.element, host=self.element.id)
        self.arm_boundaries(token)
        return False

    def execute(self, token: Token) -> bool | None:
        token.run_of.give_outputs(token, token.run_of.payload_of(token))
        return True

    def happen(self, token: Token, element: str, payload: Mapping[str, Any]) -> None:
        token.run_of.stop_listening(token)
        token.run_of.keep_payload(token, payload)
        token._ready()

    def withdraw(self, token: Token) -> None:
        token.run_of.stop_listening(token)

    def waits(self, token: Token) -> bool:
        return token.is_waiting


class PlainCatch(Node):
    """An intermediate event that waits for nothing: a milestone, or where a link arrives."""

    def execute(self, token: Token) -> bool | None:
        token.run_of.give_outputs(token, {})
        return True


class Boundary(Node):
    """Listens while its activity is open."""

    def listen(self, token: Token) -> None:
        """Begin to wait."""
        trigger = self.element.trigger
        if trigger is not None and trigger.kind in ("timer", "message", "signal"):
            token.run_of.listen(token, self.element, host=self.element.attached_to)

    def execute(self, token: Token) -> bool | None:
        token.run_of.give_outputs(token, token.run_of.payload_of(token))
        return True

    def happen(self, token: Token, element: str, payload: Mapping[str, Any]) -> None:
        run = token.run_of
        run.entered(token)
        if self.element.interrupting:
            host = token.workflow.tasks[token.internal_data["host"]]
            # This event must outlive its host, so it stops listening first.
            run.stop_listening(token)
            del token.internal_data["host"]
            host.cancel()
            fired = token
        elif run.goes_on_listening(token):
            fired = token.parent._add_child(self, TaskState.WAITING)
        else:
            run.stop_listening(token)
            del token.internal_data["host"]
            fired = token
        run.keep_payload(fired, payload)
        fired._ready()

    def withdraw(self, token: Token) -> None:
        token.run_of.stop_listening(token)


class EventGateway(Node):
    """Waits for the first of the events behind it."""

    def enter(self, token: Token) -> bool:
        token._set_state(TaskState.WAITING)
        for flow in self.flows:
            event = self.spec_of.node(flow.target).element
            token.run_of.listen(token, event, host=self.element.id)
        return False

    def happen(self, token: Token, element: str, payload: Mapping[str, Any]) -> None:
        token.run_of.stop_listening(token)
        token.run_of.keep_payload(token, payload)
        token.internal_data["chosen"] = element
        token._ready()

    def choose(self, token: Token) -> Sequence[Flow]:
        return [flow for flow in self.flows if flow.target == token.internal_data["chosen"]]

    def _on_complete_hook(self, my_task: Token) -> None:
        super()._on_complete_hook(my_task)
        for child in my_task.children:
            child.internal_data["payload"] = my_task.internal_data["payload"]

    def withdraw(self, token: Token) -> None:
        token.run_of.stop_listening(token)

    def waits(self, token: Token) -> bool:
        return token.is_waiting


class Exclusive(Node):
    """The first true condition, else the default, else an incident."""

    def choose(self, token: Token) -> Sequence[Flow]:
        if len(self.flows) == 1 and not self.flows[0].condition:
            return self.flows
        default = None
        for flow in self.flows:
            if flow.id == self.element.default:
                default = flow
            elif flow.condition is None or token.run_of.holds(token, flow.condition):
                return (flow,)
        if default is None:
            raise token.run_of.no_way(token)
        return (default,)


class Joining(Node):
    """A gateway that gathers tokens. Tokens wait on their flows; one that fired has used them up."""

    def waiting(self, token: Token) -> dict[str, list[Token]]:
        """Incoming flow → tokens that wait on it, oldest first."""
        found: dict[str, list[Token]] = {}
        for other in token.workflow.at(self.name):
            if other._state == TaskState.WAITING:
                found.setdefault(other.internal_data["via"], []).append(other)
        return found

    def join(self, tokens: Sequence[Token]) -> None:
        """Use up one token of each flow; the last of them goes on."""
        *used, going = sorted(tokens, key=lambda t: t.id)
        for token in used:
            token._set_state(TaskState.CANCELLED)
        going._ready()


class Parallel(Joining):
    """Waits for a token on every incoming flow; leaves on every outgoing flow."""

    def enter(self, token: Token) -> bool:
        if len(self.element.incoming) < 2:
            return True
        token._set_state(TaskState.WAITING)
        waiting = self.waiting(token)
        if all(flow in waiting for flow in self.element.incoming):
            self.join([tokens[0] for tokens in waiting.values()])
        return False

    def fire_if_complete(self, token: Token) -> bool:
        """Fire for a token that waits, if nothing is missing: after the diagram around it has changed."""
        waiting = self.waiting(token)
        if len(self.element.incoming) < 2:
            token._ready()
        elif all(flow in waiting for flow in self.element.incoming):
            self.join([waiting[flow][0] for flow in self.element.incoming])
        else:
            return False
        return True


class Inclusive(Joining):
    """Waits for every token that may still arrive; leaves on every true condition.

    When it may fire is decided by ``Run`` once nothing else can move, with ``may_fire``.
    """

    def enter(self, token: Token) -> bool:
        if len(self.element.incoming) < 2:
            return True
        token._set_state(TaskState.WAITING)
        return False

    def fire_if_nothing_can_arrive(self, token: Token) -> bool:
        """BPMN 2.0, 13.4.3: every token that could reach an empty flow could also reach one that has a token."""
        waiting = self.waiting(token)
        reach = self.spec_of.reach(self)
        for other in token.workflow.unfinished():
            # A boundary event that listens is no token; what it may let through counts with its activity.
            if other.task_spec is self or "host" in other.internal_data:
                continue
            reachable = reach.get(other.task_spec.name, frozenset())
            if not reachable <= waiting.keys() and not reachable & waiting.keys():
                return False
        self.join([tokens[0] for tokens in waiting.values()])
        return True

    def choose(self, token: Token) -> Sequence[Flow]:
        if len(self.flows) == 1 and not self.flows[0].condition:
            return self.flows
        taken = [
            flow
            for flow in self.flows
            if flow.id != self.element.default
            and (flow.condition is None or token.run_of.holds(token, flow.condition))
        ]
        if not taken:
            taken = [flow for flow in self.flows if flow.id == self.element.default]
        if not taken:
            raise token.run_of.no_way(token)
        return taken


class Throw(Node):
    """An intermediate event that only marks, that links, that sends a signal or escalates."""

    def execute(self, token: Token) -> bool | None:
        token.run_of.give_outputs(token, {})
        trigger = self.element.trigger
        if trigger is not None and trigger.kind == "signal":
            token.run_of.broadcast(token, trigger.name)
        elif trigger is not None and trigger.kind == "escalation":
            token.run_of.escalate(token, trigger.name)
        return None if token._state == TaskState.CANCELLED else True


class End(Node):
    """Ends its path; with a trigger it also terminates the scope, raises an error, escalates or sends a signal."""

    def execute(self, token: Token) -> bool | None:
        run = token.run_of
        run.give_outputs(token, {})
        run.reached_end(token)
        trigger = self.element.trigger
        if trigger is None:
            return True
        if trigger.kind == "terminate":
            for other in token.workflow.unfinished():
                if other is not token:
                    other.cancel()
        elif trigger.kind == "error":
            run.throw_error(token, trigger.name, self.element.name or trigger.name)
        elif trigger.kind == "escalation":
            run.escalate(token, trigger.name)
        elif trigger.kind == "signal":
            run.broadcast(token, trigger.name)
        return None if token._state == TaskState.CANCELLED else True


class SubProcess(Node):
    """A sub-process or a call activity: done when nothing inside it is open."""

    #: Key of the specification of its inside.
    inside = ""

    def enter(self, token: Token) -> bool:
        token.run_of.begin(self.open(token))
        return False

    def open(self, token: Token) -> Inner:
        """Everything that a token here begins, but for the first token inside."""
        run = token.run_of
        run.take_inputs(token)
        self.prepare(token)
        token._set_state(TaskState.STARTED)
        self.arm_boundaries(token)
        process, element = self.element.process, self.element.id
        if len(run.top.subprocesses) >= MAX_SCOPES:
            raise Stuck(
                "loop", process, element, f"More than {MAX_SCOPES} sub-processes and calls are open at once."
            )
        if self.inside not in run.top.subprocess_specs:
            raise Stuck("engine", process, element, f"There is no process {self.inside!r} to call.")
        return run.top.open(token, self.inside)

    def prepare(self, token: Token) -> None:
        """Before the inside begins."""

    def finished(self, token: Token, inner: Inner) -> None:
        """Nothing inside is open any more."""
        token.run_of.give_outputs(token, {})
        inner.remove()
        token._ready()

    def withdraw(self, token: Token) -> None:
        inner = token.workflow.top_workflow.subprocesses.get(token.id)
        if inner is not None:
            for other in inner.unfinished():
                other.cancel()
            inner.remove()


class Call(SubProcess):
    """A called process has data of its own, taken over at its start and given back at its end."""

    def prepare(self, token: Token) -> None:
        scopes = token.run_of.scopes
        everything = self.element.propagate_parent
        scopes.held[-token.id] = scopes.visible(token) if everything else dict(scopes.held.get(token.id, {}))

    def finished(self, token: Token, inner: Inner) -> None:
        run = token.run_of
        result = run.scopes.called(token)
        if self.element.outputs:
            run.give_outputs(token, result)
        elif self.element.propagate_child:
            for name, value in result.items():
                run.scopes.assign(token, name, value)
        inner.remove()
        token._ready()


class MultiInstance(Node):
    """Once per item of a collection, together or one after the other."""

    #: Name of the node of one instance.
    each = ""

    def enter(self, token: Token) -> bool:
        run = token.run_of
        loop = self.element.loop
        assert loop is not None
        items = run.collection(token, loop.collection)
        if len(items) > MAX_INSTANCES:
            raise Stuck(
                "loop",
                self.element.process,
                self.element.id,
                f"{len(items)} items at once; a multi-instance has at most {MAX_INSTANCES}.",
            )
        state = token.internal_data
        state["n"], state["next"], state["done"], state["gone"] = len(items), 0, 0, 0
        if loop.output:
            state["results"] = [None] * len(items)
        if loop.sequential:
            state["items"] = items
        if not items:
            self._collect(token)
            return True
        token._set_state(TaskState.STARTED)
        self.arm_boundaries(token)
        if loop.sequential:
            self._begin(token, items[0])
        else:
            for item in items:
                self._begin(token, item)
        return False

    def _begin(self, body: Token, item: Any) -> None:
        loop = self.element.loop
        assert loop is not None
        index = body.internal_data["next"]
        body.internal_data["next"] = index + 1
        child = body._add_child(self.spec_of.node(self.each))
        child.internal_data["body"] = body.id
        child.internal_data["index"] = index
        local = body.run_of.scopes.local(child)
        local["loopCounter"] = index + 1
        if loop.item:
            local[loop.item] = item
        child.node._update(child)

    def instance_done(self, body: Token, child: Token) -> None:
        """One instance is complete: collect its result, and see whether that is enough."""
        run = body.run_of
        loop = self.element.loop
        assert loop is not None
        state = body.internal_data
        state["done"] += 1
        context = run.scopes.visible(child)
        if loop.output:
            state["results"][child.internal_data["index"]] = run.result_of(child, loop.output_item, context)
        if loop.completion:
            context |= {
                "numberOfInstances": state["n"],
                "numberOfCompletedInstances": state["done"],
                "numberOfTerminatedInstances": 0,
                "numberOfActiveInstances": state["next"] - state["done"],
            }
            if run.holds(child, loop.completion, context):
                for other in body.children:
                    if other is not child:
                        other.cancel()
                self._finish(body)
                return
        if loop.sequential and state["next"] < state["n"]:
            self._begin(body, state["items"][state["next"]])
        elif state["done"] == state["n"]:
            self._finish(body)

    def _finish(self, body: Token) -> None:
        self._collect(body)
        body._ready()

    def _collect(self, body: Token) -> None:
        loop = self.element.loop
        assert loop is not None
        if loop.output:
            body.run_of.scopes.assign(body, loop.output, body.internal_data.pop("results"))


def _reach(spec: Specification, gateway: Inclusive) -> dict[str, frozenset[str]]:
    """Backwards from each incoming flow, never through the gateway; boundary events follow their activity."""
    before: dict[str, set[str]] = {}
    incoming: dict[str, str] = {}
    for node in spec.task_specs.values():
        if not isinstance(node, Node):
            continue
        for flow in node.flows:
            before.setdefault(flow.target, set()).add(node.name)
            if flow.target == gateway.name:
                incoming[flow.id] = node.name
        for boundary in node.boundaries:
            before.setdefault(boundary, set()).add(node.name)
    reached: dict[str, set[str]] = {}
    for flow_id, source in incoming.items():
        if source == gateway.name:
            continue
        seen, todo = {source}, [source]
        while todo:
            name = todo.pop()
            reached.setdefault(name, set()).add(flow_id)
            for previous in before.get(name, ()):
                if previous not in seen and previous != gateway.name:
                    seen.add(previous)
                    todo.append(previous)
    return {name: frozenset(flows) for name, flows in reached.items()}
