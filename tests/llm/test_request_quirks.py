"""Endpoints as they are: parameters refused or ignored, and thinking."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from pydantic import BaseModel
from pytest_django import Settings

from arboris.llm import client, endpoint_profile, errors, structured
from arboris.llm.accounting.admission import Payer, Usage
from arboris.llm.client import Call
from tests.llm.endpoint import Endpoint, Reply
from tests.llm.test_quirks import (
    NAMES,
    QUESTION,
    RIGHT,
    TEXT,
    WHOLE,
    ask,
    end,
    stream,
)

# --- what a request may hold ------------------------------------------------------------------
PARAMETERS: dict[str, tuple[str, dict[str, Any]]] = {
    "temperature": (
        "Unsupported value: 'temperature' does not support 0.3 with this model.",
        {"param": "temperature"},
    ),
    "stream_options": ("unknown field `stream_options`", {}),
    "max_tokens": ("Use 'max_completion_tokens' instead.", {"param": "max_tokens"}),
    "response_format": ("This response_format type is unavailable now", {}),
    "stream": ("Streaming is not supported for this model.", {"param": "stream"}),
}


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("name", PARAMETERS)
def test_what_is_refused_is_left_out_alone(
    endpoint: Endpoint, settings: Settings, name: str, named: bool
) -> None:
    settings.ARBORIS_LLM_MAX_TOKENS = 500
    message, more = PARAMETERS[name]

    def answer(body: dict[str, Any]) -> Reply:
        if name in body and body[name] is not False:
            error = {"message": message, **more} if named else {"message": "Bad Request"}
            return Reply(status=400, error=error)
        return Reply(RIGHT) if body.get("stream") else Reply(raw=json.dumps(WHOLE).encode())

    endpoint.answer = answer
    if name == "stream" and not named:
        with pytest.raises(errors.RequestRefused):
            ask(temperature=0.3)
        return
    for _ in range(3):
        assert ask(temperature=0.3) == NAMES
    last = endpoint.requests[-1]
    assert name not in last or last[name] is False
    kept = {"temperature", "response_format", "max_tokens", "stream_options"} - {name}
    if name == "stream":
        kept -= {"stream_options"}
    assert kept <= last.keys()


def test_a_system_message_that_is_refused_goes_to_the_user(endpoint: Endpoint) -> None:
    def answer(body: dict[str, Any]) -> Reply:
        if body["messages"][0]["role"] == "system":
            return Reply(status=400, error={"message": "System role not supported"})
        return Reply(RIGHT)

    endpoint.answer = answer
    assert ask() == NAMES
    (only,) = endpoint.requests[-1]["messages"]
    assert only["role"] == "user" and only["content"].startswith("You list people.")
    assert "response_format" in endpoint.requests[-1]


def test_one_form_that_is_refused_costs_no_other_its_schema(endpoint: Endpoint) -> None:
    class Places(BaseModel):
        people: list[str]

    def answer(body: dict[str, Any]) -> Reply:
        form = body.get("response_format", {}).get("json_schema", {}).get("name")
        return Reply(RIGHT) if form != "Places" else Reply(status=400, error={"message": "schema"})

    async def work() -> None:
        async with client.connect() as connection:
            await structured.ask(connection, Call(QUESTION), Places, Usage())

    endpoint.answer = answer
    asyncio.run(work())
    assert ask() == NAMES
    assert endpoint.requests[-1]["response_format"]["type"] == "json_schema"


def test_a_schema_that_is_ignored_is_said_in_words(endpoint: Endpoint) -> None:
    def answer(body: dict[str, Any]) -> Reply:
        told = '"properties"' in body["messages"][0]["content"]
        return Reply(RIGHT if told else '{"names": {"first": 1}}')

    endpoint.answer = answer
    assert [ask(), ask()] == [NAMES, NAMES]
    kinds = [body["response_format"]["type"] for body in endpoint.requests]
    assert kinds == ["json_schema", "json_object", "json_object"]


def test_what_a_gateway_refuses_is_named_in_any_dress(
    endpoint: Endpoint, settings: Settings
) -> None:
    settings.ARBORIS_LLM_EFFORT = {"*": "none"}
    fields = ("enable_thinking", "chat_template_kwargs", "thinking")
    unknown = "\n".join(f'Unknown name "{name}": Cannot find field.' for name in fields)
    upstream = json.dumps({"error": {"code": 400, "message": unknown}})
    for refusal in (
        [{"error": {"code": 400, "message": unknown, "status": "INVALID_ARGUMENT"}}],
        {"error": {"code": 400, "message": upstream, "status": "UPSTREAM_ERROR"}},
        {"detail": [{"loc": ["body", name], "msg": "extra fields"} for name in fields]},
    ):
        endpoint_profile.forget()
        endpoint.requests.clear()
        endpoint.answer = lambda body, refusal=refusal: (  # type: ignore[misc]
            Reply(status=400, refusal=refusal) if body.keys() & set(fields) else Reply(RIGHT)
        )
        assert ask(temperature=0.3) == NAMES
        assert len(endpoint.requests) == 2
        kept = {"response_format", "temperature", "reasoning_effort"}
        assert kept <= endpoint.requests[1].keys()


def test_a_message_of_the_model_that_is_refused_goes_to_the_user(endpoint: Endpoint) -> None:
    """Some want the model's thoughts back with it."""
    refusal = "The `reasoning_content` in the thinking mode must be passed back to the API."

    def answer(body: dict[str, Any]) -> Reply:
        said = [message["role"] for message in body["messages"]]
        if "assistant" in said:
            return Reply(status=400, error={"message": refusal})
        return Reply(RIGHT if "cannot be used" in body["messages"][-1]["content"] else "garbage")

    endpoint.answer = answer
    assert [ask(), ask()] == [NAMES, NAMES]
    first, refused, last, *_ = endpoint.requests
    assert len(refused["messages"]) == len(first["messages"]) + 2
    assert [message["role"] for message in last["messages"]] == ["system", "user"]
    assert "response_format" in last and len(endpoint.requests) == 5


