"""Every request leaves one row, however it ends; counters outlive the rows."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pydantic import BaseModel
from pytest_django import Settings

from arboris.llm import chunks, client, errors, structured
from arboris.llm.accounting import admission, budget, call_counters, call_log, prices
from arboris.llm.accounting.admission import Payer, RequestRecord, Usage
from arboris.llm.accounting.budget import Subject
from arboris.llm.client import Call
from arboris.llm.models import ModelCall, SpendCounter
from tests import failures
from tests.llm.endpoint import KEY, Endpoint, Reply
from tests.waiting import PATIENCE_SECONDS, wait_for

pytestmark = [pytest.mark.databases, pytest.mark.django_db(transaction=True)]
QUESTION: list[client.Message] = [{"role": "user", "content": "Who is there?"}]
PROJECT = uuid.uuid4()
PAYER = Payer("summary", project_id=PROJECT, user_id=7, task_id=11, attempt=2)
RIGHT = json.dumps({"people": ["沈砚秋"]})


class People(BaseModel):
    people: list[str]


@pytest.fixture(autouse=True)
def priced(endpoint: Endpoint, settings: Settings) -> None:
    table = '{"test-model": {"prompt": 2, "completion": 10}}'
    settings.ARBORIS_LLM_PRICES = prices.table("ARBORIS_LLM_PRICES", table)


def ask(**wishes: Any) -> None:
    async def work() -> None:
        async with client.connect() as connection:
            call = Call(QUESTION, payer=PAYER, **wishes)
            await structured.ask(connection, call, People, Usage())

    asyncio.run(work())


def write(payer: Payer | None = PAYER) -> str:
    async def work() -> str:
        found = client.stream(QUESTION, payer=payer)
        return "".join([piece async for piece in found])

    return asyncio.run(work())


def rows() -> list[ModelCall]:
    return list(ModelCall.objects.order_by("pk"))


def told() -> list[tuple[str, int, int, int]]:
    return [(r.outcome, r.prompt_tokens, r.completion_tokens, r.estimated_tokens) for r in rows()]


def test_a_row_says_who_what_and_how_much(endpoint: Endpoint) -> None:
    before, began = datetime.now(UTC), time.monotonic()
    endpoint.replies(Reply(RIGHT, usage=(1000, 50), wait=0.05))
    ask()
    (row,) = rows()
    assert f"http://{row.endpoint}/v1" == endpoint.base_url
    assert (row.model, row.purpose, row.outcome) == ("test-model", "summary", "ok")
    assert (row.project_id, row.user_id, row.task_id, row.attempt) == (PROJECT, 7, 11, 2)
    assert (row.prompt_tokens, row.completion_tokens, row.estimated_tokens) == (1000, 50, 0)
    assert row.cost == Decimal("0.0025")
    assert 0.05 <= row.seconds <= time.monotonic() - began
    assert before <= row.created_at <= datetime.now(UTC)


def test_a_stream_is_logged_as_reported(endpoint: Endpoint) -> None:
    endpoint.replies(Reply("夜雨敲窗。", usage=(100, 20)))
    assert write() == "夜雨敲窗。"
    assert told() == [("ok", 100, 20, 0)]
    write(None)
    assert (rows()[1].purpose, rows()[1].project_id) == ("other", None)


def test_the_repair_is_a_row_of_its_own(endpoint: Endpoint) -> None:
    endpoint.replies(Reply("no", usage=(10, 5)), Reply(RIGHT, usage=(30, 7)))
    ask()
    assert told() == [("ok", 10, 5, 0), ("ok", 30, 7, 0)]


def test_every_failed_try_is_a_row(endpoint: Endpoint, settings: Settings) -> None:
    settings.ARBORIS_LLM_RETRIES = 2
    endpoint.replies(
        Reply(status=429, headers={"Retry-After": "0"}),
        Reply(status=503, headers={"Retry-After": "0"}),
        Reply(status=401),
    )
    with pytest.raises(errors.KeyRefused):
        ask()
    assert [row.outcome for row in rows()] == [
        "llm_rate_limited",
        "llm_overloaded",
        "llm_key_refused",
    ]
    assert {row.cost for row in rows()} == {Decimal(0)}
    assert KEY not in str([vars(row) for row in rows()])


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(RIGHT, event={"error": {"message": "m"}}), "llm_server_error"),
        (Reply("x", finish="content_filter"), "llm_filtered"),
        (Reply(RIGHT[:9], hold=True), "llm_timeout"),
    ],
)
def test_a_broken_answer_is_estimated(
    endpoint: Endpoint, settings: Settings, reply: Reply, outcome: str
) -> None:
    settings.ARBORIS_LLM_TIMEOUT = 0.3 if reply.hold else PATIENCE_SECONDS
    settings.ARBORIS_LLM_FIRST_TOKEN_TIMEOUT = PATIENCE_SECONDS
    endpoint.replies(reply)
    with pytest.raises(errors.LLMError):
        ask()
    (row,) = rows()
    assert row.outcome == outcome
    assert row.estimated_tokens == row.prompt_tokens + row.completion_tokens > 0
    assert row.cost


def test_a_call_that_is_cancelled_is_a_row(endpoint: Endpoint) -> None:
    endpoint.replies(Reply(RIGHT[:9], hold=True))

    async def work() -> None:
        asking = asyncio.create_task(asyncio.to_thread(endpoint.wait_for_calls, 1))
        async with client.connect() as connection:
            call = Call(QUESTION, payer=PAYER)
            task = asyncio.create_task(structured.ask(connection, call, People, Usage()))
            await asking
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(work())
    assert [row.outcome for row in rows()] == ["cancelled"]


def test_a_reader_who_leaves_pays(endpoint: Endpoint) -> None:
    endpoint.replies(Reply("夜雨敲窗，" * 50, hold=True))

    async def work() -> None:
        found = client.stream(QUESTION, payer=PAYER)
        assert await anext(found)
        await found.aclose()

    asyncio.run(work())
    (row,) = rows()
    assert (row.outcome, row.estimated_tokens > 20) == ("cancelled", True)


def test_a_model_without_a_price_has_no_cost(endpoint: Endpoint) -> None:
    endpoint.replies(Reply(RIGHT))
    ask(model="another\x00one")
    assert (rows()[0].model, rows()[0].cost) == ("anotherone", None)


def test_absurd_numbers_are_cut_off(endpoint: Endpoint) -> None:
    endpoint.replies(Reply(RIGHT, usage=(10**40, -3)))
    ask()
    assert told() == [("ok", chunks.MOST_TOKENS, 0, 0)]


def test_an_outage_loses_no_row(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    away, write_row = True, call_log.write

    def fail_while_away(row: ModelCall) -> None:
        if away:
            raise failures.read_only()
        write_row(row)

    monkeypatch.setattr(call_log, "write", fail_while_away)
    endpoint.replies(Reply(RIGHT))
    ask()
    ask()
    assert not rows()
    away = False
    wait_for(lambda: len(rows()) == 2, "what was not written is written later")


def test_a_row_is_written_once_however_often(endpoint: Endpoint) -> None:
    row = call_log.row(PAYER, RequestRecord("m", Usage(10, 5), admission.OK, 1.0))
    call_log.write(row)
    call_log.write(row)
    assert len(rows()) == 1
    assert [(s.prompt, s.completion) for s in call_log.counters()] == [(10, 5)]


# --- counters and retention -------------------------------------------------------------------


def metrics(browser: Client, name: str) -> dict[str, float]:
    lines = browser.get("/metrics").content.decode().splitlines()
    found = (line.rsplit(" ", 1) for line in lines if line.startswith(f"{name}{{"))
    return {labels.removeprefix(name): float(value) for labels, value in found}


def test_counters_outlive_the_rows(endpoint: Endpoint, client: Client, settings: Settings) -> None:
    settings.ARBORIS_LLM_CURRENCY = "CNY"
    endpoint.replies(Reply(RIGHT, usage=(1000, 50)))
    ask()
    ask()
    ModelCall.objects.update(created_at=datetime.now(UTC) - timedelta(days=401))
    assert call_log.prune(datetime.now(UTC)) == 2
    assert not rows()
    head = '{feature="summary",kind='
    tokens = metrics(client, "arboris_llm_tokens_total")
    assert tokens == {
        f'{head}"prompt",model="test-model"}}': 2000,
        f'{head}"completion",model="test-model"}}': 100,
        f'{head}"estimated",model="test-model"}}': 0,
    }
    (cost,) = metrics(client, "arboris_llm_cost_total").items()
    assert cost == ('{currency="CNY",feature="summary",model="test-model"}', 0.005)


def test_what_spends_nothing_makes_no_series(endpoint: Endpoint) -> None:
    """Any writer may wish for a model that does not exist."""
    endpoint.replies(Reply(status=404))
    with pytest.raises(errors.ModelUnknown):
        ask(model="no such model")
    assert len(rows()) == 1
    assert not SpendCounter.objects.exists()
    (counted,) = call_counters.totals()
    assert (counted.model, counted.outcome, counted.calls) == ("other", "llm_model_unknown", 1)


def test_old_rows_are_pruned_in_batches(settings: Settings) -> None:
    now = datetime.now(UTC)
    for days in (399, 401, 402, 403):
        row = call_log.row(PAYER, RequestRecord("m", Usage(1, 1), admission.OK, 1.0))
        row.created_at = now - timedelta(days=days)
        call_log.write(row)
    settings.ARBORIS_LLM_KEEP_DAYS = 0
    assert call_log.prune(now) == 0
    settings.ARBORIS_LLM_KEEP_DAYS = 400
    assert [call_log.prune(now, limit=2), call_log.prune(now, limit=2)] == [2, 1]
    (left,) = rows()
    assert now - left.created_at < timedelta(days=400)


@pytest.mark.parametrize("whose", ["project", "writer"])
@pytest.mark.sqlite_only
def test_a_months_sum_is_read_from_one_index(whose: str) -> None:
    """Every call asks for it; a log of 400 days may have millions of rows."""
    subject = Subject(7, PROJECT if whose == "project" else None)
    with CaptureQueriesContext(connection) as asked:
        budget.spent(subject, budget.month_of(datetime.now(UTC)))
    (query,) = asked
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert f"USING COVERING INDEX llm_call_of_{whose}" in plan
