"""Locks that are not to be had, and commits that nobody hears of: done once, and without waiting
for a lease to end."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection, connections, transaction
from django.db.models import Value
from django.db.models.functions import Concat

from analysis import queue, worker
from analysis.models import PendingAnalysis, QueueControl, Status, WorkerHeartbeat
from analysis.queue import due
from analysis.worker.steward import Steward
from arboris import db, outage
from arboris.bible.models import Finding
from arboris.db import db_now, in_transaction, is_away, locked
from arboris.novels.models import NovelProject
from arboris.outage import outlasting
from notifications.models import AnalysisNotification
from tests.factories import make_project, queue_chapter
from tests.proxy import Proxy, between
from tests.queue.threads import side_by_side
from tests.waiting import PATIENCE_SECONDS, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

TALK = "「沈砚秋」说：雨停了再走。「顾长风」说：等不得。" * 12
SHORT = {
    "sqlite": "PRAGMA busy_timeout = 50",
    "mysql": "SET SESSION innodb_lock_wait_timeout = 1",
    "postgresql": "SET lock_timeout = '50ms'",
}


@pytest.fixture
def impatient() -> Iterator[None]:
    """This connection waits for a lock as shortly as the database can."""
    with connection.cursor() as cursor:
        cursor.execute(SHORT[connection.vendor])
    yield
    connection.close()


@contextmanager
def held_until(released: Callable[[], object]) -> Iterator[threading.Event]:
    """Another transaction has the lock under which tasks are claimed (SQLite: under which all is
    written), until ``released`` says so; the event is set when it has let go."""
    has_it, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                locked(QueueControl.objects.filter(pk=1)).get()
                has_it.set()
                wait_for(released, "the lock is let go of")
        finally:
            let_go.set()
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        assert has_it.wait(PATIENCE_SECONDS)
        yield let_go
        holding.result(PATIENCE_SECONDS)


@pytest.mark.server_only
def test_of_two_transactions_that_block_each_other_both_are_done_once(
    project: NovelProject,
) -> None:
    other = make_project(project.owner)
    both_have_one = threading.Barrier(2)
    tries: Counter[str] = Counter()

    def write(mark: str, *order: NovelProject) -> None:
        def work() -> None:
            tries[mark] += 1
            for one in order:
                row = locked(NovelProject.objects.filter(pk=one.pk)).get()
                row.title += mark
                row.save(update_fields=["title"])
                if tries[mark] == 1 and one is order[0]:
                    both_have_one.wait(
                        PATIENCE_SECONDS
                    )  # and now each wants what the other one has

        in_transaction(work)

    side_by_side(lambda: write("甲", project, other), lambda: write("乙", other, project))
    assert sum(tries.values()) >= 3, "there was no deadlock"
    for row in NovelProject.objects.all():
        assert (row.title.count("甲"), row.title.count("乙")) == (1, 1)


@pytest.mark.server_only
def test_a_sweep_that_meets_a_deadlock_does_its_step_again(
    project: NovelProject, caplog: pytest.LogCaptureFixture
) -> None:
    """The other one has written much: MariaDB ends the sweep's transaction, the small one."""
    old = db_now() - timedelta(hours=1)
    for name in ("dead:1", "dead:2"):
        WorkerHeartbeat.objects.create(worker=name, started_at=old, seen_at=old)
    has_second, sweeping = threading.Event(), threading.Event()

    def other() -> None:
        NovelProject.objects.bulk_create(
            NovelProject(owner=project.owner, title=str(number)) for number in range(200)
        )
        locked(WorkerHeartbeat.objects.filter(pk="dead:2")).first()
        has_second.set()
        assert sweeping.wait(PATIENCE_SECONDS)
        wait_for(lambda: is_locked("dead:1"), "the sweep has the first")
        locked(WorkerHeartbeat.objects.filter(pk="dead:1")).first()

    def sweep() -> None:
        assert has_second.wait(PATIENCE_SECONDS)
        sweeping.set()
        assert queue.sweep()

    side_by_side(lambda: in_transaction(other), sweep)
    assert not WorkerHeartbeat.objects.exists()
    assert "failed" not in caplog.text


def is_locked(worker: str) -> bool:
    """Whether it is, or is gone; asked on a connection of its own."""

    def ask() -> bool:
        try:
            with transaction.atomic():
                rows = WorkerHeartbeat.objects.filter(pk=worker)
                return not rows.select_for_update(skip_locked=True).exists()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(ask).result()


def add_mark(project: NovelProject) -> None:
    """A change that needs the lock."""
    locked(QueueControl.objects.filter(pk=1)).get()
    NovelProject.objects.filter(pk=project.pk).update(title=Concat("title", Value("甲")))


def marks(project: NovelProject) -> int:
    project.refresh_from_db()
    return project.title.count("甲")


