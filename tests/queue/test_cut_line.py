"""A line to the database that is cut in the middle of a claim or of an end: nothing is half
done."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, InterfaceError, connection, connections, transaction
from django.db.models import QuerySet, Sum

from analysis import queue
from analysis.models import AnalysisAttempt, PendingAnalysis, QueueControl, StatusTally
from analysis.queue import Claim
from arboris.db import drop_connection, in_transaction, locked
from arboris.novels.models import NovelProject
from notifications.models import AnalysisNotification
from tests.factories import claim_next, queue_chapter
from tests.proxy import Proxy, between
from tests.waiting import PATIENCE_SECONDS, wait_for

pytestmark = [pytest.mark.server_only, pytest.mark.django_db(transaction=True)]

SESSION = {"mysql": "SELECT CONNECTION_ID()", "postgresql": "SELECT pg_backend_pid()"}
LIVES = {
    "mysql": "SELECT 1 FROM information_schema.processlist WHERE id = %s",
    "postgresql": "SELECT 1 FROM pg_stat_activity WHERE pid = %s",
}
WAITS_FOR_LOCK = {
    "mysql": "SELECT %s FROM information_schema.global_status WHERE variable_value > 0"
    " AND variable_name = 'Innodb_row_lock_current_waits'",
    "postgresql": "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'",
}


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with between(connection) as proxy:
        yield proxy


def ask(text: str, *params: int) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return cursor.fetchone()


def written() -> dict[str, object]:
    """All that a claim and an end write, but for ids and times."""
    return {
        "tasks": sorted(
            PendingAnalysis.objects.values_list(
                "status", "attempt_count", "worker", "lease_token", "active_chapter", "result"
            ),
            key=str,
        ),
        "claimed": QueueControl.objects.get().claimed,
        "attempts": list(AnalysisAttempt.objects.values_list("number", "outcome", "worker")),
        "told": AnalysisNotification.objects.count(),
        "completed": StatusTally.objects.aggregate(total=Sum("completed"))["total"],
    }


def claim(_: Claim | None) -> None:
    claim_next("host:1")


def finish(held: Claim | None) -> None:
    assert held is not None
    in_transaction(lambda: queue.finish(held, {"findings": 1}, {}))


Step = Callable[[Claim | None], None]


def begin(project: NovelProject, step: Step) -> tuple[int, Claim | None, dict[str, object]]:
    """Before the step: the connection's session, what is claimed, and what is written so far."""
    PendingAnalysis.objects.all().delete()
    queue_chapter(project)
    held = claim_next("host:1") if step is finish else None
    (session,) = ask(SESSION[connection.vendor])
    return session, held, written()


def check(session: int, step: Step, held: Claim | None, before: dict[str, object]) -> bool:
    """Once the server has done with the cut line: nothing was written, or everything; which?"""
    drop_connection()
    wait_for(lambda: ask(LIVES[connection.vendor], session) is None, "the server noticed")
    after = written()
    if after != before:  # then it was done, and cannot be done again
        assert after["claimed"] == QueueControl.objects.get().claimed
        (task,) = PendingAnalysis.objects.all()
        assert task.status == ("processing" if step is claim else "completed")
        assert bool(task.lease_token) == (step is claim)
        assert AnalysisNotification.objects.count() == (step is finish)
        assert AnalysisAttempt.objects.count() == (step is finish)
    else:
        step(held)  # as if nothing had been
        assert written() != before
    return after != before


@pytest.mark.parametrize("arrives", [False, True], ids=["request-lost", "answer-lost"])
@pytest.mark.parametrize("step", [claim, finish])
def test_at_each_request(project: NovelProject, proxy: Proxy, step: Step, arrives: bool) -> None:
    done = []
    for request in range(1, 100):
        AnalysisNotification.objects.all().delete()
        session, held, before = begin(project, step)
        proxy.cut(request, arrives=arrives)
        with contextlib.suppress(DatabaseError, InterfaceError):
            step(held)
        if not proxy.lost.is_set():
            break  # it takes fewer requests: the line was cut in each of them
        done.append(check(session, step, held, before))
    proxy.cut(10**9, arrives=True)
    # Done from the commit on, and from no earlier request.
    assert len(done) >= 4
    assert done == sorted(done)
    assert done[-1] or not arrives


ROWS: dict[str, tuple[Step, Callable[[], QuerySet[Any]]]] = {
    "claim-mutex": (claim, QueueControl.objects.all),
    "claim-task": (claim, PendingAnalysis.objects.all),
    "finish-task": (finish, PendingAnalysis.objects.all),
    "finish-counters": (finish, StatusTally.objects.all),
    "finish-writer": (finish, User.objects.all),
}


@contextmanager
def another_has(rows: QuerySet[Any]) -> Iterator[threading.Event]:
    """Another transaction has the rows' locks until the event is set."""
    has, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                list(locked(rows.all()))
                has.set()
                release.wait(PATIENCE_SECONDS)
        finally:
            connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    assert has.wait(PATIENCE_SECONDS)
    try:
        yield release
    finally:
        release.set()
        thread.join()


@pytest.mark.parametrize("case", ROWS)
def test_while_a_statement_waits_for_a_lock(project: NovelProject, proxy: Proxy, case: str) -> None:
    """The server has got the rest of what was sent along, and goes on with it by itself."""
    step, rows = ROWS[case]
    session, held, before = begin(project, step)
    with another_has(rows()) as release:

        def cut() -> None:
            try:
                waits = WAITS_FOR_LOCK[connection.vendor]
                wait_for(lambda: ask(waits, session), "it waits for the lock")
                proxy.hang_up()
            finally:
                connections.close_all()

        thread = threading.Thread(target=cut)
        thread.start()
        with pytest.raises((DatabaseError, InterfaceError)):
            step(held)
        thread.join()
        release.set()
    assert not check(session, step, held, before)
