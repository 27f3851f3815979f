"""Forms for tests, built from the parts that a test is about."""

import json
from typing import Any

from forms import Form, compile_form


def build_form(*components: dict[str, Any], texts: dict[str, Any] | None = None) -> Form:
    """A form of these components; ids and labels are filled in where a test does not care."""
    return compile_form(build_content(*components), texts=texts)


def build_content(*components: dict[str, Any]) -> bytes:
    filled = [_filled(component) for component in components]
    return json.dumps({"type": "default", "id": "a-form", "schemaVersion": 19, "components": filled}).encode()


def _filled(component: dict[str, Any]) -> dict[str, Any]:
    key = component.get("key") or component.get("path") or component["type"]
    filled = {"id": key, "label": f"标签{key}", **component}
    if "components" in filled:
        filled["components"] = [_filled(child) for child in filled["components"]]
    return filled


def text(key: str = "name", **more: Any) -> dict[str, Any]:
    return {"type": "textfield", "key": key, **more}


def radio(key: str = "decision", *values: str, **more: Any) -> dict[str, Any]:
    values = values or ("accept", "refuse")
    return {"type": "radio", "key": key, "values": [{"label": f"词{v}", "value": v} for v in values], **more}


REQUIRED = {"validate": {"required": True}}


def hidden_when(expression: str) -> dict[str, Any]:
    return {"conditional": {"hide": f"={expression}"}}