@pytest.mark.usefixtures("impatient")
def test_a_lock_that_was_not_to_be_had_in_time_is_asked_for_again(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed, judge = threading.Event(), db.is_transient

    with held_until(failed.is_set) as let_go:

        def is_transient(error: Exception) -> bool:
            failed.set()
            assert let_go.wait(PATIENCE_SECONDS)
            return judge(error)

        monkeypatch.setattr(db, "is_transient", is_transient)
        monkeypatch.setattr(db, "RETRY_SECONDS", PATIENCE_SECONDS)
        in_transaction(lambda: add_mark(project))
    assert failed.is_set()
    assert marks(project) == 1


@pytest.mark.usefixtures("impatient")
def test_a_request_does_not_wait_for_a_lock_for_ever(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "RETRY_SECONDS", 0.0)
    over = threading.Event()
    with held_until(over.is_set):
        with pytest.raises(OperationalError) as caught:
            in_transaction(lambda: add_mark(project))
        over.set()
    assert is_away(caught.value)


@pytest.mark.usefixtures("impatient")
def test_what_outlasts_an_outage_outlasts_a_lock_too_and_is_done_once(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(db, "RETRY_SECONDS", 0.0)
    with held_until(lambda: "the database is away" in caplog.text):
        outlasting(lambda: in_transaction(lambda: add_mark(project)), give_up=lambda: False)
    assert marks(project) == 1
    assert [record.getMessage() for record in caplog.records][-1] == "the database is back"


@pytest.fixture
def steward(monkeypatch: pytest.MonkeyPatch) -> Steward:
    """The steward of a worker in this thread; its own thread is not needed."""
    steward = Steward()
    monkeypatch.setattr("analysis.worker.loop.current_steward", lambda: steward)
    return steward


@pytest.mark.usefixtures("scripted", "impatient", "steward")
def test_a_worker_goes_on_when_a_lock_is_let_go_of(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(db, "RETRY_SECONDS", 0.0)
    tasks = [queue_chapter(project, TALK).pk for _ in range(2)]
    with held_until(lambda: "the database is away" in caplog.text):
        assert worker.run_due() == 2
    check_done_once(tasks)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with between(connection) as proxy:
        yield proxy


@pytest.mark.server_only
@pytest.mark.usefixtures("scripted", "steward")
@pytest.mark.parametrize(
    ("commit", "given_back"), [("processing", 1), ("completed", 0)], ids=["claim", "finish"]
)
def test_a_commit_whose_answer_is_lost_is_done_once_and_leaves_nothing_leased(
    project: NovelProject, proxy: Proxy, commit: str, given_back: int
) -> None:
    tasks = [queue_chapter(project, TALK).pk for _ in range(3)]
    proxy.lose_answer_to_commit(after=f"'{commit}'")
    worker.run_due()
    assert proxy.lost.is_set()
    assert check_done_once(tasks) == given_back


@pytest.mark.server_only
@pytest.mark.usefixtures("scripted", "steward")
def test_a_line_that_is_cut_anywhere_in_an_analysis_is_no_error_of_the_analysis(
    project: NovelProject, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "FIRST_PAUSE", -1.0)  # nobody waits: that would be an error
    tasks = []
    for request in itertools.count(1):
        tasks.append(queue_chapter(project, TALK).pk)
        proxy.cut(request, arrives=True)
        worker.run_due()
        if not proxy.lost.is_set():
            break  # it takes fewer requests: the line was cut in each of them
    proxy.cut(10**9, arrives=True)  # not what we ask for below
    assert len(tasks) > 20
    check_done_once(tasks)


def test_a_driver_that_got_half_an_answer_has_lost_its_server() -> None:
    backend: Any = connection
    for word in (backend.Database.DatabaseError, backend.Database.InternalError):
        with pytest.raises(DatabaseError) as caught, connection.wrap_database_errors:
            raise word("received 2 results from command 'COMMIT'")
        assert is_away(caught.value) == (connection.vendor == "postgresql")
    assert not is_away(DatabaseError("Save with update_fields did not affect any rows."))


def check_done_once(tasks: list[int]) -> int:
    """All completed by one attempt each, told and applied once; how many claims were given back."""
    rows = list(PendingAnalysis.objects.order_by("pk"))
    assert [(row.pk, row.status, row.retry_count) for row in rows] == [
        (pk, Status.COMPLETED, 0) for pk in tasks
    ]
    outcomes = Counter(attempt.outcome for row in rows for attempt in row.attempts.all())
    assert outcomes["completed"] == len(tasks)
    assert set(outcomes) <= {"completed", "cancelled"}
    told = AnalysisNotification.objects.values_list("pending_analysis_id", flat=True)
    assert sorted(told) == tasks
    for row in rows:
        assert row.result is not None
        assert Finding.objects.filter(task_id=row.pk).count() == row.result["findings"] > 0
    assert queue.claim("host:1") is None
    assert due.since(queue.configured()) is None
    return outcomes["cancelled"]
