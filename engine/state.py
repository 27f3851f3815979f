"""Thin state: the unfinished tokens and the variables of an instance, as compressed JSON.

No specification inside: nodes are named, and looked up in the bundle's cached specifications. Finished tokens are
not written, which is the compaction: the size follows what is open, never what has happened.
"""

from collections.abc import Iterator, Mapping
from threading import local
from typing import TYPE_CHECKING, Any, cast

import orjson
import zstandard

from engine import values
from engine.scopes import Scopes
from engine.specifications import Specifications
from engine.tokens import Inner, Outer, Token

if TYPE_CHECKING:
    from engine.run import Run

#: Raised when the shape of the state changes; what is stored under an older one is read by its own reader.
SHAPE = 1

#: Bytes of a whole state as JSON; ten thousand open tokens take some two million.
MAX_SIZE = 50 * 2**20
#: Bytes of JSON that the variables of one scope may take. They decide the way of a case; its facts live elsewhere.
MAX_DATA = 10_000

_tools = local()


class TooMuchData(ValueError):
    """A diagram keeps more in its variables than decides its way."""


def dump(top: Outer, scopes: Scopes) -> bytes:
    """The state of an instance that is quiet."""
    workflows = [
        [
            workflow.parent_task_id or 0,
            workflow.spec.name,
            [
                [t.id, t.internal_data.get("body", 0), t._state, t.task_spec.name, _internal(t)]
                for t in workflow.unfinished()
            ],
        ]
        for workflow in top.workflows()
    ]
    held = {str(scope): _packed(variables) for scope, variables in scopes.held.items()}
    packed = orjson.dumps({"v": SHAPE, "l": top.last_id, "s": held, "w": workflows})
    return _compressor().compress(packed)


def _packed(variables: dict[str, Any]) -> orjson.Fragment:
    packed = orjson.dumps(values.encode(variables))
    if len(packed) > MAX_DATA:
        largest = max(variables, key=lambda name: len(orjson.dumps(values.encode(variables[name]))))
        raise TooMuchData(
            f"The process data would take {len(packed)} bytes, more than {MAX_DATA}; most of it is {largest}. "
            "Keep what decides the way in the process and the facts of the case elsewhere."
        )
    return orjson.Fragment(packed)


def load(blob: bytes, specifications: Specifications, run: "Run | None") -> tuple[Outer, Scopes]:
    """The instance as it was when it was dumped."""
    return plant(unpack(blob), specifications, run)


def plant(state: Mapping[str, Any], specifications: Specifications, run: "Run | None") -> tuple[Outer, Scopes]:
    """The instance that an unpacked state describes."""
    scopes = Scopes({int(scope): values.decode(variables) for scope, variables in state["s"].items()})
    (_, key, tokens), *inner = state["w"]
    top = Outer(specifications.scopes[key], specifications.scopes, run, state["l"])
    _plant(top, tokens)
    for host, key, tokens in inner:
        workflow = Inner(specifications.scopes[key], host, top)
        top.subprocesses[host] = workflow
        _plant(workflow, tokens)
    return top, scopes


def root_data(blob: bytes) -> dict[str, Any]:
    """The data of the started process, without loading the rest."""
    return cast(dict[str, Any], values.decode(unpack(blob)["s"]["0"])) if blob else {}


def places(blob: bytes) -> Iterator[tuple[str, str]]:
    """Process and element of every token, the activities around them too; no specification is needed."""
    for _, key, tokens in unpack(blob)["w"]:
        process = key.partition("/")[0]
        for _, _, _, name, internal in tokens:
            if "host" not in internal:
                yield process, name.removesuffix("[each]")


def unpack(blob: bytes) -> dict[str, Any]:
    """The state as plain JSON."""
    if not 0 <= zstandard.frame_content_size(blob) <= MAX_SIZE:
        raise ValueError(f"The state says that it is larger than {MAX_SIZE} bytes.")
    state: dict[str, Any] = orjson.loads(_decompressor().decompress(blob))
    if state["v"] != SHAPE:
        raise ValueError(f"The state has shape {state['v']}; this version of the engine reads {SHAPE}.")
    return state


def _plant(workflow: Outer | Inner, tokens: list[list[Any]]) -> None:
    for number, body, state, name, internal in tokens:
        parent = workflow.tasks[body] if body else workflow.task_tree
        token = Token(workflow, workflow.spec.task_specs[name], parent, state=state, id=number)
        if internal:
            token.internal_data = values.decode(internal)
        if body:
            token.internal_data["body"] = body


def _internal(token: Token) -> dict[str, Any]:
    return cast(
        dict[str, Any],
        values.encode({k: v for k, v in token.internal_data.items() if k not in ("body", "payload")}),
    )


def _compressor() -> zstandard.ZstdCompressor:
    tool: zstandard.ZstdCompressor | None = getattr(_tools, "compressor", None)
    if tool is None:
        tool = _tools.compressor = zstandard.ZstdCompressor(level=3)
    return tool


def _decompressor() -> zstandard.ZstdDecompressor:
    tool: zstandard.ZstdDecompressor | None = getattr(_tools, "decompressor", None)
    if tool is None:
        tool = _tools.decompressor = zstandard.ZstdDecompressor()
    return tool
