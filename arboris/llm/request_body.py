"""The body of a request: what a call asks for, less what the endpoint refuses.

Endpoints differ in what they take. Everything that a request can do without is a *part* with a
name; a refusal is read for these names, and the request is made again without the part. Some parts
have a scope, which stands behind a colon: the form of one question, the value of a parameter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from django.conf import settings

if TYPE_CHECKING:
    from arboris.llm.client import Call

Effort = Literal["none", "minimal", "low", "medium", "high"]
EFFORTS: tuple[Effort, ...] = ("none", "minimal", "low", "medium", "high")

# How a refusal names each part, in the order in which they are given up where it names none.
NAMED = {
    "json_schema": r"response_format|schema|structured.?output|guided|grammar|anyOf|\$ref|\$defs"
    r"|additionalProperties",
    "json_object": r"response_format|json_object|json.?mode",
    "temperature": r"temperature",
    "chat_template_kwargs": r"chat_template_kwargs",
    "enable_thinking": r"enable_thinking",
    "thinking": r"\bthinking\b",
    "reasoning_effort": r"reasoning.?effort|\beffort\b",
    "stream_options": r"stream_options|include_usage",
    "max_tokens": r"max_tokens",
    "max_completion_tokens": r"max_completion_tokens|max_tokens",
    "system": r"system.{0,12}(role|message|prompt|instruction)|role.{0,40}['\"`]?system\b"
    r"|['\"`]system['\"`]|developer instruction|roles must alternate",
    "stream": r"\bstream(ing)?\b(?!_options)",
    "assistant": r"reasoning_content|thought_signature|role.{0,40}['\"`]?assistant\b|prefill"
    r"|assistant (message|turn|role)",
}
_PATTERNS = {part: re.compile(pattern, re.IGNORECASE) for part, pattern in NAMED.items()}
LIMITS = frozenset({"max_tokens", "max_completion_tokens"})
# Given up only where a refusal names them: what comes without them is another request.
_ONLY_NAMED = {"system", "stream", "assistant"}
# All the ways in which endpoints are told not to think. They go together: most ignore the others'.
_NO_THINKING: dict[str, Any] = {
    "chat_template_kwargs": {"enable_thinking": False, "thinking": False},  # vLLM, llama.cpp
    "enable_thinking": False,  # Qwen
    "thinking": {"type": "disabled"},  # GLM, Doubao, Kimi, DeepSeek
}
# Models that cannot do without thinking take the least of these.
_LESS: dict[Effort, tuple[Effort, ...]] = {"none": ("none", "minimal", "low")}


def named_parts(said: str) -> frozenset[str]:
    """The parts that a refusal names, without their scopes."""
    return frozenset(part for part, pattern in _PATTERNS.items() if pattern.search(said))


def next_left_out(named: Iterable[str], sent: Iterable[str]) -> tuple[frozenset[str], bool]:
    """What of ``sent`` to leave out after a refusal, and whether it was named; empty: nothing."""
    if known := {part for part in sent if _base(part) in set(named)}:
        # A limit has two names, the second of which is tried when the first is refused.
        return frozenset(known), True
    order = [part for part in NAMED if part not in _ONLY_NAMED]
    rest = sorted(
        (part for part in sent if _base(part) in order), key=lambda part: order.index(_base(part))
    )
    return frozenset(rest[:1]), False


class AnswerForm(NamedTuple):
    """The form that an answer is to have: a name, and a JSON schema."""

    name: str
    schema: dict[str, Any]


def _base(part: str) -> str:
    return part.partition(":")[0]


def build(call: Call, left_out: frozenset[str]) -> tuple[dict[str, Any], frozenset[str]]:
    """Return the body, and the parts that it has and could do without."""
    body: dict[str, Any] = {"model": call.model_name}
    parts: dict[str, dict[str, Any]] = {
        "stream": {"stream": True},
        "stream_options": {"stream_options": {"include_usage": True}},
        **_form(call),
        **_limits(),
        **_effort(call.effort, left_out),
    }
    if call.temperature is not None:
        parts["temperature"] = {"temperature": call.temperature}
    sent = set()
    for part, fields in parts.items():
        if part not in left_out and not body.keys() & fields.keys():
            body |= fields
            sent.add(part)
    if sent >= LIMITS:
        del body["max_completion_tokens"]
        sent.discard("max_completion_tokens")
    if "stream" in left_out:
        body.pop("stream_options", None)
        sent.discard("stream_options")
    messages = call.messages
    if call.form is not None and f"json_schema:{call.form.name}" not in sent:
        messages = _with_system(messages, _wanted(call.form.schema))
    if any(message["role"] == "assistant" for message in messages):
        if "assistant" in left_out:
            messages = _without_assistant(messages)
        else:
            sent.add("assistant")
    if any(message["role"] == "system" for message in messages):
        if "system" in left_out:
            messages = _without_system(messages)
        else:
            sent.add("system")
    return body | {"messages": messages}, frozenset(sent)


def _form(call: Call) -> dict[str, dict[str, Any]]:
    """How the answer is held to a form: by a schema, as any JSON object; else by words alone."""
    if call.form is None:
        return {}
    name, schema = call.form
    held = {"name": name, "schema": schema, "strict": True}
    schema_form = {"type": "json_schema", "json_schema": held}
    return {
        f"json_schema:{name}": {"response_format": schema_form},
        f"json_object:{name}": {"response_format": {"type": "json_object"}},
    }


def _limits() -> dict[str, dict[str, Any]]:
    most = settings.ARBORIS_LLM_MAX_TOKENS
    return {name: {name: most} for name in sorted(LIMITS) if most}


def _effort(effort: Effort | None, left_out: frozenset[str]) -> dict[str, dict[str, Any]]:
    if effort is None:
        return {}
    parts = {name: {name: value} for name, value in _NO_THINKING.items() if effort == "none"}
    for value in _LESS.get(effort, (effort,)):
        if f"reasoning_effort:{value}" not in left_out:
            return {**parts, f"reasoning_effort:{value}": {"reasoning_effort": value}}
    return parts


def _wanted(schema: dict[str, Any]) -> str:
    words = "Answer with one JSON object that fits this JSON schema, and with nothing else:\n"
    return words + json.dumps(schema, ensure_ascii=False)


def _with_system(messages: list[Any], words: str) -> list[Any]:
    """Append the words to the system message: some endpoints allow only one."""
    first, *rest = messages
    if first["role"] == "system" and isinstance(first["content"], str):
        return [{"role": "system", "content": f"{first['content']}\n\n{words}"}, *rest]
    return [{"role": "system", "content": words}, *messages]


def _without_assistant(messages: list[Any]) -> list[Any]:
    """What the model has said, and all that follows it, at the end of the user's message before.

    Endpoints of models that think may want their thoughts back with it.
    """
    at = next(n for n, message in enumerate(messages) if message["role"] == "assistant")
    told = "\n\n".join(
        f"YOUR ANSWER SO FAR:\n{m['content']}" if m["role"] == "assistant" else str(m["content"])
        for m in messages[at:]
    )
    return [
        *messages[: at - 1],
        {"role": "user", "content": f"{messages[at - 1]['content']}\n\n{told}"},
    ]


def _without_system(messages: list[Any]) -> list[Any]:
    """The system message as the beginning of the user's."""
    words = "\n\n".join(str(m["content"]) for m in messages if m["role"] == "system")
    rest = [message for message in messages if message["role"] != "system"]
    at = next((n for n, message in enumerate(rest) if message["role"] == "user"), None)
    if at is None:
        return [{"role": "user", "content": words}, *rest]
    rest[at] = {"role": "user", "content": f"{words}\n\n{rest[at]['content']}"}
    return rest
