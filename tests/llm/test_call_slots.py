"""Processes that live and die never make more calls at a time than the endpoint may have."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from pytest_django import Settings

from arboris.db import db_now
from arboris.llm import client, errors
from arboris.llm.accounting import call_slots
from arboris.llm.models import CallSlot, ModelCall
from tests.llm import caller
from tests.llm.endpoint import Endpoint, Reply
from tests.queue.threads import side_by_side
from tests.waiting import PATIENCE_SECONDS, wait_for

pytestmark = [pytest.mark.databases, pytest.mark.django_db(transaction=True)]
LEASE = 3.0
HOST = "model.example:443"
QUESTION: list[client.Message] = [{"role": "user", "content": "Go on."}]


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_slots, "LEASE_SECONDS", LEASE)


def write() -> str:
    async def work() -> str:
        return "".join([piece async for piece in client.stream(QUESTION)])

    return asyncio.run(work())


def held() -> int:
    return CallSlot.objects.filter(expires_at__gte=db_now()).count()


@pytest.mark.process
def test_processes_share_the_limit(endpoint: Endpoint) -> None:
    endpoint.replies(Reply("夜雨", wait=0.05, beside=3))
    most = {"ARBORIS_LLM_MAX_CALLS": 3}
    processes = [caller.start(endpoint.base_url, 5, PATIENCE_SECONDS, **most) for _ in range(3)]
    found = [text for process in processes for text in caller.outcomes(process)]
    assert found == ["夜雨"] * 15
    assert endpoint.most_calls == 3
    assert len(endpoint.requests) == ModelCall.objects.count() == 15
    assert held() == 0
    assert CallSlot.objects.count() == 3


def test_no_limit_no_slots(endpoint: Endpoint) -> None:
    endpoint.replies(Reply("夜雨"))
    assert write() == "夜雨"
    assert not CallSlot.objects.exists()


@pytest.mark.process
@pytest.mark.usefixtures("short_lease")
def test_a_killed_process_frees_its_slot(endpoint: Endpoint, settings: Settings) -> None:
    settings.ARBORIS_LLM_MAX_CALLS = 1
    endpoint.replies(Reply("夜", hold=True), Reply("雨"))
    process = caller.start(endpoint.base_url, 1, LEASE, ARBORIS_LLM_MAX_CALLS=1)
    endpoint.wait_for_calls(1)
    process.kill()
    process.communicate()
    slot = CallSlot.objects.get()
    assert slot.holder  # nobody has freed it
    assert write() == "雨"
    assert db_now() > slot.expires_at
    assert held() == 0


def test_no_free_slot_in_time_is_busy(endpoint: Endpoint, settings: Settings) -> None:
    settings.ARBORIS_LLM_MAX_CALLS = 1
    settings.ARBORIS_LLM_TOTAL_TIMEOUT = 0.5
    host = endpoint.base_url.removeprefix("http://").removesuffix("/v1")
    assert call_slots.take(host, "another", 1)
    with pytest.raises(errors.Busy):
        write()
    assert not endpoint.requests
    assert not ModelCall.objects.exists()


@pytest.mark.slow
@pytest.mark.usefixtures("short_lease")
def test_a_long_call_keeps_its_slot(endpoint: Endpoint, settings: Settings) -> None:
    settings.ARBORIS_LLM_MAX_CALLS = 1
    endpoint.replies(Reply("夜", hold=True))
    results: list[str] = []

    def call() -> None:
        try:
            write()
        except errors.LLMError as error:
            results.append(error.code)

    thread = threading.Thread(target=call)
    thread.start()
    endpoint.wait_for_calls(1)
    first = CallSlot.objects.get().expires_at
    wait_for(lambda: db_now() > first and held() == 1, "the lease outlasts the first one")
    # Where it is another's all the same, the call is given up.
    CallSlot.objects.update(holder="another")
    thread.join(PATIENCE_SECONDS)
    assert results == ["llm_busy"]
    assert ModelCall.objects.get().outcome == "llm_busy"
    assert CallSlot.objects.get().holder == "another"


def test_a_cancelled_wait_holds_no_slot(endpoint: Endpoint, settings: Settings) -> None:
    settings.ARBORIS_LLM_MAX_CALLS = 1

    async def work() -> None:
        async def call() -> Any:
            return [piece async for piece in client.stream(QUESTION)]

        endpoint.replies(Reply("夜", hold=True))
        tasks = [asyncio.create_task(call()) for _ in range(5)]
        await asyncio.to_thread(endpoint.wait_for_calls, 1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(work())
    endpoint.replies(Reply("雨"))
    assert write() == "雨"
    assert held() == 0
    assert len(endpoint.requests) == 2


@pytest.mark.postgresql
def test_threads_never_share_a_slot() -> None:
    """As many as there are, and not one more; a slot that is freed is taken again."""

    def take(number: int) -> int | None:
        return call_slots.take(HOST, f"holder{number}", 4)

    found = side_by_side(*[lambda n=n: take(n) for n in range(8)])
    taken = [slot for slot in found if slot is not None]
    assert len(taken) == len(set(taken)) == held() <= 4
    winner = found.index(taken[0])
    call_slots.free(HOST, f"holder{winner}")
    assert not call_slots.renew(taken[0], f"holder{winner}")
    assert held() == len(taken) - 1
    assert take(99) is not None


def test_endpoints_have_their_own_slots() -> None:
    assert call_slots.take(HOST, "a", 1)
    assert call_slots.take(HOST, "b", 1) is None
    assert call_slots.take("another:443", "b", 1)


def test_a_lower_limit_holds_at_once() -> None:
    assert all(call_slots.take(HOST, f"h{number}", 3) for number in range(3))
    for number in range(3):
        call_slots.free(HOST, f"h{number}")
    assert call_slots.take(HOST, "a", 1)
    assert call_slots.take(HOST, "b", 1) is None
