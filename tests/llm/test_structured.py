"""A structured question against a real endpoint: every way to answer, and every way to fail."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from pydantic import BaseModel, Field
from pytest_django import Settings

from arboris.llm import client, errors, response_limits, structured
from arboris.llm.accounting.admission import Usage
from arboris.llm.client import Call, Message
from tests.llm.endpoint import KEY, Endpoint, Reply
from tests.waiting import PATIENCE_SECONDS

QUESTION: list[Message] = [
    {"role": "system", "content": "You list people."},
    {"role": "user", "content": "Who is there?"},
]


class Person(BaseModel):
    name: str
    age: int = Field(default=0, ge=0)


class People(BaseModel):
    people: list[Person]


RIGHT = json.dumps({"people": [{"name": "沈砚秋", "age": 19}, {"name": "顾长风", "age": 40}]})
NAMES = ["沈砚秋", "顾长风"]


def ask(usage: Usage | None = None, **wishes: Any) -> structured.Answer[People]:
    async def work() -> structured.Answer[People]:
        async with client.connect() as connection:
            call = Call(QUESTION, **wishes)
            return await structured.ask(connection, call, People, usage or Usage())

    return asyncio.run(work())


def names(answer: structured.Answer[People]) -> list[str]:
    return [person.name for person in answer.value.people]


@pytest.mark.parametrize(
    "text",
    [
        RIGHT,
        f"```json\n{RIGHT}\n```",
        f"Here they are:\n```\n{RIGHT}\n```\nAnything else?",
        f"<think>There might be {{one}} or two…</think>\n{RIGHT}",
        f"The template starts this thought {{already}}.</think>{RIGHT}",
        f'Well<think>maybe {{"people": []}}</think>{RIGHT}',
        f"A set {{a, b}} of two: {RIGHT} That is {{all}}.",
        RIGHT.replace(", ", ",\n\t"),
    ],
    ids=[
        "plain",
        "fenced",
        "fenced in talk",
        "think",
        "think without start",
        "think in talk",
        "talk",
        "white space",
    ],
)
def test_the_object_is_found_in_the_answer(endpoint: Endpoint, text: str) -> None:
    endpoint.replies(Reply(text))
    answer = ask()
    assert names(answer) == NAMES
    assert not answer.truncated
    assert len(endpoint.requests) == 1


def test_the_request_has_schema_model_temperature(endpoint: Endpoint) -> None:
    endpoint.replies(Reply(RIGHT))
    ask(model="another", temperature=0.3)
    (asked,) = endpoint.requests
    assert (asked["model"], asked["temperature"]) == ("another", 0.3)
    form = asked["response_format"]["json_schema"]
    assert form["strict"] is True
    assert form["schema"]["additionalProperties"] is False
    person = form["schema"]["properties"]["people"]["items"]
    assert person["required"] == ["name", "age"]
    assert "minimum" not in person["properties"]["age"]


def test_the_accepted_form_is_remembered(endpoint: Endpoint) -> None:
    def answer(body: dict[str, Any]) -> Reply:
        if "response_format" in body:
            return Reply(status=400, error={"message": "response_format is not supported"})
        return Reply(RIGHT)

    endpoint.answer = answer
    assert names(ask()) == NAMES
    assert names(ask()) == NAMES
    kinds = [body.get("response_format", {}).get("type") for body in endpoint.requests]
    assert kinds == ["json_schema", "json_object", None, None]
    assert "JSON schema" in endpoint.requests[-1]["messages"][0]["content"]


def test_usage_is_estimated_where_it_is_refused(endpoint: Endpoint) -> None:
    def answer(body: dict[str, Any]) -> Reply:
        wrong = "stream_options" in body
        return Reply(status=422, error={"message": "extra field"}) if wrong else Reply(RIGHT)

    endpoint.answer = answer
    usage = Usage()
    assert names(ask(usage)) == NAMES
    assert usage.prompt > 0 and usage.completion > 0
    assert usage.estimated == usage.prompt + usage.completion


def test_a_cut_off_answer_keeps_whole_entries(endpoint: Endpoint) -> None:
    endpoint.replies(Reply(RIGHT[: RIGHT.index("40")], finish="length"))
    answer = ask()
    assert names(answer) == NAMES[:1]
    assert answer.truncated
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("text", ['{"people": [{"na', "<think>I wonder", ""])
def test_a_cut_off_answer_without_entries_fails(endpoint: Endpoint, text: str) -> None:
    endpoint.replies(Reply(text, finish="length"))
    with pytest.raises(errors.Truncated):
        ask()


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ('{"people": [{"name": "甲", "age": -1}]}', "people.0.age"),
        ('{"persons": []}', "people"),
        ("I would rather not use JSON.", "no JSON object"),
        ("[1, 2]", "no JSON object"),
    ],
)
def test_a_wrong_answer_is_repaired_in_one_turn(
    endpoint: Endpoint, wrong: str, complaint: str
) -> None:
    endpoint.replies(Reply(wrong, usage=(10, 5)), Reply(RIGHT, usage=(30, 7)))
    usage = Usage()
    assert names(ask(usage)) == NAMES
    *_, shown, told = endpoint.requests[1]["messages"]
    assert shown == {"role": "assistant", "content": wrong}
    assert complaint in told["content"]
    assert usage == Usage(40, 12)


def test_garbage_twice_is_a_typed_error_and_paid_for(endpoint: Endpoint) -> None:
    endpoint.replies(Reply("no", usage=(10, 5)))
    usage = Usage()
    with pytest.raises(errors.BadAnswer) as failed:
        ask(usage)
    assert failed.value.code == "llm_bad_answer"
    assert failed.value.retryable
    assert len(endpoint.requests) == 2
    assert usage == Usage(20, 10)


def test_an_empty_answer_twice_is_empty(endpoint: Endpoint) -> None:
    endpoint.replies(Reply(""))
    with pytest.raises(errors.Empty):
        ask()


@pytest.mark.parametrize(
    ("reply", "kind", "retryable"),
    [
        (Reply(status=401), errors.KeyRefused, True),
        (Reply(status=403), errors.KeyRefused, True),
        (Reply(status=402), errors.NoCredit, True),
        (Reply(status=429, error={"code": "insufficient_quota"}), errors.NoCredit, True),
        (Reply(status=429), errors.RateLimited, True),
        (Reply(status=404), errors.ModelUnknown, False),
        (Reply(status=400), errors.RequestRefused, False),
        (Reply(status=400, error={"code": "context_length_exceeded"}), errors.PromptTooLong, False),
        (Reply(status=400, error={"code": "content_filter"}), errors.Filtered, False),
        (Reply(status=500), errors.ServerFailed, True),
        (Reply(status=503), errors.Overloaded, True),
        (
            Reply(status=302, headers={"Location": "http://127.0.0.1:1/"}),
            errors.RequestRefused,
            False,
        ),
        (Reply("x", finish="content_filter"), errors.Filtered, False),
        (Reply("", delta={"refusal": "I won't."}), errors.Filtered, False),
        (
            Reply("x", event={"error": {"message": "m", "code": "rate_limit_exceeded"}}),
            errors.RateLimited,
            True,
        ),
        (Reply("x", event={"error": {"message": "m"}}), errors.ServerFailed, True),
        (Reply("x", event={"choices": "nonsense"}), errors.BadAnswer, True),
        (Reply(raw=b"data: {no json\n\n"), errors.BadAnswer, True),
        (Reply(raw=b"<html>hello</html>"), errors.BadAnswer, True),
        (Reply(raw=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}), errors.BadAnswer, True),
    ],
)
def test_every_refusal_has_its_kind(
    endpoint: Endpoint, reply: Reply, kind: type[errors.LLMError], retryable: bool
) -> None:
    reply.error.setdefault("message", f"wrong: {KEY}")
    endpoint.replies(reply)
    with pytest.raises(errors.LLMError) as failed:
        ask()
    assert type(failed.value) is kind
    assert failed.value.retryable is retryable
    assert KEY not in repr(failed.getrepr(chain=True, showlocals=False))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("99999999", 3600.0), ("soon", None), ("", None), ("nan", None)],
)
def test_retry_after_is_told(endpoint: Endpoint, header: str, seconds: float | None) -> None:
    endpoint.replies(Reply(status=429, headers={"Retry-After": header}))
    with pytest.raises(errors.RateLimited) as failed:
        ask()
    assert failed.value.retry_after == seconds
    assert len(endpoint.requests) == 1  # the queue waits, not the call


def test_retry_after_may_be_a_date(endpoint: Endpoint) -> None:
    stamp = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 600))
    endpoint.replies(Reply(status=429, headers={"Retry-After": stamp}))
    with pytest.raises(errors.RateLimited) as failed:
        ask()
    assert failed.value.retry_after == pytest.approx(600, abs=PATIENCE_SECONDS)


@pytest.mark.parametrize("reply", [Reply(RIGHT, wait=20), Reply(RIGHT[:9], hold=True)])
def test_a_silent_endpoint_times_out(endpoint: Endpoint, settings: Settings, reply: Reply) -> None:
    settings.ARBORIS_LLM_TIMEOUT = 0.2
    # What begins to arrive may take its time to.
    settings.ARBORIS_LLM_FIRST_TOKEN_TIMEOUT = PATIENCE_SECONDS if reply.hold else 0.2
    endpoint.replies(reply)
    usage = Usage()
    with pytest.raises(errors.TimedOut):
        ask(usage)
    assert bool(usage.estimated) is reply.hold  # what had begun to arrive is paid for


@pytest.mark.parametrize(
    "reply",
    [Reply("词" * 10_000, endless=True), Reply(raw=b"x" * 65_536, endless=True)],
    ids=["text", "one line"],
)
def test_an_endless_answer_is_cut_off(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    monkeypatch.setattr(response_limits, "MAX_WIRE_BYTES", 4 * 1024 * 1024)
    endpoint.replies(reply)
    with pytest.raises(errors.TooLarge):
        ask()
    assert endpoint.hung_up.wait(PATIENCE_SECONDS)


def test_a_slow_endless_answer_ends_with_the_total_time(
    endpoint: Endpoint, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response_limits, "MAX_WIRE_BYTES", 1 << 40)
    settings.ARBORIS_LLM_TOTAL_TIMEOUT = 0.3
    endpoint.replies(Reply(" ", endless=True))
    with pytest.raises(errors.TimedOut):
        ask()


def test_no_endpoint_is_unreachable(endpoint: Endpoint, settings: Settings) -> None:
    settings.ARBORIS_LLM_BASE_URL = "http://127.0.0.1:1/v1"
    with pytest.raises(errors.Unreachable):
        ask()


def test_without_settings_it_says_which(endpoint: Endpoint, settings: Settings) -> None:
    settings.ARBORIS_LLM_MODEL = ""
    with pytest.raises(errors.NotConfigured, match="ARBORIS_LLM_MODEL"):
        ask()


def test_deep_nesting_is_a_bad_answer(endpoint: Endpoint) -> None:
    endpoint.replies(Reply('{"a":' * 100_000))
    with pytest.raises(errors.BadAnswer):
        ask()


def test_the_key_is_in_no_log(endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    endpoint.replies(Reply(RIGHT))
    ask()
    assert caplog.text
    assert KEY not in caplog.text
