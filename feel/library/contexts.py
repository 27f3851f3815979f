"""Functions on contexts (10.3.4.10)."""

from feel.library.define import built_in
from feel.limits import Runtime
from feel.values import Value

Context = dict[str, Value]


@built_in("get value", "m: context", "key: any", also=[("context", "key"), ("m", "keys"), ("context", "keys")])
def get_value(runtime: Runtime, context: Context, key: Value) -> Value:
    if type(key) is str:
        return context.get(key)
    if type(key) is not list or not key:
        return None
    found: Value = context
    for step in key:
        if type(found) is not dict or type(step) is not str:
            return None
        found = found.get(step)
    return found


@built_in("get entries", "m: context", also=[("context",)])
def get_entries(runtime: Runtime, context: Context) -> list[Value]:
    runtime.make(2 * len(context))
    return [{"key": key, "value": value} for key, value in context.items()]


@built_in("context", "entries: list")
def make_context(runtime: Runtime, entries: list[Value]) -> Context | None:
    runtime.make(len(entries))
    made: Context = {}
    for entry in entries:
        if type(entry) is not dict or type(entry.get("key")) is not str or "value" not in entry:
            return None
        if entry["key"] in made:
            return None
        made[entry["key"]] = entry["value"]
    return made


@built_in(
    "context put",
    "context: context",
    "key: any",
    "value: any~",
    also=[("context", "keys", "value")],
    by_name={"key": "string", "keys": "list"},
)
def context_put(runtime: Runtime, context: Context, key: Value, value: Value) -> Context | None:
    path = key if type(key) is list else [key]
    if not path or not all(type(step) is str for step in path):
        return None
    return _put(runtime, context, path, value)


def _put(runtime: Runtime, context: Context, path: list[str], value: Value) -> Context | None:
    runtime.spend()
    runtime.make(len(context) + 1)
    first, *rest = path
    if rest:
        inner = context.get(first)
        if type(inner) is not dict or (value := _put(runtime, inner, rest, value)) is None:
            return None
    return {**context, first: value}


@built_in("context merge", "contexts: list")
def context_merge(runtime: Runtime, contexts: list[Value]) -> Context | None:
    merged: Context = {}
    for context in contexts:
        if type(context) is not dict:
            return None
        runtime.make(len(context))
        merged.update(context)
    return merged