def test_a_grammar_that_leaves_only_blanks_is_given_up(endpoint: Endpoint) -> None:
    def answer(body: dict[str, Any]) -> Reply:
        if body["response_format"]["type"] == "json_schema":
            return Reply('{"people": ' + "\n" * 3_000, endless=True)
        return Reply(RIGHT)

    endpoint.answer = answer
    assert [ask(), ask()] == [NAMES, NAMES]
    kinds = [body["response_format"]["type"] for body in endpoint.requests]
    assert kinds == ["json_schema", "json_object", "json_object"]


# --- thinking ---------------------------------------------------------------------------------
def thoughtful(reply: Reply) -> Any:
    """A model that thinks until no tokens are left, unless it is told not to."""

    def answer(body: dict[str, Any]) -> Reply:
        told = body.get("reasoning_effort") == "none" or body.get("enable_thinking") is False
        return Reply(RIGHT) if told else reply

    return answer


@pytest.mark.parametrize(
    "reply",
    [
        Reply("", delta={"reasoning_content": "想" * 90}, finish="length"),
        Reply("<think>想想", finish="length"),
        Reply("", finish="length"),
        Reply("", delta={"reasoning": "hm"}, finish="stop"),
        Reply(RIGHT[:20], delta={"reasoning_content": "想" * 90}, finish="length"),
    ],
    ids=["apart", "in a tag", "unseen", "empty", "half an answer"],
)
def test_thinking_that_eats_the_answer_is_switched_off(endpoint: Endpoint, reply: Reply) -> None:
    endpoint.answer = thoughtful(reply)
    payer = Payer("foreshadowing")
    assert [ask(payer=payer), ask(payer=payer)] == [NAMES, NAMES]
    efforts = [body.get("reasoning_effort") for body in endpoint.requests]
    assert efforts == [None, "none", "none"]
    assert endpoint.requests[1]["thinking"] == {"type": "disabled"}
    assert endpoint.requests[1]["chat_template_kwargs"]["enable_thinking"] is False


def test_a_model_that_has_to_think_thinks_as_little_as_it_can(
    endpoint: Endpoint, settings: Settings
) -> None:
    settings.ARBORIS_LLM_EFFORT = {"*": "none"}

    def answer(body: dict[str, Any]) -> Reply:
        unknown = sorted(body.keys() & {"thinking", "enable_thinking", "chat_template_kwargs"})
        if unknown:
            return Reply(status=400, error={"message": f"Unrecognized arguments: {unknown}"})
        if body.get("reasoning_effort") in ("none", "minimal"):
            return Reply(status=400, error={"param": "reasoning_effort", "message": "Bad value"})
        return Reply(RIGHT)

    endpoint.answer = answer
    assert [ask(), ask()] == [NAMES, NAMES]
    assert len(endpoint.requests) == 5
    assert endpoint.requests[-1]["reasoning_effort"] == "low"
    assert "response_format" in endpoint.requests[-1]


def test_the_same_is_never_asked_again_after_a_cut_off(endpoint: Endpoint) -> None:
    endpoint.replies(Reply(RIGHT[:14], finish="length"))
    with pytest.raises(errors.CutOff) as failed:
        ask()
    assert not failed.value.retryable
    assert len({json.dumps(body) for body in endpoint.requests}) == len(endpoint.requests)


def test_thinking_is_counted(endpoint: Endpoint) -> None:
    told = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 45}
    details = {"completion_tokens_details": {"reasoning_tokens": 30}}
    endpoint.replies(Reply(raw=stream(*TEXT, end(usage={**told, **details}))))
    usage = Usage()
    ask(usage)
    assert usage.as_dict() == {"prompt": 10, "completion": 35, "thinking": 30}
    endpoint.replies(Reply(RIGHT, delta={"reasoning_content": "想" * 40}, usage=None))
    usage = Usage()
    ask(usage)
    assert usage.thinking == 80 and usage.completion > 80  # it came with both halves
