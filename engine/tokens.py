"""SpiffWorkflow's task tree, used as what it is good at: tokens with a life cycle.

A token is a SpiffWorkflow ``Task``. Differences from the library, all of them needed (docs/decisions/0002): ids are
small numbers, nothing is predicted, no data is copied from token to token, no clock is read, a cancelled token
takes along what waits for it, and what is finished can be forgotten at any time.
"""

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

if TYPE_CHECKING:
    from engine.nodes import Node
    from engine.run import Run

#: Finished tokens are forgotten when this many have piled up, and again whenever the number has doubled.
FORGET_AT = 200

UNFINISHED: int = TaskState.NOT_FINISHED_MASK
FINISHED: int = TaskState.FINISHED_MASK


class Token(Task):  # type: ignore[misc]
    """Something that is at an element: on its way, waiting there, or done."""

    id: int
    internal_data: dict[str, Any]

    def __init__(
        self,
        workflow: Any,
        task_spec: Any,
        parent: Any = None,
        state: int = TaskState.FUTURE,
        id: int | None = None,
    ) -> None:
        # Not the library's constructor: it reads the clock and draws a random UUID.
        self.id = workflow.top_workflow.next_id() if id is None else id
        self.workflow = workflow
        workflow.tasks[self.id] = self
        self._parent = None if parent is None else parent.id
        self._children: list[int] = []
        self._state = state
        self.triggered = False
        self.task_spec = task_spec
        self.thread_id = 0
        self.data: dict[str, Any] = {}
        self.internal_data = {}
        self.last_state_change = 0.0
        if parent is not None:
            parent._children.append(self.id)

    @property
    def node(self) -> "Node":
        """The element that the token is at."""
        return cast("Node", self.task_spec)

    @property
    def run_of(self) -> "Run":
        """The command that is moving it."""
        return cast("Run", self.workflow.top_workflow.run)

    @property
    def unfinished(self) -> bool:
        return bool(self._state & UNFINISHED)

    @property
    def is_waiting(self) -> bool:
        return bool(self._state == TaskState.WAITING)

    @property
    def is_started(self) -> bool:
        return bool(self._state == TaskState.STARTED)

    @property
    def body(self) -> "Token | None":
        """The multi-instance that this token is one instance of."""
        body = self.internal_data.get("body")
        return None if body is None else cast(Token, self.workflow.tasks[body])

    @property
    def host_of_workflow(self) -> "Token | None":
        """The sub-process or call activity that this token runs in."""
        host = self.workflow.parent_task_id
        return None if host is None else cast(Token, self.workflow.top_workflow.get_task_from_id(host))

    def _set_state(self, value: int) -> None:
        self._state = value

    def _inherit_data(self) -> None:
        """Data lives in scopes."""

    def _add_child(self, task_spec: Any, state: int = TaskState.FUTURE) -> "Token":
        return Token(self.workflow, task_spec, self, state=state)

    def run(self) -> bool | None:
        """Carry out the element. A token that was cancelled while it ran stays cancelled."""
        result: bool | None = self.task_spec._run(self)
        if self._state == TaskState.CANCELLED:
            return None
        if result is None:
            self._set_state(TaskState.STARTED)
        else:
            self.complete()
        return result

    def cancel(self) -> None:
        """Take the token away, with everything that hangs on it. A finished one stays as it is."""
        if not self.unfinished:
            return
        self._set_state(TaskState.CANCELLED)
        for child in self.children:
            child.cancel()
        self.task_spec._on_cancel(self)


class _Forgetful:
    """What the started and the inner workflows have in common."""

    tasks: dict[int, Token]
    task_tree: Token
    spec: Any
    #: Tokens in memory at which the finished ones are forgotten in the middle of a step.
    forget_at = FORGET_AT

    def unfinished(self) -> list[Token]:
        """The tokens that are still on their way or waiting, oldest first."""
        return [token for token in self.tasks.values() if token._state & UNFINISHED]

    def at(self, name: str) -> list[Token]:
        """The unfinished tokens at one element, oldest first."""
        return [t for t in self.tasks.values() if t._state & UNFINISHED and t.task_spec.name == name]

    def plant(self) -> None:
        """Put the root in place; every token hangs below it."""
        self.task_tree = Token(self, self.spec.start, state=TaskState.COMPLETED, id=0)

    def forget_finished(self) -> None:
        """Keep the root and what is unfinished. Nothing looks back: joins count waiting tokens, not ancestors."""
        root = self.task_tree
        kept = {token.id: token for token in self.unfinished()}
        root._children = []
        for token in kept.values():
            token._children = []
        for token in kept.values():
            parent = kept.get(cast(int, token._parent), root)
            token._parent = parent.id
            parent._children.append(token.id)
        self.tasks.clear()
        self.tasks[root.id] = root
        self.tasks.update(kept)
        self.forget_at = max(FORGET_AT, 2 * len(kept))

    def _task_completed_notify(self, task: Token) -> None:
        """The library would update every waiting task of the tree here; our joins need none of it."""


class Inner(_Forgetful, BpmnSubWorkflow):  # type: ignore[misc]
    """A sub-process or a called process while it runs."""

    def __init__(self, spec: WorkflowSpec, host: int, top: "Outer") -> None:
        super().__init__(spec, parent_task_id=host, top_workflow=top, deserializing=True)
        self.plant()

    @property
    def parent_task(self) -> Token:
        return cast(Token, self.top_workflow.get_task_from_id(self.parent_task_id))

    def remove(self) -> None:
        """Take the workflow away without a trace."""
        self.top_workflow.subprocesses.pop(self.parent_task_id, None)


class Outer(_Forgetful, BpmnWorkflow):  # type: ignore[misc]
    """The started process: it holds the inner workflows and the numbering of tokens."""

    def __init__(self, spec: WorkflowSpec, inner: Mapping[str, Any], run: "Run | None", last_id: int = 0) -> None:
        super().__init__(spec, inner, script_engine=_NoScripts(), deserializing=True)
        self.run = run
        self.last_id = last_id
        self.ready: deque[Token] = deque()
        self.plant()

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def get_task_from_id(self, task_id: int) -> Token:
        """The token of this number, wherever it is. Raises KeyError."""
        for workflow in self.workflows():
            if task_id and task_id in workflow.tasks:
                return workflow.tasks[task_id]
        raise KeyError(task_id)

    def workflows(self) -> list["Outer | Inner"]:
        """This workflow and all that run inside it."""
        return [self, *self.subprocesses.values()]

    def open(self, host: Token, key: str) -> Inner:
        """A new inner workflow below a token."""
        inner = Inner(self.subprocess_specs[key], host.id, self)
        self.subprocesses[host.id] = inner
        return inner


class _NoScripts:
    """The library evaluates Python unless it is given something else. Diagrams speak FEEL only."""

    def evaluate(self, *_: object, **__: object) -> object:
        raise RuntimeError("No Python is evaluated in diagrams.")

    execute = call_service = evaluate
