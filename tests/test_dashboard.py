"""Grafana's dashboard: each query runs in a real Prometheus, which scrapes a real web process, and
gives what SQL gives.

Levels are equal. Of rates, whose size depends on when Prometheus looked, the shares are: all
counters are looked at in the same moments.
"""

from __future__ import annotations

import bisect
import contextlib
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx2
import pytest
from pytest_django import DjangoDbBlocker

from analysis.models import StatusTally
from arboris.llm.models import CallCounter
from tests import live, servers
from tests.checkout import ROOT
from tests.waiting import PATIENCE_SECONDS, wait_for

pytestmark = [pytest.mark.process, pytest.mark.slow]
DASHBOARD = ROOT / "deploy" / "grafana" / "arboris.json"
Rows = dict[str, float]
Tables = dict[str, Rows]
SCRAPES = 5


class Told:
    """What SQL said before and after, and the moment of the scrape that is compared with it: a
    later one may fail on a slow machine."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.before: Tables = document["before"]
        self.now: Tables = document["now"]
        self.done: float = document["done"]
        self.scraped = math.nan

    def grown(self, name: str, *keys: str) -> Rows:
        """By how much each row has grown; of ``keys`` alone, where some are given."""
        rows = {k: v - self.before[name].get(k, 0) for k, v in self.now[name].items()}
        return {key: rows.get(key, 0) for key in keys} if keys else rows

    def new_runs(self) -> list[float]:
        old = self.before["runs"]
        return [seconds for pk, seconds in self.now["runs"].items() if pk not in old]


@pytest.fixture(scope="module")
def prometheus(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[tuple[str, Told]]:
    """Its address, once it has seen both parts of the work, and what SQL says of them."""
    place = tmp_path_factory.mktemp("dashboard")
    with live.running(place, {"ARBORIS_LLM_CURRENCY": "CNY"}, workers=False) as site:
        filler = subprocess.Popen(
            [sys.executable, "-m", "tests.dashboard_rows"],
            cwd=ROOT,
            env=site.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with filler, contextlib.ExitStack() as opened:
            assert filler.stdin is not None and filler.stdout is not None
            assert filler.stdout.readline() == "ready\n"
            # Not before: a scrape in the first part of the work would see only some of it.
            address = opened.enter_context(servers.prometheus(f"127.0.0.1:{site.port}"))
            scraped_after(address, time.time())
            filler.stdin.write("go on\n")
            filler.stdin.flush()
            told = Told(json.loads(filler.stdout.readline()))
            told.scraped = often_scraped_after(address, told.done)
            yield address, told


def scraped_after(address: str, moment: float) -> float:
    """Wait for a whole scrape that began later; returns when it did."""

    def seen() -> float:
        found = asked(address, "max(timestamp(pending_analysis_due))", time.time())
        return max((value for value in found.values() if value > moment), default=0)

    return wait_for(seen, "Prometheus has looked")


def often_scraped_after(address: str, moment: float) -> float:
    """As ``scraped_after``, with SCRAPES in all: of few samples a rate takes it that the counter
    began at 0 just before the first of them, each counter at another time."""

    def seen() -> float:
        when = scraped_after(address, moment)
        (number,) = asked(address, "max(count_over_time(pending_analysis_due[1h]))", when).values()
        return when if number >= SCRAPES else 0

    return wait_for(seen, f"Prometheus has looked {SCRAPES} times")


def asked(address: str, query: str, at: float) -> dict[tuple[str, ...], float]:
    """The values of an instant query, by their labels' values in the order of the labels' names."""
    answer = httpx2.get(
        f"{address}/api/v1/query",
        params={"query": query, "time": f"{at:.3f}"},
        timeout=PATIENCE_SECONDS,
        trust_env=False,
    )
    assert answer.status_code == 200, f"{query}: {answer.text}"
    rows = answer.json()["data"]["result"]
    return {
        tuple(value for _, value in sorted(row["metric"].items())): float(row["value"][1])
        for row in rows
    }


Check = Callable[[dict[tuple[str, ...], float], Told], None]


def level(rows: Callable[[Told], Mapping[tuple[str, ...], float]]) -> Check:
    """It is exactly that."""

    def check(found: dict[tuple[str, ...], float], told: Told) -> None:
        assert found == rows(told)

    return check


def one(table: str, key: str) -> Check:
    return level(lambda told: {(): told.now[table].get(key, 0)})


def shares(rows: Callable[[Told], Mapping[tuple[str, ...], float]]) -> Check:
    """The values are to each other as those."""

    def check(found: dict[tuple[str, ...], float], told: Told) -> None:
        expected = {key: value for key, value in rows(told).items() if value}
        found = {key: value for key, value in found.items() if value}
        assert found.keys() == expected.keys()
        for key, value in found.items():
            share = value / sum(found.values())
            assert share == pytest.approx(expected[key] / sum(expected.values())), key

    return check


def grown(number: Callable[[Told], float]) -> Check:
    """So much, and what Prometheus adds for the time before the first and after the last look."""

    def check(found: dict[tuple[str, ...], float], told: Told) -> None:
        (value,) = found.values()
        assert number(told) <= value + 1e-9 and value <= 3 * number(told)

    return check


def since(moment: Callable[[Told], float]) -> Check:
    """How long ago that was when Prometheus looked last: after all was done."""

    def check(found: dict[tuple[str, ...], float], told: Told) -> None:
        assert found
        for value in found.values():
            assert told.done - moment(told) - 1 <= value <= told.scraped - moment(told) + 1

    return check


def quantile(
    part: float, bounds: tuple[float, ...], values: Callable[[Told, tuple[str, ...]], list[float]]
) -> Check:
    """It lies in the bucket that SQL's quantile lies in."""

    def check(found: dict[tuple[str, ...], float], told: Told) -> None:
        assert found
        for key, value in found.items():
            ordered = sorted(values(told, key))
            true = ordered[math.ceil(part * len(ordered)) - 1]
            place = bisect.bisect_left(bounds, true)
            low = bounds[place - 1] if place else 0
            assert low <= value <= bounds[place], (key, value, true)

    return check


