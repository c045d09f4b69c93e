"""New tries, time-outs, and bounds on what an answer may be: by the real client, over real HTTP."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from pytest_django import Settings

from arboris.llm import client, errors
from arboris.llm.accounting.admission import Usage
from arboris.llm.client import Call
from tests.llm.endpoint import Endpoint, Reply, at_once
from tests.waiting import PATIENCE_SECONDS

QUESTION: list[client.Message] = [{"role": "user", "content": "Go on."}]
BUSY = Reply(status=503)


@pytest.fixture(autouse=True)
def tries(endpoint: Endpoint, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ARBORIS_LLM_RETRIES = 2
    monkeypatch.setattr(client, "BASE_SECONDS", 0.01)


def write(**wishes: Any) -> str:
    async def work() -> str:
        return "".join([piece async for piece in client.stream(QUESTION, **wishes)])

    return asyncio.run(work())


def ask(**wishes: Any) -> str:
    async def work() -> str:
        async with client.connect() as connection:
            call = Call(QUESTION, **wishes)
            found = client.pieces(connection, call, Usage())
            return "".join([piece.text async for piece in found])

    return asyncio.run(work())


@pytest.mark.parametrize("status", [429, 500, 502, 503, 529])
def test_a_passing_refusal_is_asked_again(endpoint: Endpoint, status: int) -> None:
    endpoint.replies(Reply(status=status), Reply(status=status), Reply("夜雨敲窗。"))
    assert write() == "夜雨敲窗。"
    assert len(endpoint.requests) == 3


def test_tries_are_bounded(endpoint: Endpoint) -> None:
    endpoint.replies(BUSY)
    with pytest.raises(errors.Overloaded):
        write()
    assert len(endpoint.requests) == 3


def test_a_short_retry_after_is_waited_for(endpoint: Endpoint) -> None:
    endpoint.replies(Reply(status=429, headers={"Retry-After": "0.4"}), Reply("夜雨"))
    started = time.monotonic()
    assert write() == "夜雨"
    assert time.monotonic() - started >= 0.4


@pytest.mark.parametrize("header", ["29", "31", "600"])
def test_a_long_retry_after_goes_to_the_queue(
    endpoint: Endpoint, settings: Settings, header: str
) -> None:
    """Longer than the call has left, or than a worker is to wait along."""
    settings.ARBORIS_LLM_TOTAL_TIMEOUT = 300 if float(header) > 30 else 25
    endpoint.replies(Reply(status=429, headers={"Retry-After": header}))
    with pytest.raises(errors.RateLimited) as failed:
        write()
    assert failed.value.retry_after == float(header)
    assert len(endpoint.requests) == 1


def test_no_retry_beyond_the_callers_time(endpoint: Endpoint) -> None:
    endpoint.replies(Reply(status=429, headers={"Retry-After": "20"}))
    with pytest.raises(errors.RateLimited):
        ask(ends=time.monotonic() + 15)
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("status", [401, 402, 404])
def test_a_lasting_refusal_is_not_retried(endpoint: Endpoint, status: int) -> None:
    endpoint.replies(Reply(status=status))
    with pytest.raises(errors.LLMError) as failed:
        ask()
    assert not failed.value.passes_soon
    assert len(endpoint.requests) == 1


def test_a_begun_answer_is_not_begun_again(endpoint: Endpoint) -> None:
    """Its reader has seen the beginning."""
    broken = {"error": {"message": "m", "code": "overloaded_error"}}
    endpoint.replies(Reply("夜雨", event=broken), Reply("又一夜"))
    with pytest.raises(errors.Overloaded):
        write()
    assert len(endpoint.requests) == 1


def test_a_connection_that_fails_is_made_again(endpoint: Endpoint, settings: Settings) -> None:
    settings.ARBORIS_LLM_BASE_URL = "http://127.0.0.1:1/v1"
    settings.ARBORIS_LLM_RETRIES = 4
    error = errors.Unreachable("so")
    assert client.wait_before_retry(error, 4, left=10) is not None
    assert client.wait_before_retry(error, 5, left=10) is None
    with pytest.raises(errors.Unreachable):
        write()


def test_pauses_differ_and_grow() -> None:
    def drawn(tries: int) -> list[float]:
        found = [
            client.wait_before_retry(errors.Overloaded("so"), tries, left=100) for _ in range(200)
        ]
        return [pause for pause in found if pause is not None]

    first, second = drawn(1), drawn(2)
    assert len(set(first)) > 100
    assert max(first) <= client.BASE_SECONDS < max(second) <= 2 * client.BASE_SECONDS


def test_the_first_piece_has_a_time_of_its_own(endpoint: Endpoint, settings: Settings) -> None:
    settings.ARBORIS_LLM_TIMEOUT = 0.1
    settings.ARBORIS_LLM_FIRST_TOKEN_TIMEOUT = PATIENCE_SECONDS
    endpoint.replies(Reply(raw=at_once("夜雨"), wait=0.3))
    assert write() == "夜雨"
    settings.ARBORIS_LLM_TIMEOUT = PATIENCE_SECONDS
    settings.ARBORIS_LLM_FIRST_TOKEN_TIMEOUT = 0.1
    with pytest.raises(errors.TimedOut):
        write()


# --- the answer's tokens ----------------------------------------------------------------------


def limits_of(endpoint: Endpoint) -> list[dict[str, int]]:
    names = ("max_tokens", "max_completion_tokens")
    return [{name: body[name] for name in names if name in body} for body in endpoint.requests]


def test_tokens_are_left_to_the_endpoint_by_default(endpoint: Endpoint) -> None:
    endpoint.replies(Reply("夜雨"))
    write()
    assert limits_of(endpoint) == [{}]


def refusing(*names: str) -> Any:
    def answer(body: dict[str, Any]) -> Reply:
        for name in names:
            if name in body:
                text = f"Unsupported parameter: '{name}' is not supported with this model."
                return Reply(status=400, error={"message": text, "param": name})
        return Reply("夜雨")

    return answer


def test_the_limit_has_the_name_that_is_accepted(endpoint: Endpoint, settings: Settings) -> None:
    settings.ARBORIS_LLM_MAX_TOKENS = 77
    endpoint.answer = refusing("max_tokens")
    assert [write(), write()] == ["夜雨", "夜雨"]
    assert limits_of(endpoint) == [{"max_tokens": 77}, *[{"max_completion_tokens": 77}] * 2]


def test_no_limit_where_neither_name_is_accepted(endpoint: Endpoint, settings: Settings) -> None:
    settings.ARBORIS_LLM_MAX_TOKENS = 77
    endpoint.answer = refusing("max_tokens", "max_completion_tokens")
    assert [write(), write()] == ["夜雨", "夜雨"]
    assert limits_of(endpoint) == [{"max_tokens": 77}, {"max_completion_tokens": 77}, {}, {}]


def test_a_refusal_without_reason_drops_the_extras(endpoint: Endpoint, settings: Settings) -> None:
    settings.ARBORIS_LLM_MAX_TOKENS = 77

    def answer(body: dict[str, Any]) -> Reply:
        plain = "max_tokens" not in body and "stream_options" not in body
        return Reply("夜雨") if plain else Reply(status=422, error={"message": "extra field"})

    endpoint.answer = answer
    assert [write(), write(), write()] == ["夜雨"] * 3
    # Three for the first, of which only the last guess is proven; then each guess is.
    assert len(endpoint.requests) == 6


# --- what an answer may be --------------------------------------------------------------------


def test_a_huge_answer_is_cut_off(endpoint: Endpoint) -> None:
    sent = 0

    def answer(body: dict[str, Any]) -> Reply:
        nonlocal sent
        sent += 1
        return Reply(raw=b": " + b"x" * 100 * 1024 * 1024 + b"\n\n")

    endpoint.answer = answer
    with pytest.raises(errors.TooLarge):
        write()
    assert sent == 1
    assert endpoint.hung_up.wait(PATIENCE_SECONDS)


def test_a_redirect_is_not_followed(endpoint: Endpoint) -> None:
    seen: list[str] = []

    def answer(body: dict[str, Any]) -> Reply:
        seen.append("asked")
        return Reply(status=307, headers={"Location": f"{endpoint.base_url}/elsewhere"})

    endpoint.answer = answer
    with pytest.raises(errors.RequestRefused):
        ask()
    assert seen == ["asked"]
