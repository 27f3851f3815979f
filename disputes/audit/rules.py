"""The digests of a chain, and which facts may enter it. Pure."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

#: The ``previous`` of a chain's first event.
BEGINNING = "0" * 64
#: Facts are pointers and short texts, not documents.
FACTS_MAX = 8_000


def canonical(value: object) -> bytes:
    """One text for one value: keys sorted, no spaces, no escapes, so that both databases give it back alike."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def facts_fault(facts: Mapping[str, Any]) -> str | None:
    """Why the facts cannot be kept; None where they can.

    Fractions are refused: PostgreSQL writes 1e20 back as an integer, and the digest would no longer fit.
    """
    fault = _value_fault(facts, "facts")
    if fault is None and len(canonical(facts)) > FACTS_MAX:
        return f"The facts of an audit event take at most {FACTS_MAX} bytes."
    return fault


def facts_digest(salt: str, facts: Mapping[str, Any]) -> str:
    """The salted digest by which the chain holds the facts; without the salt it says nothing about them."""
    return hashlib.sha256(salt.encode() + canonical(facts)).hexdigest()


def event_digest(
    *, chain: str, number: int, at: datetime, by: str, action: str, facts_digest: str, previous: str
) -> str:
    """The digest of one event, which the next one repeats."""
    return hashlib.sha256(
        canonical(
            {
                "action": action,
                "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
                "by": by,
                "chain": chain,
                "facts": facts_digest,
                "number": number,
                "previous": previous,
            }
        )
    ).hexdigest()


def _value_fault(value: object, path: str) -> str | None:
    if value is None or isinstance(value, bool | int):
        return None
    if isinstance(value, str):
        # U+0000 is the one character that PostgreSQL cannot keep; half a surrogate pair is no text at all.
        bad = "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value)
        return f"{path} holds a character that cannot be stored." if bad else None
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                return f"{path} has the key {key!r}, which is not text."
            fault = _value_fault(key, f"{path}: a key") or _value_fault(inner, f"{path}.{key}")
            if fault:
                return fault
        return None
    if isinstance(value, list | tuple):
        faults = (_value_fault(inner, f"{path}[{index}]") for index, inner in enumerate(value))
        return next((fault for fault in faults if fault), None)
    return f"{path} is {type(value).__name__}; an audit event holds text, whole numbers, truth values and lists."
