"""One question to a model, answered with an instance of a pydantic model.

Endpoints differ in how far they can hold a model to a form, so a request that is refused is sent
again in the next form of ``endpoint_profile.STRUCTURED``. The answer is read leniently and checked
strictly. One that does not fit is sent back once, with what is wrong about it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from arboris.llm import client, errors, json_recovery
from arboris.llm.accounting.admission import Usage
from arboris.llm.client import Call
from arboris.llm.endpoint_profile import RequestForm, profile_of
from arboris.llm.thoughts import without_thoughts

if TYPE_CHECKING:  # see client.py
    import openai
    from openai.types.chat.completion_create_params import ResponseFormat

AnswerModel = TypeVar("AnswerModel", bound=BaseModel)
Heard = Callable[[int], None]

_SHOWN_AGAIN = 20_000  # characters of a wrong answer
# Left out of the schema: we check these when the answer has arrived, and not every endpoint knows
# the keywords.
_LEFT_OUT = {"default", "title", "minimum", "maximum", "minLength", "maxLength", "maxItems"}


@dataclass(frozen=True, slots=True)
class Answer(Generic[AnswerModel]):
    value: AnswerModel
    truncated: bool  # its end was missing; ``value`` holds only what was complete


@dataclass(frozen=True, slots=True)
class _Reply:
    text: str
    cut_off: bool


async def ask(
    connection: openai.AsyncOpenAI,
    call: Call,
    model: type[AnswerModel],
    usage: Usage,
    heard: Heard = lambda characters: None,
) -> Answer[AnswerModel]:
    """Ask, check the answer, and ask once more where it does not fit.

    ``heard`` is told of each piece of an answer as it comes, how many characters it has. ``usage``
    grows by the tokens of every request, whether this returns, raises or is cancelled.
    Raises LLMError; BadAnswer or a class below it where the second answer does not fit either.
    """
    reply = await _reply(connection, call, model, usage, heard)
    try:
        return _read(reply, model, last=False)
    except errors.Truncated:
        raise  # the next answer would end at the same place
    except errors.BadAnswer as wrong:
        # Some endpoints refuse an empty message of the model.
        shown = without_thoughts(reply.text)[:_SHOWN_AGAIN] or "{}"
        messages: list[client.Message] = [
            *call.messages,
            {"role": "assistant", "content": shown},
            {"role": "user", "content": _repair(wrong)},
        ]
    reply = await _reply(connection, replace(call, messages=messages), model, usage, heard)
    return _read(reply, model, last=True)


def _repair(wrong: errors.BadAnswer) -> str:
    return (
        f"This answer cannot be used: {wrong}\n"
        "Answer the question again, completely, with one JSON object of the required form and "
        "nothing else."
    )


async def _reply(
    connection: openai.AsyncOpenAI,
    call: Call,
    model: type[BaseModel],
    usage: Usage,
    heard: Heard,
) -> _Reply:
    """Return the whole answer, asked for in the first form that the endpoint accepts."""
    accepted = profile_of(call.model_name).structured
    for form in accepted.candidates():
        try:
            reply = await _collect(connection, _in_form(form, call, model), usage, heard)
        except errors.RequestRefused:
            if accepted.is_last(form):
                raise
        else:
            accepted.accept(form)
            return reply
    raise AssertionError("there is always a last form")


def _in_form(form: RequestForm, call: Call, model: type[BaseModel]) -> Call:
    schema = strict_schema(model)
    call = replace(call, report_usage=form.report_usage, limit_tokens=form.limit_tokens)
    if form.answer == "schema":
        response_format: ResponseFormat = {
            "type": "json_schema",
            "json_schema": {"name": model.__name__, "schema": schema, "strict": True},
        }
        return replace(call, response_format=response_format)
    wanted = "Answer with one JSON object that fits this JSON schema, and with nothing else:\n"
    wanted += json.dumps(schema, ensure_ascii=False)
    call = replace(call, messages=_with_system(call.messages, wanted))
    return replace(call, response_format={"type": "json_object"}) if form.answer == "json" else call


@cache
def strict_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the model's schema as endpoints with a strict schema mode accept it.

    Every property is required and no other allowed.
    """
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


def _with_system(messages: list[client.Message], words: str) -> list[client.Message]:
    """Append the words to the system message: some endpoints allow only one."""
    first, *rest = messages
    if first["role"] == "system" and isinstance(first["content"], str):
        return [{"role": "system", "content": f"{first['content']}\n\n{words}"}, *rest]
    return [{"role": "system", "content": words}, *messages]


async def _collect(
    connection: openai.AsyncOpenAI, call: Call, usage: Usage, heard: Heard
) -> _Reply:
    parts, reason, began = [], None, False
    async with aclosing(client.pieces(connection, call, usage)) as answer:
        async for piece in answer:
            began = True
            parts.append(piece.text)
            heard(len(piece.text))
            reason = piece.finish_reason or reason
    if not began:
        raise errors.BadAnswer("the endpoint's answer is no chat")
    return _Reply("".join(parts), cut_off=reason in (None, "length"))


def _read(reply: _Reply, model: type[AnswerModel], *, last: bool) -> Answer[AnswerModel]:
    """Return the first object in the reply that fits. Raises BadAnswer with what is wrong."""
    if not without_thoughts(reply.text):
        if reply.cut_off:
            raise errors.Truncated("the answer ends before it begins")
        raise errors.Empty("the answer is empty")
    wrong = ""
    for found in json_recovery.objects(reply.text):
        if found.cut_off and not (reply.cut_off or last):
            break  # the endpoint says that this is all: the next answer may be whole
        try:
            return Answer(model.model_validate(found.value), found.cut_off)
        except ValidationError as error:
            wrong = wrong or _sentence(error)
    if reply.cut_off and json_recovery.ends_open(reply.text):
        raise errors.Truncated("the answer ends in the middle")
    raise errors.BadAnswer(json_recovery.flaw(reply.text) or wrong)


def _sentence(error: ValidationError) -> str:
    """Say where it does not fit and why, without the values: those are the writer's text."""
    places = [
        f"{'.'.join(str(step) for step in problem['loc']) or 'the whole'}: {problem['msg']}"
        for problem in error.errors(include_input=False, include_context=False, include_url=False)
    ]
    more = f"; and {len(places) - 10} more" if len(places) > 10 else ""
    return "; ".join(places[:10]) + more
