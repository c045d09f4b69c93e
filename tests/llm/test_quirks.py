"""Endpoints as they are: odd streams, parameters refused or ignored, and thinking."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from typing import Any

import pytest
from pydantic import BaseModel
from pytest_django import Settings

from arboris.llm import client, endpoint_profile, errors, response_limits, structured
from arboris.llm.accounting.admission import Payer, Usage
from arboris.llm.client import Call, Message
from tests.llm.endpoint import Endpoint, Reply

QUESTION: list[Message] = [
    {"role": "system", "content": "You list people."},
    {"role": "user", "content": "Who is there?"},
]


class People(BaseModel):
    people: list[str]


NAMES = ["沈砚秋", "顾长风"]
RIGHT = json.dumps({"people": NAMES}, ensure_ascii=False)
HALVES = (RIGHT[:9], RIGHT[9:])


def ask(usage: Usage | None = None, **wishes: Any) -> list[str]:
    async def work() -> structured.Answer[People]:
        async with client.connect() as connection:
            call = Call(QUESTION, **wishes)
            return await structured.ask(connection, call, People, usage or Usage())

    return asyncio.run(work()).value.people


def delta(**said: Any) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": said, "finish_reason": None}]})


def end(reason: str | None = "stop", **more: Any) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}], **more})


TEXT = [delta(content=half) for half in HALVES]
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 9}
WHOLE = {
    "choices": [{"message": {"content": RIGHT}, "finish_reason": "stop"}],
    "usage": USAGE,
}


def stream(*events: str, start: str = "data: ", after: str = "\n\n") -> bytes:
    return "".join(f"{start}{event}{after}" for event in events).encode()


STREAMS: dict[str, bytes] = {
    "keep-alive in the data": stream(
        ": keepalive", TEXT[0], ": OPENROUTER PROCESSING", TEXT[1], end(), "[DONE]"
    ),
    "keep-alive comments": b": ping\n\n" + stream(*TEXT, end(), "[DONE]"),
    "no space": stream(*TEXT, end(), "[DONE]", start="data:"),
    "no blank lines": stream(*TEXT, end(), "[DONE]", after="\n"),
    "crlf": stream(*TEXT, end(), "[DONE]", after="\r\n\r\n"),
    "a mark at the start": "\ufeff".encode() + stream(*TEXT, end(), "[DONE]"),
    "named events": stream(*TEXT, end(), "[DONE]", start="id: 1\nevent: message\ndata: "),
    "over several lines": stream(*TEXT, end(), after="\n\n").replace(
        b', "delta"', b',\ndata: "delta"'
    ),
    "not streamed": json.dumps(WHOLE).encode(),
    "not streamed, indented": json.dumps(WHOLE, indent=1).encode(),
    "not streamed, in an event": stream(json.dumps(WHOLE), "[DONE]"),
    "an object a line": stream(*TEXT, end(), start="", after="\n"),
    "lists of events": stream(f"[{TEXT[0]}, {TEXT[1]}]", end()),
    "nothing after the text": stream(*TEXT),
    "an end without a reason": stream(*TEXT, end(None), "[DONE]"),
    "tokens at the end": stream(*TEXT, json.dumps({"choices": [], "usage": USAGE})),
    "no choices at first": stream(
        '{"choices": [], "prompt_filter_results": []}', '{"choices": null}', *TEXT, end()
    ),
    "an empty delta": stream('{"choices": [{"delta": null}]}', *TEXT, end()),
    "the whole once more": stream(
        *TEXT, json.dumps({"choices": [{"message": {"content": RIGHT}, "finish_reason": "stop"}]})
    ),
    "each piece with all before it": stream(
        *[delta(content=RIGHT[:length]) for length in range(1, len(RIGHT) + 1, 3)],
        delta(content=RIGHT),
        end(),
    ),
    "thinking with all before it": stream(
        delta(reasoning_content="先看有谁"), delta(reasoning_content="先看有谁在场"), *TEXT, end()
    ),
    "the whole once more as a piece": stream(*TEXT, delta(content=RIGHT), end()),
    "no error": stream(
        *[
            json.dumps({**json.loads(one), "base_resp": {"status_code": 0}, "error": None})
            for one in TEXT
        ],
        end(),
    ),
    "parts": stream(
        delta(
            content=[{"type": "thinking", "thinking": [{"type": "text", "text": '{"people": []}'}]}]
        ),
        *[delta(content=[{"type": "text", "text": half}]) for half in HALVES],
        end(),
    ),
    "thinking apart": stream(delta(reasoning_content='{"people": []}', content=None), *TEXT, end()),
    "thinking apart again": stream(
        delta(reasoning='{"people": []}', reasoning_details=[{"text": "x"}]), *TEXT, end()
    ),
    "the answer as thinking": stream(
        *[delta(reasoning_content=half, content="") for half in HALVES], end()
    ),
    "a call of a function": stream(
        *[delta(tool_calls=[{"index": 0, "function": {"arguments": half}}]) for half in HALVES],
        end("tool_calls"),
    ),
    "text of a completion": stream(*[json.dumps({"choices": [{"text": h}]}) for h in HALVES]),
    "a reason with every piece": stream(
        json.dumps({"choices": [{"delta": {"reasoning": "想"}, "finish_reason": "stop"}]}),
        *[
            json.dumps({"choices": [{"delta": {"content": h}, "finish_reason": "stop"}]})
            for h in HALVES
        ],
    ),
    "an empty reason": stream(
        *[
            json.dumps({"choices": [{"delta": {"content": h}, "finish_reason": ""}]})
            for h in HALVES
        ],
        end(),
    ),
    "no delta at the end": stream(*TEXT, '{"choices": [{"finish_reason": "stop"}]}'),
    "notes of a filter": stream(
        *TEXT, end(), '{"choices": [{"finish_reason": null, "content_filter_offsets": {}}]}'
    ),
    "the answer as fenced thinking": stream(
        delta(reasoning_content=f"```json\n{RIGHT}\n```"), end()
    ),
    "the answer as thinking without a reason": stream(delta(reasoning=RIGHT), "[DONE]"),
    "pieces as messages": stream(
        *[json.dumps({"choices": [{"message": {"content": half}}]}) for half in HALVES], end()
    ),
    "an object as the content": stream(
        json.dumps(
            {"choices": [{"message": {"content": {"people": NAMES}}, "finish_reason": "stop"}]}
        )
    ),
    "an object beside the content": stream(
        json.dumps(
            {
                "choices": [
                    {
                        "message": {"content": None, "parsed": {"people": NAMES}},
                        "finish_reason": "stop",
                    }
                ]
            }
        )
    ),
    "wrapped by a gateway": json.dumps({"code": 200, "msg": "ok", "data": WHOLE}).encode(),
    "wrapped in an output": stream(
        json.dumps({"output": WHOLE, "usage": {"input_tokens": 3, "output_tokens": 4}})
    ),
    "another protocol": "".join(
        json.dumps({"message": {"content": text}, "done": not text, "done_reason": "stop"}) + "\n"
        for text in (*HALVES, "")
    ).encode(),
    "signs of a template": stream(
        delta(content="<|begin_of_box|>"), *TEXT, delta(content="<|end_of_box|>"), end()
    ),
    "blanks without an end": stream(*TEXT, delta(content=" \n" * 4_000), delta(content="x")),
    "other reasons": stream(*TEXT, end("end_turn"), "[DONE]"),
}


@pytest.mark.parametrize("case", STREAMS)
def test_odd_streams_are_read(endpoint: Endpoint, case: str) -> None:
    endpoint.replies(Reply(raw=STREAMS[case]))
    assert ask() == NAMES
    assert len(endpoint.requests) == 1


def test_a_compressed_answer_is_read_within_bounds(endpoint: Endpoint) -> None:
    packed = {"Content-Encoding": "gzip"}
    endpoint.replies(Reply(raw=gzip.compress(stream(*TEXT, end())), headers=packed))
    assert ask() == NAMES
    noise = random.Random(7).randbytes(response_limits.MAX_WIRE_BYTES // 30)
    endpoint.replies(Reply(raw=gzip.compress(noise), headers=packed))
    with pytest.raises(errors.TooLarge):
        ask()


def test_an_answer_whose_connection_breaks_is_read_as_far_as_it_goes(endpoint: Endpoint) -> None:
    broken = {"Content-Length": "100000"}
    endpoint.replies(Reply(raw=stream(*TEXT), headers=broken))
    assert ask() == NAMES
    endpoint.replies(Reply(raw=stream(TEXT[0]), headers=broken))
    with pytest.raises(errors.Truncated) as failed:
        ask()
    assert failed.value.retryable


def test_prose_ends_where_the_endpoint_says_so(endpoint: Endpoint) -> None:
    async def write() -> str:
        return "".join([piece async for piece in client.stream(QUESTION)])

    prose = stream(delta(content="夜雨"), delta(content="敲窗。"))
    for ending in (
        stream(end(None), "[DONE]"),
        stream(json.dumps({"choices": [], "usage": USAGE})),
    ):
        endpoint.replies(Reply(raw=prose + ending))
        assert asyncio.run(write()) == "夜雨敲窗。"
    for ending, kind in ((b"", errors.Truncated), (stream(end("max_tokens")), errors.CutOff)):
        endpoint.replies(Reply(raw=prose + ending))
        with pytest.raises(kind):
            asyncio.run(write())


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
