"""Expressions and variables, as the elements of a diagram ask for them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import feel
from core.now import CHINA
from engine import expressions, moments, values
from engine.diagram import Element
from engine.incidents import Stuck
from engine.situation import Situation
from engine.steps import FunctionContext
from engine.tokens import Token


class Evaluation(Situation):
    """Evaluates texts of the diagram in the scope of a token. What cannot be evaluated stops the step."""

    def evaluate(
        self,
        token: Token,
        text: str,
        context: Mapping[str, Any] | None = None,
        note: dict[str, Any] | None = None,
        element: Element | None = None,
    ) -> Any:
        """The value of a text: of an expression if it begins with ``=``, else the text itself."""
        if not expressions.is_expression(text):
            return text
        return self.feel_of(token, text, context, note, element)

    def feel_of(
        self,
        token: Token,
        text: str,
        context: Mapping[str, Any] | None,
        note: dict[str, Any] | None = None,
        element: Element | None = None,
    ) -> Any:
        element = element or token.node.element
        seen = self.scopes.visible(token) if context is None else context
        try:
            expression = expressions.compiled(text, self.engine.function_names)
            functions = self.functions_for(element, seen, note) if expression.calls else None
            return expression.evaluate(seen, functions)
        except feel.FeelError as error:
            raise Stuck("expression", element.process, element.id, f"{expressions.body(text)}: {error}") from error

    def functions_for(
        self, element: Element, seen: Mapping[str, Any], note: dict[str, Any] | None
    ) -> dict[str, Callable[..., Any]]:
        """The injected functions; ``now()`` and ``today()`` follow the clock of the command, in China's time."""
        context = self.function_context(element, seen, note)
        return {"now": lambda: (self._since or self.now).astimezone(CHINA), **self.engine.functions(context)}

    def function_context(
        self, element: Element, seen: Mapping[str, Any], note: dict[str, Any] | None
    ) -> FunctionContext:
        return FunctionContext(
            session=self.session,
            instance=self.instance,
            key=self.instance.key,
            now=self.now,
            process=element.process,
            element=element.id,
            data=seen,
            note=note.update if note is not None else _forget,
        )

    def holds(self, token: Token, condition: str, context: Mapping[str, Any] | None = None) -> bool:
        """Whether a condition is true. Null is not true; anything but a boolean is a mistake."""
        value = self.feel_of(token, condition, context)
        if value is None or isinstance(value, bool):
            return value is True
        element = token.node.element
        raise Stuck(
            "expression",
            element.process,
            element.id,
            f"{expressions.body(condition)} is {value!r}; a condition is true or false.",
        )

    def no_way(self, token: Token) -> Stuck:
        """No condition of a gateway is true and it has no default."""
        element = token.node.element
        return Stuck(
            "gateway", element.process, element.id, "No condition is true, and the gateway has no default flow."
        )

    def result_of(self, token: Token, text: str, context: Mapping[str, Any]) -> Any:
        """The result of one instance of a multi-instance; a bare name is read as one."""
        return self.feel_of(token, text, context) if text else None

    def collection(self, token: Token, text: str) -> list[Any]:
        """The items of a multi-instance."""
        value = self.evaluate(token, text)
        if not isinstance(value, list):
            element = token.node.element
            raise Stuck(
                "expression",
                element.process,
                element.id,
                f"{expressions.body(text)} is {value!r}; an input collection is a list.",
            )
        return value

    def take_inputs(self, token: Token) -> None:
        """Evaluate the ioMapping's inputs into the token's own scope."""
        element = token.node.element
        if not element.inputs:
            return
        seen = self.scopes.visible(token)
        local = self.scopes.local(token)
        for source, target in element.inputs:
            value = self.evaluate(token, source, seen)
            self.require_kept(element, target, value)
            seen[target] = local[target] = value

    def give_outputs(self, token: Token, result: Mapping[str, Any]) -> None:
        """Let what the ioMapping's outputs name enter the data; the rest of the result is forgotten."""
        element = token.node.element
        if not element.outputs or (token.node.name == element.id and element.loop is not None):
            return
        seen = self.scopes.visible(token)
        seen.update(result)
        for source, target in element.outputs:
            value = self.evaluate(token, source, seen)
            self.require_kept(element, target, value)
            seen[target] = value
            self.scopes.assign(token, target, value)

    def require_kept(self, element: Element, name: str, value: Any) -> None:
        """Stop at the element that gives a variable what process data cannot hold."""
        try:
            values.require_kept(name, value)
        except values.NotKept as error:
            raise Stuck("data", element.process, element.id, str(error)) from error

    def taken_from(self, element: Element, result: Mapping[str, Any]) -> dict[str, Any]:
        """What the outputs of an element read of a result, as JSON: for the log, to tell the run again."""
        if not element.outputs or not result:
            return {}
        read: set[str] = set()
        for source, _ in element.outputs:
            if expressions.is_expression(source):
                read |= expressions.compiled(source, self.engine.function_names).names
        taken = sorted(read & result.keys())
        for name in taken:
            self.require_kept(element, name, result[name])
        return {name: values.encode(result[name]) for name in taken}

    def as_moment(self, element: Element, value: Any) -> datetime:
        try:
            return moments.moment(value, self._since or self.now)
        except ValueError as error:
            raise Stuck("expression", element.process, element.id, str(error)) from error

    def text_of(self, token: Token, text: str) -> str:
        value = self.evaluate(token, text)
        return "" if value is None else str(value)

    def names_of(self, token: Token, text: str) -> str:
        value = self.evaluate(token, text)
        if isinstance(value, list):
            return ",".join(str(item) for item in value)
        return "" if value is None else ",".join(part.strip() for part in str(value).split(","))

    def keep_payload(self, token: Token, payload: Mapping[str, Any]) -> None:
        token.internal_data["payload"] = payload

    def payload_of(self, token: Token) -> Mapping[str, Any]:
        payload: Mapping[str, Any] = token.internal_data.pop("payload", {})
        return payload


def _forget(_: dict[str, Any]) -> None:
    """A note that nothing keeps: no timer is being armed and no task opened."""
