"""With 30,000 tasks waiting and 300,000 ended, what the queue does stays a look into an index."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoDbBlocker, Settings

from analysis import queue
from analysis.metrics import QueueCollector
from analysis.models import PendingAnalysis, Status
from analysis.overview import figures, paused, samples
from analysis.queue import PauseTarget
from analysis.queue.fairness import last_in_line
from arboris.db import db_now
from tests.factories import JsonClient, claim_next, client_of, finish_and_claim
from tests.queue import scale

FEW = 400  # rows and index entries, whatever the size of the tables
SORTS = ("B-TREE FOR ORDER BY", "PART OF ORDER BY", "filesort", "Sort Key: t.")
WHOLE = ("SCAN t", "'t', 'ALL'", "Seq Scan on pending_analysis")


@pytest.fixture(scope="module")
def full(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        try:
            scale.fill()
            yield
        finally:
            scale.empty()


# Filling takes 12 s, and several times that beside other work on a slow disk.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db,
    pytest.mark.usefixtures("full"),
]


@pytest.fixture
def busy() -> User:
    """The writer with a tenth of all tasks."""
    return User.objects.get(username="scale0")


@pytest.fixture
def other() -> User:
    return User.objects.get(username="scale37")


def limited(settings: Settings) -> None:
    settings.ARBORIS_MAX_PER_PROJECT, settings.ARBORIS_MAX_PER_ENDPOINT = 50, 200


@pytest.mark.parametrize(
    ("fairness", "index", "limits"),
    [
        ("age", "idx_pending_analysis_status_priority", False),
        ("age", "idx_pending_analysis_status_priority", True),
        ("writer", "pending_analysis_turns", False),
        ("writer", "pending_analysis_turns", True),
    ],
)
def test_a_claim_reads_its_index_in_order(
    settings: Settings, fairness: str, index: str, limits: bool
) -> None:
    settings.ARBORIS_FAIRNESS = fairness
    if limits:
        limited(settings)
    claim_next()
    with scale.costs() as cost:
        claim_next()
    assert cost.rows < FEW
    (looking,) = [sql for sql in cost.statements if "SELECT" in sql and "ORDER BY" in sql]
    steps = scale.plan(looking)
    assert index in steps
    assert not [sign for sign in (*SORTS, *WHOLE) if sign in steps]


@pytest.mark.parametrize("fairness", ["age", "writer"])
def test_an_end_with_the_next_claim_costs_as_little(settings: Settings, fairness: str) -> None:
    settings.ARBORIS_FAIRNESS = fairness
    limited(settings)
    claim = claim_next()
    with scale.costs() as cost:
        assert finish_and_claim(claim)
    assert cost.rows < FEW


@pytest.mark.parametrize("fairness", ["age", "writer"])
def test_a_paused_writer_costs_only_what_is_passed_over(
    settings: Settings, fairness: str, other: User
) -> None:
    settings.ARBORIS_FAIRNESS = fairness
    waiting = PendingAnalysis.objects.filter(status=Status.PENDING, user=other).count()
    queue.pause("so", PauseTarget(user_id=other.pk))
    with scale.costs() as cost:
        assert claim_next().user_id != other.pk
    assert cost.rows < FEW + 3 * waiting


def rescue(busy: User) -> None:
    assert queue.rescue() == 0


def last_turn(busy: User) -> None:
    assert last_in_line(busy.pk, 5) > 0


def supersede(busy: User) -> None:
    queue.supersede(10**9)  # a chapter without a task


def reorder(busy: User) -> None:
    queue.set_priority(a_pending_one(), 8)


def cancel(busy: User) -> None:
    queue.cancel(a_pending_one())


def a_pending_one() -> int:
    return scale.ENDED + scale.PROCESSING + scale.PENDING // 2


def running(busy: User) -> None:
    assert queue.running(PauseTarget(user_id=busy.pk)) <= scale.PROCESSING


def strays(busy: User) -> None:
    assert queue.release_leases_of("nobody") == 0


def latest_of_a_chapter(busy: User) -> None:
    chapter_id = PendingAnalysis.objects.values_list("chapter_id", flat=True).get(pk=1)
    newest = PendingAnalysis.objects.filter(chapter_id=chapter_id).order_by("-pk").first()
    assert newest is not None


@pytest.mark.parametrize(
    "work",
    [rescue, last_turn, supersede, reorder, cancel, running, strays, latest_of_a_chapter],
    ids=lambda work: work.__name__,
)
def test_what_the_queue_does_all_the_time_touches_few_rows(
    busy: User, work: Callable[[User], None]
) -> None:
    with scale.costs() as cost:
        work(busy)
    assert cost.rows < FEW


def test_a_batch_of_the_daily_deletion_touches_little_more_than_itself() -> None:
    before, batch = db_now() - timedelta(days=30), 500
    with scale.costs() as cost:
        deleted = queue.prune(
            [Status.COMPLETED, Status.CANCELLED], before, progress=lambda _: None, limit=batch
        )
    assert deleted == batch
    # Each is looked for, looked at again, and deleted, with what points to it.
    assert cost.rows < 20 * batch


def test_the_metrics_count_what_lives_and_nothing_else() -> None:
    with scale.costs() as cost:
        list(QueueCollector().collect())
    # Once for their number, once for the oldest that may begin.
    assert cost.rows < 2 * (scale.PENDING + scale.PROCESSING) + FEW


def test_the_overview_reads_no_more_than_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the counts stop, the reading stops; and within them each entry is read a few times."""
    for module in ("figures", "samples"):
        monkeypatch.setattr(f"analysis.overview.{module}.MOST", 2_000)
    monkeypatch.setattr("analysis.overview.figures.DUE_AMONG", 1_000)
    monkeypatch.setitem(figures.WINDOWS, "7d", timedelta(days=90))  # as old as the rows are
    figures.look("7d")
    with scale.costs() as cost:
        seen = figures.look("7d")
    assert (seen.pending, seen.ended["7d"]["completed"], seen.due) == (2_001, 2_001, 1_001)
    counted = 3 * 2_001 + 3 * 2_001 + 1_001 + figures.RUNS
    assert cost.rows < 4 * counted + 20 * figures.OLDEST_AMONG + FEW
    with scale.costs() as cost:
        assert samples.look(db_now()).pending == 2_001
    assert cost.rows < 4 * 2_001 + FEW
    with scale.costs() as cost:
        assert paused.holds() == []
    assert cost.rows < 60


@pytest.fixture
def api(busy: User) -> JsonClient:
    return client_of(busy)


@pytest.mark.parametrize("path", ["tasks", "tasks?status=pending", "tasks?limit=100"])
def test_lists_read_what_they_show(api: JsonClient, path: str) -> None:
    api.get(f"/api/async-analysis/{path}")
    with scale.costs() as cost:
        assert api.get(f"/api/async-analysis/{path}").status_code == 200
    assert cost.rows < 3 * FEW  # up to 100 tasks, each with its chapter, version and attempts


def test_the_writers_own_tasks_are_counted_and_no_others(other: User) -> None:
    client = client_of(other)
    mine = PendingAnalysis.objects.filter(user=other).count()
    with scale.costs() as cost:
        assert client.get("/api/async-analysis/status").json()["total"] == mine
    assert cost.rows < 3 * mine + FEW


def test_a_full_queue_is_claimed_in_order() -> None:
    rows = PendingAnalysis.objects.filter(status=Status.PENDING)
    head = rows.order_by("-priority", "created_at", "id").values_list("pk", flat=True)
    expected = list(itertools.islice(head[:10], 10))
    assert [claim_next().task_id for _ in range(10)] == expected