def runs(told: Told, key: tuple[str, ...]) -> list[float]:
    return told.new_runs()


def latencies(told: Told, key: tuple[str, ...]) -> list[float]:
    """As the rows say, all calls of a model took equally long."""
    return [{"small": 0.7, "large": 14.0}[key[1]]]


def ends(told: Told) -> dict[tuple[str, ...], float]:
    grown_rows = told.grown("status", "completed", "failed", "cancelled")
    return {(status,): number for status, number in grown_rows.items()}


def success(found: dict[tuple[str, ...], float], told: Told) -> None:
    completed, failed = told.grown("status", "completed", "failed").values()
    assert list(found.values()) == [pytest.approx(completed / (completed + failed))]


def calls(told: Told) -> dict[tuple[str, ...], float]:
    """By endpoint and model."""
    sums: dict[tuple[str, ...], float] = {}
    for key, number in told.grown("calls").items():
        model = tuple(key.split("/")[:2])
        sums[model] = sums.get(model, 0) + number
    return sums


def errors(told: Told) -> dict[tuple[str, ...], float]:
    rows = told.grown("calls").items()
    return {tuple(key.split("/")): n for key, n in rows if not key.endswith(("/ok", "/cancelled"))}


def tokens(told: Told) -> dict[tuple[str, ...], float]:
    return {
        (kind, model): number
        for kind in ("prompt", "completion")
        for model, number in told.grown(kind).items()
    }


def split(table: str) -> Callable[[Told], dict[tuple[str, ...], float]]:
    return lambda told: {tuple(key.split("/")): n for key, n in told.now[table].items()}


def states(told: Told) -> dict[tuple[str, ...], float]:
    busy = told.now["busy"]["busy"]
    return {("busy",): busy, ("idle",): len(told.now["workers"]) - busy}


# Of each panel, what each of its queries has to give.
EXPECTED: dict[str, list[Check]] = {
    "Pending": [one("status", "pending")],
    "Due": [one("due", "due")],
    "Processing": [one("status", "processing")],
    "Oldest due": [since(lambda told: told.now["oldest"]["oldest"])],
    "Workers": [level(lambda told: {(): len(told.now["workers"])})],
    "Workers busy": [one("busy", "busy")],
    "Paused": [level(lambda told: {(): sum(told.now["pauses"].values())})],
    "Database up": [level(lambda told: {(): 1})],
    "Waiting and running": [
        level(lambda told: {(s,): told.now["status"][s] for s in ("pending", "processing")}),
        one("due", "due"),
    ],
    "Ended a minute": [shares(ends)],
    "Success rate": [success],
    "Failures by code": [
        shares(lambda told: {(code,): n for code, n in told.grown("errors").items()})
    ],
    "Run time": [quantile(part, StatusTally.BOUNDS, runs) for part in (0.5, 0.95)],
    "Claims, retries, rescues": [
        grown(lambda told: told.grown("attempts")["claims"]),
        grown(lambda told: 0),
        grown(lambda told: 0),
    ],
    "Calls to language models": [shares(calls)],
    "Errors of language models": [shares(errors)],
    "Latency of language models": [
        quantile(part, CallCounter.BOUNDS, latencies) for part in (0.5, 0.95)
    ],
    "Tokens a second": [shares(tokens)],
    "Cost": [shares(lambda told: {("CNY", model): n for model, n in told.grown("cost").items()})],
    "Budgets used up": [
        level(lambda told: {("project",): 0, ("writer",): told.now["budgets"]["writer"]}),
        one("parked", "parked"),
    ],
    "Endpoints that refuse us": [level(split("endpoints"))],
    "Workers by state": [level(states)],
    "Since workers were seen": [since(lambda told: told.done)],
    "Open sockets": [level(lambda told: {(): 0})],
}


@pytest.mark.sqlite_only
def test_each_query_gives_what_sql_gives(prometheus: tuple[str, Told]) -> None:
    address, told = prometheus
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    assert {panel["title"] for panel in panels} == EXPECTED.keys()
    for panel in panels:
        checks = EXPECTED[panel["title"]]
        for target, check in zip(panel["targets"], checks, strict=True):
            query = target["expr"].replace("$__rate_interval", "1h")
            found = asked(address, query, told.scraped)
            try:
                check(found, told)
            except AssertionError as error:
                raise AssertionError(f"{panel['title']}: {query}: {found}") from error


def test_the_dashboard_names_no_source_of_its_own() -> None:
    """Whoever imports it chooses the Prometheus."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    sources = {target["datasource"]["uid"] for panel in panels for target in panel["targets"]}
    assert sources == {"${datasource}"}
