"""What the API's schema says of refusals: the same for all calls, so told in one place."""

from __future__ import annotations

from typing import Any

Operation = dict[str, Any]

ERROR = {
    "type": "object",
    "description": "Beside these two, the fields at fault with their messages.",
    "properties": {"detail": {"type": "string"}, "code": {"type": "string"}},
    "required": ["detail", "code"],
}
REFERENCE = {"$ref": "#/components/schemas/Error"}
UNSAFE = {"post", "put", "patch", "delete"}


def add_errors(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: adds the answers of errors that a view has not documented."""
    result.setdefault("components", {}).setdefault("schemas", {})["Error"] = ERROR
    for operations in result["paths"].values():
        for method, operation in operations.items():
            answers = operation["responses"]
            for status, text in _refusals(method, operation).items():
                answer = answers.setdefault(str(status), _answer(text))
                _also_an_error(answer)
    return result


def _also_an_error(answer: dict[str, Any]) -> None:
    """A view's own answer with that status, or that of the request's key: it may be either."""
    for media in answer["content"].values():
        if media["schema"] != REFERENCE:
            media["schema"] = {"anyOf": [media["schema"], REFERENCE]}


def _answer(text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": REFERENCE}}}


def _refusals(method: str, operation: Operation) -> dict[int, str]:
    """Status and meaning, for one call."""
    places = {parameter["in"] for parameter in operation.get("parameters", ())}
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    found = {406: "no form that Accept asks for", 429: "too much at a time; see Retry-After"}
    found[503] = "the database, or something else that is needed, is away; see Retry-After"
    if "requestBody" in operation or places & {"query", "header"}:
        found[400] = "something in the request is wrong"
    if "requestBody" in operation:
        found |= {413: "the body is too large", 415: "the body has a type that is not read"}
    if operation.get("security") != [{}]:
        found[401] = "not signed in"
    if "path" in places or "project_id" in names:
        found[404] = "there is no such thing, or it is somebody else's"
    if method in UNSAFE:
        found |= {403: "the CSRF token is missing, or the account may not", 507: "the disk is full"}
    if "Idempotency-Key" in names:
        found[409] = "the first request with this Idempotency-Key is under way"
        found[422] = "the Idempotency-Key was used for another request"
    return found
