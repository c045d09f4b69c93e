"""Which model does what, and who takes its place where it cannot be asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel
from pytest_django import Settings

from arboris.llm import client, errors, structured
from arboris.llm.accounting.admission import Payer, Usage
from arboris.llm.client import Call, Message
from arboris.llm.endpoints import Endpoint as Named
from arboris.llm.models import ModelCall
from arboris.llm.routes import Entry, Target
from tests.llm.endpoint import Endpoint, Reply, serving

QUESTION: list[Message] = [{"role": "user", "content": "Who?"}]
GO_ON = Payer("generation")
SECOND_KEY = "sk-of-the-second-one"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite_only]


class People(BaseModel):
    names: list[str]


@pytest.fixture
def second(settings: Settings, endpoint: Endpoint) -> Iterator[Endpoint]:
    """Another endpoint, which the settings call "big"."""
    with serving() as server:
        settings.ARBORIS_LLM_ENDPOINTS = {
            "big": Named("big", "big-model", server.base_url, SECOND_KEY)
        }
        server.answer = lambda body: Reply('{"names": ["Ann"]}')
        yield server


def ask(purpose: str = "foreshadowing", **more: Any) -> list[str]:
    async def work() -> list[str]:
        async with client.connect() as connection:
            call = Call(QUESTION, payer=Payer(purpose), **more)
            return (await structured.ask(connection, call, People, Usage())).value.names

    return asyncio.run(work())


def write(**more: Any) -> str:
    async def work() -> str:
        return "".join([piece async for piece in client.stream(QUESTION, payer=GO_ON, **more)])

    return asyncio.run(work())


def rows() -> list[tuple[str, str, str, str]]:
    columns = ("endpoint", "model", "instead_of", "outcome")
    return list(ModelCall.objects.order_by("pk").values_list(*columns))


def test_each_purpose_goes_its_way(
    settings: Settings, endpoint: Endpoint, second: Endpoint
) -> None:
    endpoint.answer = second.answer
    settings.ARBORIS_LLM_EFFORT = {"world_expansion": "low"}
    settings.ARBORIS_LLM_ROUTES = {
        "*": Entry(temperature=0.3),
        "analysis": Entry(endpoint="big", effort="high"),
        "foreshadowing": Entry(model="big-and-slow", temperature=0.0),
        "summary": Entry(model="small-one"),
    }
    for purpose in ("foreshadowing", "world_expansion", "summary", "generation"):
        ask(purpose)
    wished = [
        (body["model"], body.get("reasoning_effort"), body["temperature"])
        for body in (*second.requests, *endpoint.requests)
    ]
    assert wished == [
        ("big-and-slow", "high", 0.0),
        ("big-model", "high", 0.3),
        ("small-one", None, 0.3),
        ("test-model", None, 0.3),
    ]
    assert [row[:2] for row in rows()[:2]] == [("big", "big-and-slow"), ("big", "big-model")]


@pytest.mark.parametrize(
    ("status", "words", "code"),
    [
        (401, "invalid api key", "llm_key_refused"),
        (402, "insufficient balance", "llm_no_credit"),
        (404, "the model does not exist", "llm_model_unknown"),
        (429, "too many requests", "llm_rate_limited"),
        (503, "overloaded", "llm_overloaded"),
    ],
)
def test_what_cannot_be_asked_is_done_elsewhere(
    settings: Settings, endpoint: Endpoint, second: Endpoint, status: int, words: str, code: str
) -> None:
    settings.ARBORIS_LLM_ROUTES = {"*": Entry(fallback=Target("big"))}
    endpoint.answer = lambda body: Reply(status=status, error={"message": words})
    assert ask() == ["Ann"]
    assert write() == '{"names": ["Ann"]}'
    host = endpoint.base_url.removeprefix("http://").removesuffix("/v1")
    asked = rows()
    assert (host, "test-model", "", code) == asked[0]
    answered = [row for row in asked if row[3] == "ok"]
    assert answered == [("big", "big-model", "default", "ok")] * 2
    # One that refuses us or does not answer is left alone for a while; a busy one is not.
    assert len(endpoint.requests) == (2 if status == 429 else 1)


def test_where_all_fail_the_sites_own_error_counts(
    settings: Settings, endpoint: Endpoint, second: Endpoint
) -> None:
    settings.ARBORIS_LLM_ROUTES = {"*": Entry(fallback=Target("big", "other"))}
    endpoint.answer = lambda body: Reply(status=503, error={"message": "overloaded"})
    second.answer = lambda body: Reply(status=401, error={"message": SECOND_KEY})
    for number in (1, 2):  # also when the first one has been left alone meanwhile
        with pytest.raises(errors.Overloaded):
            ask()
        assert (len(endpoint.requests), len(second.requests)) == (number, number)
    assert SECOND_KEY not in str(ModelCall.objects.values_list())


def test_what_another_one_cannot_mend_is_not_sent_to_it(
    settings: Settings, endpoint: Endpoint, second: Endpoint
) -> None:
    settings.ARBORIS_LLM_ROUTES = {"*": Entry(fallback=Target("big"))}
    endpoint.answer = lambda body: Reply("no JSON")
    with pytest.raises(errors.BadAnswer):
        ask()
    endpoint.answer = lambda body: Reply("Once", event={"error": {"message": "overloaded"}})
    with pytest.raises(errors.Overloaded):  # a text that has begun is not begun again
        write()
    assert second.requests == []


def test_a_target_takes_its_share_of_a_short_time(
    settings: Settings, endpoint: Endpoint, second: Endpoint
) -> None:
    """Where the caller waits no longer than that, the second one has time left to answer."""
    settings.ARBORIS_LLM_ROUTES = {"*": Entry(fallback=Target("big"))}
    endpoint.answer = lambda body: Reply(hold=True)

    async def work() -> list[str]:
        ends = asyncio.get_running_loop().time() + 3
        async with client.connect() as connection:
            call = Call(QUESTION, payer=Payer("summary"), ends=ends)
            return (await structured.ask(connection, call, People, Usage())).value.names

    assert asyncio.run(work()) == ["Ann"]
    assert [row[3] for row in rows()] == ["llm_timeout", "ok"]


def test_an_endpoint_that_is_gone_is_done_without(
    settings: Settings, endpoint: Endpoint, second: Endpoint
) -> None:
    settings.ARBORIS_LLM_ROUTES = {
        "summary": Entry(endpoint="gone", fallback=Target("big")),
        "foreshadowing": Entry(endpoint="gone"),
    }
    assert ask("summary") == ["Ann"]
    with pytest.raises(errors.NotConfigured, match="'gone'"):
        ask("foreshadowing")
    assert rows() == [("big", "big-model", "gone", "ok")]
