"""JSON schemas in the form that endpoints with a strict schema mode accept."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel

# We check these when the answer has arrived. Not every endpoint knows the keywords.
_LEFT_OUT = {"default", "title", "minimum", "maximum", "minLength", "maxLength", "maxItems"}


@cache
def strict_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the model's schema, with every property required and no other allowed."""
    schema: dict[str, Any] = _strict(model.model_json_schema())
    return schema


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {name: _strict(value) for name, value in node.items() if name not in _LEFT_OUT}
    # "properties" and "$defs" map names to schemas: there, no name is a keyword.
    for names in ("properties", "$defs"):
        if isinstance(node.get(names), dict):
            result[names] = {name: _strict(value) for name, value in node[names].items()}
    if isinstance(node.get("properties"), dict):
        result["required"] = list(node["properties"])
        result["additionalProperties"] = False
    return result
