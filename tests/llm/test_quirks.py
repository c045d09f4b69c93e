"""Endpoints as they are: streams that are odd, broken or compressed."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from typing import Any

import pytest
from pydantic import BaseModel

from arboris.llm import client, errors, response_limits, structured
from arboris.llm.accounting.admission import Usage
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
