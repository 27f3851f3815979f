"""Variables live in scopes, not in tokens: one for the process, one for each called process, and local ones.

Scope 0 is the started process; ``-n`` is the process called by token n; ``n`` is local to token n (a task's inputs,
one instance of a multi-instance, a sub-process with inputs). A value is written where its name already exists, else
into the process: what an interrupted sub-process wrote is not lost, and a loop does not copy data.
"""

from collections.abc import Iterator
from typing import Any

from engine.tokens import Token

Variables = dict[str, Any]


class Scopes:
    """All variables of one instance."""

    def __init__(self, held: dict[int, Variables] | None = None) -> None:
        self.held: dict[int, Variables] = held if held is not None else {0: {}}

    @property
    def root(self) -> Variables:
        """The data of the started process."""
        return self.held[0]

    def local(self, token: Token) -> Variables:
        """The token's own scope, made when it is first asked for."""
        return self.held.setdefault(token.id, {})

    def drop(self, token: Token) -> None:
        """Forget what was local to a token and, if it called a process, that process's data."""
        self.held.pop(token.id, None)
        self.held.pop(-token.id, None)

    def chain(self, token: Token) -> Iterator[int]:
        """The scopes that a token sees, from inside out."""
        while True:
            if token.id in self.held:
                yield token.id
            body = token.body
            if body is not None:
                token = body
                continue
            host = token.host_of_workflow
            if host is None:
                yield 0
                return
            if -host.id in self.held:
                yield -host.id
                return
            token = host

    def visible(self, token: Token) -> Variables:
        """Everything that a token sees; an inner value hides an outer one of the same name."""
        seen: Variables = {}
        for scope in reversed(list(self.chain(token))):
            seen.update(self.held[scope])
        return seen

    def called(self, token: Token) -> Variables:
        """The data of the process that a token called."""
        return self.held[-token.id]

    def assign(self, token: Token, name: str, value: Any) -> None:
        """Write a result of a token: where the name exists outside it, else into its process.

        The results of one instance of a multi-instance stay in that instance: others run at the same time, and
        only the output collection leaves.
        """
        if token.body is not None:
            self.local(token)[name] = value
            return
        scopes = [scope for scope in self.chain(token) if scope != token.id]
        for scope in scopes:
            if name in self.held[scope]:
                self.held[scope][name] = value
                return
        self.held[scopes[-1]][name] = value
