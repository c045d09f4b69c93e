"""A month's budget that is used up: no new call, the analysis parked, and what lets it go on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django_q.models import OrmQ
from pytest_django import Settings

from analysis import queue, run_analysis
from analysis.models import AnalysisAttempt, EndpointState, PendingAnalysis, QueueControl
from analysis.queue import budget as parking
from analysis.worker.steward import Steward
from arboris.db import db_now, in_transaction, locked
from arboris.llm.accounting import admission, budget, call_log, prices
from arboris.llm.accounting.admission import Payer, RequestRecord, Usage
from arboris.llm.errors import OverBudget
from arboris.llm.models import BudgetStop, ModelCall
from arboris.novels.models import NovelProject
from notifications.models import AnalysisNotification
from tests.factories import (
    LONG_ENOUGH,
    JsonClient,
    make_project,
    make_user,
    queue_chapter,
)
from tests.llm import endpoint as llm
from tests.queue.threads import side_by_side
from tests.waiting import PATIENCE_SECONDS, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("same_month")]

EACH = Decimal("1.5")  # what a call costs here
FEATURES = 4
WAITS_FOR_LOCK = {
    "mysql": "SELECT 1 FROM information_schema.global_status WHERE variable_value > 0"
    " AND variable_name = 'Innodb_row_lock_current_waits'",
    "postgresql": "SELECT 1 FROM pg_locks WHERE NOT granted",
}


@pytest.fixture(autouse=True)
def model(settings: Settings) -> Iterator[llm.Endpoint]:
    """An endpoint whose every call costs EACH, one call after the other."""
    with llm.configured(settings) as server:
        server.answer = llm.found_nothing
        settings.ARBORIS_ANALYZER = "llm"
        settings.ARBORIS_LLM_CONCURRENCY = 1
        table = '{"*": {"prompt": 100000, "completion": 100000}}'
        settings.ARBORIS_LLM_PRICES = prices.table("ARBORIS_LLM_PRICES", table)
        yield server


def run_next() -> PendingAnalysis:
    claim = queue.claim("host:1", queue.configured())
    assert claim is not None
    run_analysis.run(claim, Steward())
    return PendingAnalysis.objects.get(pk=claim.task_id)


def sweep() -> None:
    """One that is due."""
    QueueControl.objects.update(swept_at=None)
    assert queue.sweep()


def spend(project: NovelProject, tokens: int) -> None:
    account = Payer("generation", project.pk, project.owner_id)
    call_log.write(call_log.row(account, RequestRecord("m", Usage(tokens, 0), admission.OK, 1.0)))


def notices() -> list[AnalysisNotification]:
    return list(AnalysisNotification.objects.filter(notification_type="parked").order_by("pk"))


def next_month() -> datetime:
    return budget.next_month(budget.month_of(datetime.now(UTC)))


def parked(project: NovelProject, settings: Settings) -> PendingAnalysis:
    """A task that was parked after two of its features."""
    settings.ARBORIS_LLM_BUDGET_PROJECT = Decimal(2)
    queue_chapter(project)
    task = run_next()
    assert (task.status, task.error_type) == ("pending", "over_budget")
    return task


def test_what_is_used_up_in_the_middle_parks_with_what_is_done(
    project: NovelProject, settings: Settings, model: llm.Endpoint, api: JsonClient
) -> None:
    task = parked(project, settings)
    assert len(model.requests) == ModelCall.objects.count() == 2
    assert task.due_at == next_month()
    assert (task.retry_count, task.attempt_count) == (0, 1)
    assert set(task.checkpoint or {}) == {"character_tracking", "new_character_detection"}
    assert AnalysisAttempt.objects.get().error_type == "over_budget"
    assert queue.claim("host:1", queue.configured()) is None
    assert not EndpointState.objects.filter(paused_at__isnull=False).exists()

    body = api.get(f"/api/async-analysis/tasks/{task.pk}").json()
    assert body["waiting"]["code"] == "over_budget"
    assert datetime.fromisoformat(body["waiting"]["until"]) == next_month()
    assert body["waiting"]["message"]
    assert body["eta_seconds"] is None
    assert body["token_usage"]["cost"] == "3"
    assert body["token_usage"]["currency"] == "USD"

    (told,) = api.get("/api/async-analysis/notifications", headers={"accept-language": "en"}).json()
    assert told["notification_type"] == "parked"
    assert told["pending_analysis_id"] == task.pk
    assert "waiting for a new budget" in told["title"]
    assert next_month().strftime("%Y-%m-%d") in told["message"]
    assert told["data"]["scope"] == "project"


def test_a_raised_budget_lets_it_go_on_within_a_sweep(
    project: NovelProject, settings: Settings, model: llm.Endpoint
) -> None:
    task = parked(project, settings)
    sweep()
    assert queue.claim("host:1", queue.configured()) is None
    OrmQ.objects.all().delete()
    settings.ARBORIS_LLM_BUDGET_PROJECT = Decimal(100)
    sweep()
    assert OrmQ.objects.exists()
    model.requests.clear()
    again = run_next()
    assert (again.pk, again.status) == (task.pk, "completed")
    assert len(model.requests) == FEATURES - 2
    assert not BudgetStop.objects.exists()
    assert len(notices()) == 1


def test_without_a_budget_it_goes_on_too(project: NovelProject, settings: Settings) -> None:
    parked(project, settings)
    settings.ARBORIS_LLM_BUDGET_PROJECT = Decimal(0)
    sweep()
    assert run_next().status == "completed"


def test_the_writer_is_told_once(project: NovelProject, settings: Settings) -> None:
    parked(project, settings)
    for _ in range(3):
        queue_chapter(project)
        assert run_next().error_type == "over_budget"
    assert len(notices()) == 1
    settings.ARBORIS_LLM_BUDGET_PROJECT = Decimal(4)  # enough for a call, and used up again
    sweep()
    run_next()
    assert len(notices()) == 2


def test_tasks_that_are_parked_at_the_same_moment_tell_once(
    project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_LLM_BUDGET_PROJECT = Decimal(1)
    for _ in range(4):
        queue_chapter(project)
    claims = [queue.claim(f"host:{n}") for n in range(4)]
    error = OverBudget("so", scope="project")
    side_by_side(*[lambda c=c: queue.fail(c, error) for c in claims if c])
    assert PendingAnalysis.objects.filter(error_type="over_budget").count() == 4
    assert len(notices()) == BudgetStop.objects.count() == 1


@pytest.mark.server_only
def test_a_budget_stop_is_locked_before_its_task(project: NovelProject, settings: Settings) -> None:
    """As by who lets tasks go: else each of the two could have what the other one waits for."""
    settings.ARBORIS_LLM_BUDGET_PROJECT = Decimal(2)
    queue_chapter(project)
    queue_chapter(project)
    assert run_next().error_type == "over_budget"
    claim = queue.claim("host:1")
    assert claim is not None

    def park() -> str:
        try:
            return queue.fail(claim, OverBudget("so", scope="project"))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            locked(BudgetStop.objects.all()).get()
            other = pool.submit(park)
            wait_for(waits_for_a_lock, "the other one waits for the stop")
            tasks = PendingAnalysis.objects.filter(pk=claim.task_id)
            assert tasks.select_for_update(nowait=True).get().status == "processing"
        assert other.result(PATIENCE_SECONDS) == "pending"


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WAITS_FOR_LOCK[connection.vendor])
        return cursor.fetchone() is not None


def test_others_are_not_held_up(
    project: NovelProject, settings: Settings, model: llm.Endpoint
) -> None:
    parked(project, settings)
    other = make_project(project.owner)
    queue_chapter(other)
    settings.ARBORIS_LLM_BUDGET_PROJECT = Decimal(0)
    assert run_next().status == "completed"


def test_the_writers_budget_holds_over_all_novels(
    project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_LLM_BUDGET_WRITER = Decimal(2)
    spend(make_project(project.owner), 20)
    queue_chapter(project)
    task = run_next()
    assert task.error_type == "over_budget"
    assert BudgetStop.objects.get().subject == f"writer:{project.owner_id}"
    stranger = make_project(make_user())
    queue_chapter(stranger)
    settings.ARBORIS_LLM_BUDGET_WRITER = Decimal(7)
    assert run_next().status == "completed"


def test_in_the_next_month_it_is_due_by_itself(project: NovelProject, settings: Settings) -> None:
    task = parked(project, settings)
    earlier = db_now() - timedelta(days=40)
    ModelCall.objects.update(created_at=earlier)
    BudgetStop.objects.update(month=budget.month_of(earlier).date())
    PendingAnalysis.objects.update(due_at=db_now())
    sweep()
    assert not BudgetStop.objects.exists()
    settings.ARBORIS_LLM_BUDGET_PROJECT = Decimal(100)
    assert (run_next().pk, PendingAnalysis.objects.get().status) == (task.pk, "completed")


def test_what_staff_lift_goes_on_for_the_rest_of_the_month(
    project: NovelProject, settings: Settings
) -> None:
    task = parked(project, settings)
    stop = BudgetStop.objects.get()
    assert in_transaction(lambda: queue.lift(stop.pk))
    assert not in_transaction(lambda: queue.lift(stop.pk))
    assert (run_next().pk, PendingAnalysis.objects.get().status) == (task.pk, "completed")
    sweep()
    budget.check(project.pk, project.owner_id)
    queue_chapter(project)
    assert run_next().status == "completed"


def test_one_budget_lets_nothing_go_that_the_other_holds(
    project: NovelProject, settings: Settings
) -> None:
    """Else each sweep would have it claimed and parked again."""
    task = parked(project, settings)
    settings.ARBORIS_LLM_BUDGET_WRITER = Decimal(2)
    with_novel = BudgetStop.objects.get()
    assert in_transaction(lambda: queue.lift(with_novel.pk))
    assert run_next().error_type == "over_budget"  # now for the writer's
    for _ in range(3):
        sweep()
        assert queue.claim("host:1", queue.configured()) is None
    with_writer = BudgetStop.objects.get(project_id__isnull=True)
    BudgetStop.objects.filter(pk=with_novel.pk).update(lifted_at=None)
    assert in_transaction(lambda: queue.lift(with_writer.pk))
    for _ in range(3):
        sweep()
        assert queue.claim("host:1", queue.configured()) is None
    settings.ARBORIS_LLM_BUDGET_PROJECT = Decimal(100)
    sweep()
    assert (run_next().pk, PendingAnalysis.objects.get().status) == (task.pk, "completed")


def test_a_parked_task_can_be_cancelled(project: NovelProject, settings: Settings) -> None:
    task = parked(project, settings)
    queue.cancel(task.pk)
    settings.ARBORIS_LLM_BUDGET_PROJECT = Decimal(0)
    sweep()
    task.refresh_from_db()
    assert task.status == "cancelled"


def test_a_parked_probe_tells_nothing_about_its_endpoint(
    project: NovelProject, settings: Settings, model: llm.Endpoint
) -> None:
    settings.ARBORIS_ENDPOINT_PROBE_SECONDS = 60
    settings.ARBORIS_LLM_BUDGET_PROJECT = Decimal(10)
    queue_chapter(project)
    model.replies(llm.Reply(status=401))
    assert run_next().error_type == "llm_key_refused"
    EndpointState.objects.update(probe_at=db_now())
    spend(project, 100)
    assert run_next().error_type == "over_budget"
    state = EndpointState.objects.get(paused_at__isnull=False)
    assert (state.error_type, state.probes) == ("llm_key_refused", 0)
    # The next claim is the probe, of whosever task it is.
    queue_chapter(make_project(make_user()), LONG_ENOUGH)
    model.answer = llm.found_nothing
    assert run_next().status == "completed"
    assert not EndpointState.objects.filter(paused_at__isnull=False).exists()


def test_a_probe_that_was_answered_before_it_was_parked_resumes_it(
    project: NovelProject, settings: Settings, model: llm.Endpoint
) -> None:
    settings.ARBORIS_LLM_BUDGET_PROJECT = Decimal(2)
    queue_chapter(project)
    model.replies(llm.Reply(status=401))
    run_next()
    EndpointState.objects.update(probe_at=db_now())
    model.answer = llm.found_nothing
    assert run_next().error_type == "over_budget"
    assert not EndpointState.objects.filter(paused_at__isnull=False).exists()


def test_a_stop_that_goes_while_a_task_is_parked_leaves_none_behind(
    project: NovelProject, settings: Settings
) -> None:
    """Parking and letting go are ordered by the stop's row, whichever comes first."""
    settings.ARBORIS_LLM_BUDGET_PROJECT = Decimal(1)
    for _ in range(6):
        queue_chapter(project)
        claim = queue.claim("host:1")
        assert claim is not None
        held, error = claim, OverBudget("so", scope="project")
        side_by_side(lambda: queue.fail(held, error), lambda: str(parking.release()))  # noqa: B023
    parking.release()  # nothing was spent: nothing may stay parked
    assert not PendingAnalysis.objects.filter(due_at__gt=db_now()).exists()
