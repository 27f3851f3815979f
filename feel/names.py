"""Names of several words or with signs in them (``first name``, ``a-b``), found longest first.

The standard lets a name contain spaces and the signs ``. / - ' + *``. Only somebody who knows the names in scope
can cut ``profit-loss`` rightly, so the parser asks here.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from feel.errors import FeelSyntaxError
from feel.lexer import Token, tokens


class Index:
    """The names of more than one token, by their first token."""

    __slots__ = ("_by_first",)

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> bool:
        """Remember a name; False when it is a single token and needs no remembering."""
        if name.isidentifier():
            return False
        parts = parts_of(name)
        if len(parts) < 2:
            return False
        entries = self._by_first.setdefault(parts[0], [])
        entries.append((parts, name))
        entries.sort(key=lambda entry: -len(entry[0]))
        return True

    def discard(self, name: str) -> None:
        parts = parts_of(name)
        entries = self._by_first.get(parts[0], [])
        if (parts, name) in entries:
            entries.remove((parts, name))

    def longest(self, found: Sequence[Token], at: int) -> tuple[str, int] | None:
        """The longest name that begins at token ``at``, and the token after it."""
        for parts, name in self._by_first.get(found[at].text, ()):
            end = at + len(parts)
            if end <= len(found) and all(
                token.text == part and token.kind != "string"
                for token, part in zip(found[at:end], parts, strict=True)
            ):
                return name, end
        return None


@lru_cache(4_096)
def parts_of(name: str) -> tuple[str, ...]:
    """The tokens of a name; a name that cannot be written in FEEL is one part by itself."""
    try:
        return tuple(token.text for token in tokens(name)[:-1]) or (name,)
    except FeelSyntaxError:
        return (name,)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant. Compares without regard to case, spaces, dashes and underscores."""
    plain = {_plain(candidate): candidate for candidate in sorted(known)}
    if (same := plain.get(_plain(name))) is not None:
        return same
    from difflib import get_close_matches  # only when something is wrong

    close = get_close_matches(_plain(name), plain, n=1, cutoff=0.6)
    return plain[close[0]] if close else None


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c not in " _-.\t\n")
