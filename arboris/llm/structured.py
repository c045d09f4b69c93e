"""One question to a model, answered with an instance of a pydantic model.

Endpoints differ in how far they can be held to a form, so there is a ladder: a JSON schema, then
JSON of any shape, then words alone. The rung on which an endpoint takes requests is remembered
for as long as the process lives. Whatever comes back is read leniently and checked strictly; an
answer that does not fit is sent back once with what is wrong about it.
"""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar

import openai
from django.conf import settings
from openai.types.chat.completion_create_params import ResponseFormat
from pydantic import BaseModel, ValidationError

from arboris.llm import client, errors, lenient
from arboris.llm.client import Call
from arboris.llm.schema import strict_schema
from arboris.llm.usage import Usage

AnswerModel = TypeVar("AnswerModel", bound=BaseModel)
Rung = Literal["schema", "json", "words", "bare"]
# "bare" asks not even for the tokens used, and bounds none.
LADDER: tuple[Rung, ...] = ("schema", "json", "words", "bare")
_rungs: dict[tuple[str, str], Rung] = {}

_QUOTED_BACK = 20_000  # characters of a wrong answer that the model is shown again


@dataclass(frozen=True, slots=True)
class Answer(Generic[AnswerModel]):
    value: AnswerModel
    truncated: bool  # its end was missing; what was complete is in ``value``


@dataclass(frozen=True, slots=True)
class _Reply:
    text: str
    cut_off: bool


async def ask(
    connection: openai.AsyncOpenAI, call: Call, model: type[AnswerModel], usage: Usage
) -> Answer[AnswerModel]:
    """Ask, check, and where the answer does not fit ask once more.

    ``usage`` grows by what every request has cost, whether this returns, raises or is cancelled.
    Raises an LLMError; BadAnswer and its kinds where the second answer does not fit either.
    """
    reply = await _reply(connection, call, model, usage)
    try:
        return _read(reply, model, last=False)
    except errors.Truncated:
        raise  # asked again, it would end at the same place
    except errors.BadAnswer as wrong:
        # An empty turn of the model's own would be refused by some endpoints.
        shown = lenient.without_thoughts(reply.text)[:_QUOTED_BACK] or "{}"
        messages: list[client.Message] = [
            *call.messages,
            {"role": "assistant", "content": shown},
            {"role": "user", "content": _repair(wrong)},
        ]
    reply = await _reply(connection, replace(call, messages=messages), model, usage)
    return _read(reply, model, last=True)


def _repair(wrong: errors.BadAnswer) -> str:
    return (
        f"This answer cannot be used: {wrong}\n"
        "Answer the question again, completely, with one JSON object of the required form and "
        "nothing else."
    )


async def _reply(
    connection: openai.AsyncOpenAI, call: Call, model: type[BaseModel], usage: Usage
) -> _Reply:
    """The whole answer, asked on the highest rung that the endpoint takes."""
    endpoint = (settings.ARBORIS_LLM_BASE_URL, call.model_name)
    rung = _rungs.get(endpoint, LADDER[0])
    while True:
        try:
            reply = await _collect(connection, _on(rung, call, model), usage)
        except errors.RequestRefused:
            if rung == LADDER[-1]:
                raise
            rung = LADDER[LADDER.index(rung) + 1]
        else:
            _rungs[endpoint] = rung
            return reply


def _on(rung: Rung, call: Call, model: type[BaseModel]) -> Call:
    """The call as it is put on a rung of the ladder."""
    schema = strict_schema(model)
    call = replace(call, report_usage=rung != "bare", limited=rung != "bare")
    if rung == "schema":
        form: ResponseFormat = {
            "type": "json_schema",
            "json_schema": {"name": model.__name__, "schema": schema, "strict": True},
        }
        return replace(call, response_format=form)
    wanted = "Answer with one JSON object that fits this JSON schema, and with nothing else:\n"
    wanted += json.dumps(schema, ensure_ascii=False)
    call = replace(call, messages=_with_system(call.messages, wanted))
    return replace(call, response_format={"type": "json_object"}) if rung == "json" else call


def _with_system(messages: list[client.Message], words: str) -> list[client.Message]:
    """The words at the end of the system message: some endpoints allow only one."""
    first, *rest = messages
    if first["role"] == "system" and isinstance(first["content"], str):
        return [{"role": "system", "content": f"{first['content']}\n\n{words}"}, *rest]
    return [{"role": "system", "content": words}, *messages]


async def _collect(connection: openai.AsyncOpenAI, call: Call, usage: Usage) -> _Reply:
    parts, reason, some = [], None, False
    async with aclosing(client.pieces(connection, call, usage)) as answer:
        async for piece in answer:
            some = True
            parts.append(piece.text)
            reason = piece.finish_reason or reason
    if not some:
        raise errors.BadAnswer("the endpoint's answer is no chat")
    return _Reply("".join(parts), cut_off=reason in (None, "length"))


def _read(reply: _Reply, model: type[AnswerModel], *, last: bool) -> Answer[AnswerModel]:
    """The first object in the reply that fits; raises BadAnswer, with what is wrong about it."""
    if not lenient.without_thoughts(reply.text):
        if reply.cut_off:
            raise errors.Truncated("the answer ends before it begins")
        raise errors.Empty("the answer is empty")
    wrong = ""
    for found in lenient.objects(reply.text):
        if found.repaired and not (reply.cut_off or last):
            break  # a broken answer that was not cut off: asked again, it may come whole
        try:
            return Answer(model.model_validate(found.value), found.repaired)
        except ValidationError as error:
            wrong = wrong or _sentence(error)
    if reply.cut_off and lenient.open_ended(reply.text):
        raise errors.Truncated("the answer ends in the middle")
    raise errors.BadAnswer(lenient.flaw(reply.text) or wrong)


def _sentence(error: ValidationError) -> str:
    """Where it does not fit and why, without the values: those are the writer's text."""
    places = [
        f"{'.'.join(str(step) for step in problem['loc']) or 'the whole'}: {problem['msg']}"
        for problem in error.errors(include_input=False, include_context=False, include_url=False)
    ]
    more = f"; and {len(places) - 10} more" if len(places) > 10 else ""
    return "; ".join(places[:10]) + more
