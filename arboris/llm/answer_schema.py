"""A pydantic model's JSON schema as endpoints with a strict schema mode take it."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel

from arboris.llm.request_body import AnswerForm

# What every endpoint knows. The rest is checked when the answer has arrived: an endpoint that
# does not know a keyword refuses the whole schema.
_KNOWN = {"type", "properties", "required", "additionalProperties", "items", "enum", "anyOf",
          "description"}  # fmt: skip


@cache
def form_of(model: type[BaseModel]) -> AnswerForm:
    """Return the model's name and schema: all properties required, no other allowed, no $ref."""
    whole = model.model_json_schema()
    schema: dict[str, Any] = _strict(whole, whole.get("$defs", {}))
    return AnswerForm(model.__name__, schema)


def _strict(node: Any, defined: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_strict(item, defined) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _strict(defined[node["$ref"].rpartition("/")[2]], defined)
    result = {key: _strict(value, defined) for key, value in node.items() if key in _KNOWN}
    if "const" in node:
        result["enum"] = [node["const"]]
    # Here no name is a keyword.
    if isinstance(node.get("properties"), dict):
        named = {name: _strict(value, defined) for name, value in node["properties"].items()}
        result |= {"properties": named, "required": list(named), "additionalProperties": False}
    return result
