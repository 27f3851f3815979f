"""The engine's part of the deploy gate: refuses by name what it would not run correctly, and says what to draw.

Pure: files and a catalogue in, findings out; never a traceback. What a diagram may come to is proved by the token
game (``engine.proving``, ``engine.silence``); the law's rules are judged above, over what ``engine.diagram`` reads.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

import feel
import feel.dmn
from engine import expressions, moments
from engine.diagram import ACTIVITIES, GATEWAYS, LINK, Element, Flow, Kind, Process, read
from engine.findings import Catalogue, Finding, Severity
from engine.naming import LOOP_NAMES, Naming
from engine.proving import Proofs, prove
from engine.silence import Silence

#: Kinds of trigger that the engine does not run: what to say, and what to draw instead.
_TRIGGERS: Mapping[str, tuple[str, str, str]] = {
    "compensate": (
        "bpmn.compensation",
        "补偿事件会丢失路径；请在需要的路径上画一个写明撤销什么的任务。",
        "Compensation loses its path; draw a named task that undoes it, on the path that needs it.",
    ),
    "conditional": (
        "bpmn.conditional_event",
        "不执行条件事件；请用排他网关提问，或者等待一个消息。",
        "Conditional events are not run; ask with an exclusive gateway, or wait for a message.",
    ),
    "cancel": (
        "bpmn.cancel_event",
        "不执行事务的取消事件；请用错误结束事件和边界错误事件。",
        "Cancel events are not run; use an error end event and an error boundary event.",
    ),
}
_KINDS: Mapping[Kind, tuple[str, str, str]] = {
    Kind.TRANSACTION: (
        "bpmn.transaction",
        "不执行事务子流程；请画普通子流程，用边界错误事件处理失败。",
        "Transactions are not run; draw a plain sub-process with an error boundary event.",
    ),
    Kind.AD_HOC: (
        "bpmn.ad_hoc",
        "不执行特别子流程；请画出任务的顺序，或者用包容网关。",
        "Ad-hoc sub-processes are not run; draw the order of the tasks, or an inclusive gateway.",
    ),
    Kind.COMPLEX: (
        "bpmn.complex_gateway",
        "不执行复杂网关；请用包容网关，或者带完成条件的多实例。",
        "Complex gateways are not run; use an inclusive gateway, or a multi-instance with a condition.",
    ),
}
#: What each kind of event may wait for or throw.
_MAY: Mapping[Kind, frozenset[str]] = {
    Kind.START: frozenset(),
    Kind.CATCH: frozenset({"timer", "message", "signal", "link"}),
    Kind.BOUNDARY: frozenset({"timer", "message", "signal", "error", "escalation"}),
    Kind.THROW: frozenset({"message", "signal", "escalation", "link"}),
    Kind.END: frozenset({"message", "signal", "error", "escalation", "terminate"}),
}
#: The property by which a designer accepts warnings about an element: their codes.
ACCEPTED = "accepted-finding"
#: The property of a service task that says: no service of Hejie, a job of an external worker.
EXTERNAL_WORKER = "external-worker"
#: Every kind of element that the engine runs, and the triggers that it may have.
RUNS: Mapping[Kind, frozenset[str]] = {kind: _MAY.get(kind, frozenset()) for kind in Kind if kind not in _KINDS}
#: The property that declares how many instances a multi-instance has at most, and how many one case may hold: 200
#: consents inside one instance cost 550 kB and 40 ms each.
AT_MOST = "at-most"
MAX_INSTANCES = 20
#: What a timer's expression may give; a text is read as ISO 8601.
_TIMES: Mapping[str, tuple[str, ...]] = {
    "timeDate": ("date", "date and time", "string"),
    "timeDuration": ("days and time duration", "years and months duration", "string"),
    "timeCycle": ("string", "days and time duration"),
}
_NAME = re.compile(r"[^\W\d]\w*")
_LIMIT = re.compile(r'\b(due|warning)\s*\(\s*"([^"]*)"\s*([,)])')


#: Findings that say nothing about the shape of a process: it can be played all the same.
_ABOUT_CONTENT = frozenset(
    f"bpmn.{code}"
    for code in (
        *("unknown_form", "no_form", "unknown_role", "no_role", "unknown_service", "no_service"),
        *("unknown_decision", "no_decision", "no_result_variable", "variable_name", "no_correlation_key"),
        *("timer_text", "script", "no_called_process", "unknown_process", "loop_output"),
    )
)


def check(files: Mapping[str, bytes], catalogue: Catalogue, *, proofs: bool = True) -> list[Finding]:
    """What is wrong with the diagrams and decisions of a bundle, in the order of the files.

    ``proofs``: also play the token game (codes ``flow.``, ``event.``, ``proof.``), and, where the catalogue names
    parties or supervisors, what happens when nobody acts (``wait.``, ``duty.``, ``silence.``).
    """
    findings: list[Finding] = []
    processes: dict[str, Process] = {}
    for path in sorted(files):
        if not path.endswith(".bpmn"):
            continue
        reading = read(files[path], path)
        findings.extend(reading.findings)
        for process in reading.processes:
            if process.id in processes:
                findings.append(
                    _error(
                        path,
                        process.id,
                        "bpmn.duplicate_process",
                        f"流程 id“{process.id}”在 {processes[process.id].file} 里已经用过。",
                        f'The process id "{process.id}" is already used in {processes[process.id].file}.',
                    )
                )
            else:
                processes[process.id] = process
    decisions = set(catalogue.decisions)
    for path in sorted(files):
        if path.endswith(".dmn"):
            found, names = _check_decisions(files[path], path, catalogue.functions)
            findings.extend(found)
            decisions |= names
    naming = Naming(processes, catalogue)
    for process in processes.values():
        findings.extend(_Checker(process, processes, catalogue, decisions, naming).findings())
    if proofs:
        findings.extend(_proved(processes, findings, catalogue))
    return unexplained(findings, processes.values())


def _proved(
    processes: Mapping[str, Process], findings: Collection[Finding], catalogue: Catalogue
) -> Iterator[Finding]:
    """What the token game proves of the processes whose shape is right; what they call is taken on trust if not."""
    broken = {
        (f.file, f.element)
        for f in findings
        if f.severity is Severity.ERROR and f.code.startswith("bpmn.") and f.code not in _ABOUT_CONTENT
    }
    files = {file for file, element in broken if not element}
    sound = {
        process.id: process
        for process in processes.values()
        if process.file not in files
        and not any(
            (process.file, id) in broken for id in (process.id, *process.elements.keys(), *process.flows.keys())
        )
    }
    game = Proofs(sound, catalogue.services)
    for process in sound.values():
        yield from prove(game, process)
    if catalogue.parties or catalogue.supervisors:
        yield from Silence(game, catalogue).findings(sound.values())


def unexplained(findings: Iterable[Finding], processes: Iterable[Process]) -> list[Finding]:
    """The findings without the warnings that a designer has accepted, each with its reason.

    A property ``accepted-finding`` on the element names their codes, separated by commas; the element's
    documentation gives the reason. Without a documentation, or for an error, nothing is accepted.
    """
    accepted: set[tuple[str, str, str]] = set()
    for process in processes:
        for element in process.elements.values():
            if element.documentation:
                codes = element.properties.get(ACCEPTED, "").split(",")
                accepted |= {(element.file, element.id, code.strip()) for code in codes}
    return [f for f in findings if f.severity is Severity.ERROR or (f.file, f.element, f.code) not in accepted]


def _check_decisions(content: bytes, path: str, functions: Collection[str]) -> tuple[list[Finding], set[str]]:
    try:
        decisions = feel.dmn.parse(content, path, functions=functions)
    except feel.dmn.DmnError as error:
        return [
            Finding(path, f.element, f"dmn.{f.code}", Severity.ERROR, f.zh, f.en) for f in error.findings
        ], set()
    return [
        Finding(path, f.element, f"dmn.{f.code}", Severity(f.severity), f.zh, f.en)
        for f in feel.dmn.check_tables(decisions)
    ], set(decisions.names)


def _error(file: str, element: str, code: str, zh: str, en: str) -> Finding:
    return Finding(file, element, code, Severity.ERROR, zh, en)


class _Checker:
    """Judges one process."""

    def __init__(
        self,
        process: Process,
        processes: Mapping[str, Process],
        catalogue: Catalogue,
        decisions: set[str],
        naming: Naming,
    ) -> None:
        self.process = process
        self.processes = processes
        self.catalogue = catalogue
        self.decisions = decisions
        self.naming = naming
        self.known = self._known_names()

    def findings(self) -> Iterator[Finding]:
        """Everything, scope by scope and element by element."""
        if not self.process.executable:
            yield self._warn(
                self.process.id,
                "bpmn.not_executable",
                "流程没有标为可执行（isExecutable）。",
                "The process is not marked as executable (isExecutable).",
            )
        for scope in (self.process.id, *(e.id for e in self.process.elements.values() if _is_inside(e))):
            yield from self._scope(scope)
        for element in self.process.elements.values():
            yield from self._element(element)
        for flow in self.process.flows.values():
            yield from self._flow(flow)
        yield from self._recursion()

    # Helpers.

    def _wrong(self, element: str, code: str, zh: str, en: str) -> Finding:
        return _error(self.process.file, element, code, zh, en)

    def _warn(self, element: str, code: str, zh: str, en: str) -> Finding:
        return Finding(self.process.file, element, code, Severity.WARNING, zh, en)

    def _known_names(self) -> frozenset[str] | None:
        """Names of variables that may exist in the process; none when what it starts with is not known."""
        if self.catalogue.data is None:
            return None
        names = {"case_id", *self.catalogue.data}
        for process in self.processes.values():
            for element in process.elements.values():
                names.update(target for _, target in (*element.inputs, *element.outputs))
                names.add(element.result_variable)
                if element.loop is not None:
                    names.update((element.loop.item, element.loop.output))
        return frozenset(names - {""})

    # Scopes.

    def _scope(self, scope: str) -> Iterator[Finding]:
        inside = list(self.process.inside(scope))
        starts = [e for e in inside if e.kind is Kind.START]
        if len(starts) != 1:
            yield self._wrong(
                scope,
                "bpmn.one_start",
                f"流程和每个子流程要有且只有一个开始事件，这里有 {len(starts)} 个。",
                f"A process and every sub-process has exactly one start event; this has {len(starts)}.",
            )
        if not any(e.kind is Kind.END for e in inside):
            yield self._wrong(scope, "bpmn.no_end", "没有结束事件。", "There is no end event.")

    # Elements.

    def _element(self, element: Element) -> Iterator[Finding]:
        if element.event_sub_process:
            yield self._wrong(
                element.id,
                "bpmn.event_sub_process",
                "不执行事件子流程；请用一个子流程把这一段包起来，在它的边上画边界事件。",
                "Event sub-processes are not run; wrap the part in a sub-process with a boundary event.",
            )
            return
        if element.kind in _KINDS:
            yield self._wrong(element.id, *_KINDS[element.kind])
            return
        if element.for_compensation:
            yield self._wrong(element.id, *_TRIGGERS["compensate"])
        yield from self._triggers(element)
        yield from self._connections(element)
        yield from self._loop(element)
        yield from self._mappings(element)
        if element.kind is Kind.USER:
            yield from self._user(element)
        elif element.kind in (Kind.SERVICE, Kind.SEND) or self._throws_message(element):
            yield from self._service(element)
        elif element.kind is Kind.RULE:
            yield from self._rule(element)
        elif element.kind is Kind.SCRIPT:
            yield from self._script(element)
        elif element.kind is Kind.CALL:
            yield from self._call(element)
        elif element.kind is Kind.EVENT_GATEWAY:
            yield from self._event_gateway(element)
        elif element.kind is Kind.BOUNDARY:
            yield from self._boundary(element)

    def _throws_message(self, element: Element) -> bool:
        return (
            element.kind in (Kind.THROW, Kind.END)
            and element.trigger is not None
            and element.trigger.kind == "message"
        )

    def _triggers(self, element: Element) -> Iterator[Finding]:
        if len(element.triggers) > 1:
            yield self._wrong(
                element.id,
                "bpmn.several_triggers",
                "一个事件只能有一个触发条件；请画成几个事件。",
                "An event has one trigger; draw several events.",
            )
        may = _MAY.get(element.kind)
        for trigger in element.triggers:
            if trigger.kind in _TRIGGERS:
                yield self._wrong(element.id, *_TRIGGERS[trigger.kind])
            elif may is not None and trigger.kind not in may:
                if element.kind is Kind.START:
                    yield self._wrong(
                        element.id,
                        "bpmn.start_trigger",
                        "开始事件不能带触发条件：流程由登记启动，由另一个流程调用，或者从接收消息开始画起。",
                        "A start event has no trigger: a process is started by filing or called; "
                        "draw the wait as an event after the start.",
                    )
                else:
                    yield self._wrong(
                        element.id,
                        "bpmn.trigger",
                        f"这种事件不能用触发条件“{trigger.kind}”。",
                        f"This event cannot have the trigger {trigger.kind}.",
                    )
            if trigger.kind == "timer" and trigger.timer:
                yield from self._timer(element, trigger.timer, trigger.text)
            catches = element.kind in (Kind.CATCH, Kind.BOUNDARY, Kind.RECEIVE)
            if trigger.kind == "message" and catches and trigger.name:
                if not trigger.correlation:
                    yield self._wrong(
                        element.id,
                        "bpmn.no_correlation_key",
                        "消息没有关联键（zeebe:subscription correlationKey），不知道是哪一件案子的。",
                        "The message has no correlation key; nobody could tell which case it is for.",
                    )
                else:
                    yield from self._expression(element, trigger.correlation)
            if trigger.kind == "link":
                yield from self._linked(element)
            elif trigger.kind == "escalation" and element.kind in (Kind.THROW, Kind.END):
                yield from self._escalating(element, trigger.name)
        if element.kind is Kind.RECEIVE and not element.triggers:
            yield self._wrong(
                element.id,
                "bpmn.receive_without_message",
                "接收任务没有写明等哪个消息。",
                "The receive task names no message.",
            )

    def _linked(self, element: Element) -> Iterator[Finding]:
        """A link takes the place of a flow: none is drawn beside it."""
        drawn = element.outgoing if element.kind is Kind.THROW else element.incoming
        if any(not flow.startswith(LINK) for flow in drawn):
            yield self._wrong(
                element.id,
                "bpmn.link_and_flow",
                "链接事件代替顺序流：出口后面、入口前面都不能再画顺序流。",
                "A link takes the place of a flow: draw none out of its throw and none into its catch.",
            )

    def _escalating(self, element: Element, code: str) -> Iterator[Finding]:
        if not self._catches(self.process, element.scope, code, frozenset()):
            yield self._warn(
                element.id,
                "bpmn.escalation_uncaught",
                f"升级“{code}”没有人接，不会有任何作用；请在外面的子流程或者调用活动上画升级边界事件。",
                f'Nothing catches the escalation "{code}", so it has no effect; '
                "draw an escalation boundary event on the sub-process or call activity around it.",
            )

    def _catches(self, process: Process, scope: str, code: str, seen: frozenset[str]) -> bool:
        """Whether a boundary event around a scope catches an escalation, here or wherever the process is called."""
        while scope != process.id:
            if _escalation_boundary(process, scope, code):
                return True
            scope = process.elements[scope].scope
        if process.id in seen:
            return False
        return any(
            _escalation_boundary(caller, call.id, code)
            or self._catches(caller, call.scope, code, seen | {process.id})
            for caller in self.processes.values()
            for call in caller.elements.values()
            if call.kind is Kind.CALL and call.called == process.id
        )

    def _timer(self, element: Element, timer: str, text: str) -> Iterator[Finding]:
        if expressions.is_expression(text):
            yield from self._expression(element, text, wanted=_TIMES[timer])
            return
        try:
            if timer == "timeCycle":
                moments.parse_cycle(text)
            elif timer == "timeDuration":
                moments.parse_duration(text)
            else:
                moments.parse_moment(text)
        except ValueError as error:
            yield self._wrong(
                element.id,
                "bpmn.timer_text",
                f"“{text}”不是 ISO 8601 的时刻（带时差）、时长（如 P3D）或者周期（如 R/P1D）；"
                "要写表达式就以 = 开头。",
                f"{error} An expression begins with =.",
            )

    def _connections(self, element: Element) -> Iterator[Finding]:
        if element.kind in (Kind.START, Kind.BOUNDARY):
            if element.incoming:
                yield self._wrong(
                    element.id,
                    "bpmn.incoming",
                    "开始事件和边界事件不能有进来的顺序流。",
                    "No flow leads into a start event or a boundary event.",
                )
        elif not element.incoming:
            yield self._wrong(
                element.id,
                "bpmn.unreachable",
                "没有顺序流通到这里，永远不会执行。",
                "No flow leads here; it is never reached.",
            )
        if element.kind is Kind.END:
            if element.outgoing:
                yield self._wrong(
                    element.id,
                    "bpmn.outgoing",
                    "结束事件不能有出去的顺序流。",
                    "No flow leaves an end event.",
                )
        elif not element.outgoing:
            yield self._wrong(
                element.id,
                "bpmn.dead_end",
                "没有顺序流从这里出去；请接到一个结束事件。",
                "No flow leaves here; lead it to an end event.",
            )
        if element.kind in ACTIVITIES and len(element.incoming) > 1:
            yield self._warn(
                element.id,
                "bpmn.joins_in_task",
                "几条顺序流直接进入一个任务，看上去像汇合，其实不等待；请在前面画一个排他网关。",
                "Several flows lead into one activity: it reads as a join and is none; "
                "draw an exclusive gateway before it.",
            )
        if element.kind not in GATEWAYS and len(element.outgoing) > 1:
            yield self._warn(
                element.id,
                "bpmn.splits_in_task",
                "几条顺序流直接从这里出去，会同时进行；请画一个并行网关写明。",
                "Several flows leave here and run at once; draw a parallel gateway to say so.",
            )
        if element.default is not None and element.default not in element.outgoing:
            yield self._wrong(
                element.id,
                "bpmn.default_flow",
                "默认顺序流不是从这里出去的。",
                "The default flow does not leave from here.",
            )

    def _flow(self, flow: Flow) -> Iterator[Finding]:
        source = self.process.elements[flow.source]
        if source.kind in (Kind.EXCLUSIVE, Kind.INCLUSIVE):
            if flow.condition:
                if flow.id == source.default:
                    yield self._warn(
                        flow.id,
                        "bpmn.condition_on_default",
                        "默认顺序流上的条件不起作用。",
                        "A condition on the default flow has no effect.",
                    )
                yield from self._expression(source, flow.condition, at=flow.id, always=True, wanted=("boolean",))
            elif len(source.outgoing) > 1 and flow.id != source.default:
                yield self._wrong(
                    flow.id,
                    "bpmn.flow_without_condition",
                    "这条顺序流既没有条件，也不是默认去向。",
                    "This flow has no condition and is not the default.",
                )
        elif flow.condition is not None:
            yield self._wrong(
                flow.id,
                "bpmn.condition_on_flow",
                "这条顺序流上的条件不起作用；请画一个排他网关来提问。",
                "The condition on this flow would be ignored; draw an exclusive gateway that asks the question.",
            )

    def _loop(self, element: Element) -> Iterator[Finding]:
        if element.standard_loop:
            yield self._wrong(
                element.id,
                "bpmn.standard_loop",
                "不执行循环标记；请用排他网关画回去的顺序流，或者用多实例。",
                "Loop markers are not run; draw a flow back from an exclusive gateway, or a multi-instance.",
            )
        loop = element.loop
        if loop is None:
            return
        if loop.collection:
            yield from self._expression(element, loop.collection)
            yield from self._instances(element, loop.collection)
        if bool(loop.output) != bool(loop.output_item):
            yield self._wrong(
                element.id,
                "bpmn.loop_output",
                "输出集合（outputCollection）和输出元素（outputElement）要一起写。",
                "An output collection (outputCollection) and an output element (outputElement) go together.",
            )
        elif loop.output_item:
            yield from self._expression(element, loop.output_item, always=True)
        if loop.completion:
            yield from self._expression(element, loop.completion, always=True, wanted=("boolean",))
        for name in (loop.item, loop.output):
            if name and not _NAME.fullmatch(name):
                yield self._bad_target(element, name)

    def _instances(self, element: Element, collection: str) -> Iterator[Finding]:
        """How many instances there may be: counted where that is known, else what the designer has declared."""
        declared = element.properties.get(AT_MOST, "")
        known: int | None = int(declared) if declared.isdigit() else None
        try:
            compiled = expressions.compiled(collection)
            value = None if compiled.names or compiled.calls else compiled.evaluate({})
        except feel.FeelError:
            return
        if isinstance(value, list):
            known = len(value)
        if known is not None and known > MAX_INSTANCES:
            yield self._wrong(
                element.id,
                "loop.too_many",
                f"这里会有 {known} 个实例，一个案件最多 {MAX_INSTANCES} 个；人再多就各立一案，用消息答复主案。",
                f"There may be {known} instances; one case holds {MAX_INSTANCES} at most. For more people start "
                "a case for each that answers by message.",
            )
        elif known is None and self.catalogue.parties:
            yield self._warn(
                element.id,
                "loop.no_bound",
                f"看不出会有几个实例；请用属性 {AT_MOST} 写明最多几个（不超过 {MAX_INSTANCES}）。",
                f"How many instances there are is not known; declare the most with the property {AT_MOST} "
                f"(no more than {MAX_INSTANCES}).",
            )

    def _mappings(self, element: Element) -> Iterator[Finding]:
        for _, target in (*element.inputs, *element.outputs):
            if not _NAME.fullmatch(target):
                yield self._bad_target(element, target)
        for source, _ in element.inputs:
            yield from self._expression(element, source)
        local = self.catalogue.forms.get(element.form) if element.kind is Kind.USER else None
        checked = element.kind is not Kind.USER or local is not None
        for source, _ in element.outputs:
            # What a service or a message brings is not known here; what a form asks is.
            names = self.known if checked and element.kind is Kind.USER else None
            if names is not None and local is not None:
                names = names | set(local)
            yield from self._expression(element, source, names=names, names_given=True)

    def _bad_target(self, element: Element, name: str) -> Finding:
        return self._wrong(
            element.id,
            "bpmn.variable_name",
            f"变量名“{name}”只能由字母、数字、下划线组成。",
            f'The variable name "{name}" may consist of letters, digits and underscores only.',
        )

    def _user(self, element: Element) -> Iterator[Finding]:
        elsewhere = not self.catalogue.complete
        if elsewhere:
            yield from self._expression(element, element.form)
        elif not element.form:
            yield self._wrong(element.id, "bpmn.no_form", "用户任务没有表单。", "The user task has no form.")
        elif not expressions.is_expression(element.form) and element.form not in self.catalogue.forms:
            yield self._wrong(
                element.id,
                "bpmn.unknown_form",
                f"没有表单“{element.form}”。",
                f'There is no form "{element.form}".',
            )
        if not element.groups and not element.assignee and not elsewhere:
            yield self._wrong(
                element.id,
                "bpmn.no_role",
                "没有写明谁来办（candidateGroups）。",
                "It does not say who does it (candidateGroups).",
            )
        elif expressions.is_expression(element.groups):
            yield from self._expression(element, element.groups)
        elif not elsewhere:
            for role in filter(None, (part.strip() for part in element.groups.split(","))):
                if role not in self.catalogue.roles:
                    yield self._wrong(
                        element.id,
                        "bpmn.unknown_role",
                        f"没有角色“{role}”。",
                        f'There is no role "{role}".',
                    )
        yield from self._expression(element, element.assignee)
        if expressions.is_expression(element.due):
            yield from self._expression(element, element.due, wanted=_TIMES["timeDate"])
        elif element.due:
            yield from self._timer(element, "timeDate", element.due)

    def _service(self, element: Element) -> Iterator[Finding]:
        if not element.task_type:
            yield self._wrong(
                element.id,
                "bpmn.no_service",
                "没有写明由哪个服务来做（taskDefinition type）。",
                "It does not say which service does it (taskDefinition type).",
            )
        elif (
            self.catalogue.complete
            and element.task_type not in self.catalogue.services
            and element.properties.get(EXTERNAL_WORKER) != "true"
        ):
            yield self._wrong(
                element.id,
                "bpmn.unknown_service",
                f"没有服务“{element.task_type}”；如果由外部作业程序来做，请写上属性 {EXTERNAL_WORKER} = true。",
                f'There is no service "{element.task_type}"; if an external worker does it, say so with the '
                f"property {EXTERNAL_WORKER} = true.",
            )

    def _rule(self, element: Element) -> Iterator[Finding]:
        if not element.decision:
            yield self._wrong(
                element.id,
                "bpmn.no_decision",
                "没有写明用哪张决策表（calledDecision）。",
                "It does not say which decision it calls (calledDecision).",
            )
        elif element.decision not in self.decisions:
            yield self._wrong(
                element.id,
                "bpmn.unknown_decision",
                f"没有决策“{element.decision}”。",
                f'There is no decision "{element.decision}".',
            )
        if not element.result_variable:
            yield self._wrong(
                element.id,
                "bpmn.no_result_variable",
                "没有写明结果放进哪个变量（resultVariable）。",
                "It does not say which variable takes the result (resultVariable).",
            )

    def _script(self, element: Element) -> Iterator[Finding]:
        if element.foreign_script or not element.script:
            yield self._wrong(
                element.id,
                "bpmn.script",
                "脚本任务只能用 FEEL 表达式（zeebe:script）。",
                "A script task holds a FEEL expression (zeebe:script) and nothing else.",
            )
            return
        yield from self._expression(element, element.script, always=True)

    def _call(self, element: Element) -> Iterator[Finding]:
        if not element.called or expressions.is_expression(element.called):
            yield self._wrong(
                element.id,
                "bpmn.no_called_process",
                "调用活动要写明调用哪个流程（calledElement processId），不能用表达式。",
                "A call activity names the process that it calls (calledElement processId), not an expression.",
            )
        elif element.called not in self.processes:
            yield self._wrong(
                element.id,
                "bpmn.unknown_process",
                f"没有流程“{element.called}”。",
                f'There is no process "{element.called}".',
            )

    def _event_gateway(self, element: Element) -> Iterator[Finding]:
        timers = 0
        for flow_id in element.outgoing:
            target = self.process.elements[self.process.flows[flow_id].target]
            trigger = target.trigger
            catches = target.kind in (Kind.CATCH, Kind.RECEIVE) and trigger is not None and trigger.kind != "link"
            if not catches or len(target.incoming) > 1:
                yield self._wrong(
                    element.id,
                    "bpmn.event_gateway_target",
                    f"事件网关后面只能是各自独立的捕获事件，“{target.id}”不是。",
                    f'Behind an event gateway stand catch events of its own; "{target.id}" is none.',
                )
            elif trigger is not None and trigger.kind == "timer":
                timers += 1
        if timers > 1:
            yield self._wrong(
                element.id,
                "bpmn.two_timers",
                "一个事件网关后面只能有一个计时；外层的期限请画成包住这一段的子流程的边界事件。",
                "An event gateway has one timer; draw the outer limit as a boundary event of the scope around it.",
            )
        if len(element.outgoing) < 2:
            yield self._wrong(
                element.id,
                "bpmn.event_gateway_alone",
                "事件网关后面至少要有两个事件。",
                "An event gateway waits for at least two events.",
            )

    def _boundary(self, element: Element) -> Iterator[Finding]:
        host = self.process.elements.get(element.attached_to)
        if host is not None and host.kind not in ACTIVITIES:
            yield self._wrong(
                element.id,
                "bpmn.boundary_host",
                "边界事件只能附在任务、子流程或者调用活动上。",
                "A boundary event is attached to a task, a sub-process or a call activity.",
            )
        if not element.triggers:
            yield self._wrong(
                element.id,
                "bpmn.boundary_without_trigger",
                "边界事件没有写明等什么。",
                "The boundary event does not say what it waits for.",
            )
        trigger = element.trigger
        if trigger is None or host is None:
            return
        if trigger.kind == "error" and not element.interrupting:
            yield self._wrong(
                element.id,
                "bpmn.error_interrupts",
                "边界错误事件总是打断的。",
                "An error boundary event always interrupts.",
            )
        if trigger.kind == "escalation" and host.kind not in (Kind.SUB_PROCESS, Kind.CALL):
            yield self._wrong(
                element.id,
                "bpmn.escalation_host",
                "升级只从子流程或者调用活动里面发出，这里永远等不到。",
                "An escalation comes out of a sub-process or a call activity; here it can never happen.",
            )
        if trigger.kind == "timer" and trigger.timer == "timeCycle" and element.interrupting:
            yield self._wrong(
                element.id,
                "bpmn.cycle_interrupts",
                "打断的计时只会触发一次，不能写周期。",
                "An interrupting timer fires once; it cannot be a cycle.",
            )
        at_once = host.kind in (Kind.RULE, Kind.SCRIPT, Kind.MANUAL, Kind.TASK) or (
            host.kind in (Kind.SERVICE, Kind.SEND) and host.task_type in self.catalogue.services
        )
        if at_once and trigger.kind not in ("error", "escalation") and host.loop is None:
            yield self._warn(
                element.id,
                "bpmn.boundary_never",
                "所附的活动立即完成，这个事件永远等不到。",
                "The activity completes at once; this event can never happen.",
            )

    def _recursion(self) -> Iterator[Finding]:
        for element in self.process.elements.values():
            if element.kind is not Kind.CALL:
                continue
            seen: set[str] = set()
            todo = [element.called]
            while todo:
                name = todo.pop()
                if name == self.process.id:
                    yield self._wrong(
                        element.id,
                        "bpmn.recursive_call",
                        "流程调用了自己，没有尽头。",
                        "The process calls itself without end.",
                    )
                    break
                if name in seen or name not in self.processes:
                    continue
                seen.add(name)
                todo.extend(e.called for e in self.processes[name].elements.values() if e.kind is Kind.CALL)

    # Expressions.

    def _expression(
        self,
        element: Element,
        text: str,
        *,
        at: str = "",
        always: bool = False,
        names: frozenset[str] | None = None,
        names_given: bool = False,
        wanted: Collection[str] = (),
    ) -> Iterator[Finding]:
        """Compile an expression. ``always``: the text is FEEL even without its leading ``=``.

        ``wanted``: the kinds of values of which the place needs one.
        """
        if not text or not (always or expressions.is_expression(text)):
            return
        scope = names if names_given else self.known
        if scope is not None and element.loop is not None:
            scope = scope | LOOP_NAMES
        source = expressions.body(text)
        try:
            if scope is None:
                compiled = feel.compile(source, functions=self.catalogue.functions)
            else:
                compiled = feel.compile(source, names=scope, functions=self.catalogue.functions)
        except feel.FeelNameError as error:
            yield self._wrong(at or element.id, "feel.name", f"{source}：{error.zh}", f"{source}: {error}")
            return
        except feel.FeelError as error:
            yield self._wrong(at or element.id, "feel.syntax", f"{source}：{error.zh}", f"{source}: {error}")
            return
        if scope is not None:
            yield from self._meaning(element, compiled, at or element.id, wanted, answers=names_given)
        for function, limit, end in _LIMIT.findall(source):
            if limit not in self.catalogue.time_limits:
                yield self._wrong(
                    at or element.id,
                    "limit.unknown",
                    f"time_limits.yaml 里没有期限“{limit}”。",
                    f'There is no time limit "{limit}" in time_limits.yaml.',
                )
            if end == ")":
                yield self._wrong(
                    at or element.id,
                    "limit.no_start",
                    f'{function}("{limit}") 没有写明从什么时候起算。',
                    f'{function}("{limit}") does not say from when it runs.',
                )

    def _meaning(
        self, element: Element, compiled: feel.Expression, at: str, wanted: Collection[str], *, answers: bool
    ) -> Iterator[Finding]:
        """Names that have no value yet, and what can never work by the types of the names."""
        fields = self.naming.fields_of(element) if answers else {}
        seen = self.naming.seen_by(element)
        for name in sorted(compiled.names - seen - fields.keys() - feel.BUILT_INS.keys()):
            yield self._wrong(
                at,
                "data.not_yet",
                f"{compiled.text}：到这里“{name}”还没有值，写它的元素都在后面。",
                f'{compiled.text}: "{name}" has no value here yet; what writes it comes later.',
            )
        types = {**dict.fromkeys(compiled.names, feel.ANY), **self.naming.types, **fields}
        inferred = feel.infer(compiled, types, wanted=next(iter(wanted)) if len(wanted) == 1 else None)
        for trouble in inferred.findings:
            where = (trouble.line, trouble.column)
            yield self._wrong(
                at,
                trouble.code,
                f"{compiled.text}：第 {where[0]} 行第 {where[1]} 列，{trouble.zh.rstrip('。')}。",
                f"{compiled.text}: line {where[0]}, column {where[1]}: {trouble.en}",
            )
        if len(wanted) > 1 and inferred.type.kind not in ("Any", "Null", *wanted):
            yield self._wrong(
                at,
                "feel.timer",
                f"{compiled.text}：计时要的是时刻、时长或者周期，这个表达式得出的是 {inferred.type.kind}。",
                f"{compiled.text}: this gives a {inferred.type.kind}, which is not what the timer needs.",
            )


def _escalation_boundary(process: Process, activity: str, code: str) -> bool:
    return any(
        trigger.kind == "escalation" and trigger.name in ("", code)
        for event in process.boundaries(activity)
        for trigger in event.triggers
    )


def _is_inside(element: Element) -> bool:
    return element.kind is Kind.SUB_PROCESS and not element.event_sub_process


__all__ = ["RUNS", "check", "unexplained"]
