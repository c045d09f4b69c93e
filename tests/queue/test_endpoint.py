"""An endpoint that refuses us: paused with the reason, probed now and then, resumed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django_q.models import OrmQ
from pytest_django import Settings

from analysis import queue, run_analysis
from analysis.models import AnalysisAttempt, EndpointState
from analysis.queue import Claim, Endpoint
from analysis.worker.steward import Steward
from arboris.db import db_now
from arboris.llm.errors import (
    Filtered,
    KeyRefused,
    LLMError,
    NoCredit,
    RateLimited,
    ServerFailed,
    Unreachable,
)
from arboris.novels.models import NovelProject
from tests.factories import LONG_ENOUGH, finish_and_claim, queue_chapter
from tests.llm import endpoint as llm
from tests.queue.bulk import queue_many
from tests.queue.threads import side_by_side

MODEL = Endpoint("model.example:443", "fingerprint")
NEW_KEY = Endpoint(MODEL.name, "another one")
FIRST = 60  # seconds until the first probe


@pytest.fixture(autouse=True)
def probe_seconds(settings: Settings) -> None:
    settings.ARBORIS_ENDPOINT_PROBE_SECONDS = FIRST
    settings.ARBORIS_MAX_CONCURRENT = 4


@pytest.fixture
def refused(project: NovelProject) -> None:
    """Ten tasks, and the endpoint paused since the first of them was refused."""
    queue_many(project, 10)
    queue.fail(take(), KeyRefused("HTTP 401: no such key"))


def take(endpoint: Endpoint = MODEL) -> Claim:
    claim = queue.claim("host:1", endpoint)
    assert claim is not None
    return claim


def state() -> EndpointState:
    return EndpointState.objects.get(pk=MODEL.name)


def let_probe() -> None:
    """As if the time of the next probe had come."""
    EndpointState.objects.update(probe_at=db_now() - timedelta(seconds=1))


def seconds_to_probe() -> float:
    probe_at = state().probe_at
    assert probe_at is not None
    return (probe_at - db_now()).total_seconds()


@pytest.mark.parametrize("error", [KeyRefused, NoCredit])
def test_a_refusal_pauses_the_endpoint_and_costs_the_task_nothing(
    project: NovelProject, error: type[LLMError]
) -> None:
    task = queue_chapter(project)
    assert queue.fail(take(), error("HTTP 4xx: in their words")) == "pending"
    task.refresh_from_db()
    assert (task.status, task.retry_count, task.error_type) == ("pending", 0, error.code)
    assert task.due_at <= db_now()
    paused = state()
    assert paused.paused_at is not None
    assert (paused.error_type, paused.error_message) == (error.code, "HTTP 4xx: in their words")
    assert AnalysisAttempt.objects.get().error_type == error.code


@pytest.mark.usefixtures("refused")
def test_nothing_is_claimed_for_it_until_the_probe() -> None:
    assert FIRST / 2 < seconds_to_probe() <= FIRST
    assert queue.claim("host:1", MODEL) is None
    let_probe()
    assert take().probe


@pytest.mark.usefixtures("refused")
def test_others_are_not_held_up() -> None:
    local = take(Endpoint("local"))
    assert not local.probe
    queue.finish(local, {}, {})
    assert state().paused_at is not None  # that says nothing about this one


@pytest.mark.usefixtures("refused")
def test_other_credentials_are_tried_at_once() -> None:
    claim = take(NEW_KEY)
    assert claim.probe
    queue.finish(claim, {}, {})
    assert state().paused_at is None


@pytest.mark.usefixtures("refused")
def test_other_credentials_that_are_refused_wait_too() -> None:
    let_probe()
    queue.fail(take(), KeyRefused("no"))
    queue.fail(take(NEW_KEY), NoCredit("empty"))
    assert (state().credentials, state().probes) == (NEW_KEY.credentials, 0)
    assert state().error_type == NoCredit.code
    assert queue.claim("host:1", NEW_KEY) is None


@pytest.mark.usefixtures("refused")
def test_one_probe_at_a_time() -> None:
    let_probe()
    take()
    assert queue.claim("host:2", MODEL) is None
    EndpointState.objects.update(paused_at=db_now() - timedelta(minutes=5))
    assert queue.claim("host:2", MODEL) is None


@pytest.mark.usefixtures("refused")
def test_a_probe_that_is_given_back_is_made_by_whoever_claims_next() -> None:
    let_probe()
    assert queue.give_back(take())
    assert take().probe


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("refused")
def test_one_probe_even_where_many_ask_at_the_same_moment() -> None:
    let_probe()
    claims = side_by_side(*[lambda: queue.claim("host:1", MODEL)] * 6)
    assert [claim.probe for claim in claims if claim is not None] == [True]


@pytest.mark.usefixtures("refused")
def test_each_refused_probe_doubles_the_wait_up_to_a_quarter_of_an_hour() -> None:
    since = state().paused_at
    for expected in (120, 240, 480, 900, 900):
        let_probe()
        queue.fail(take(), KeyRefused("still no"))
        assert expected / 2 < seconds_to_probe() <= expected
    assert state().paused_at == since
    assert state().error_message == "still no"


def test_tasks_that_were_under_way_do_not_double_it(project: NovelProject) -> None:
    queue_many(project, 4)
    claims = [take() for _ in range(4)]
    for claim in claims:
        queue.fail(claim, KeyRefused("no"))
    assert (state().probes, seconds_to_probe() <= FIRST) == (0, True)


@pytest.mark.usefixtures("refused")
def test_a_probe_that_gets_through_resumes_it_and_wakes_the_workers() -> None:
    let_probe()
    claim = take()
    OrmQ.objects.all().delete()
    queue.finish(claim, {}, {})
    resumed = state()
    assert (resumed.paused_at, resumed.probe_at, resumed.error_type) == (None, None, "")
    assert (resumed.error_message, resumed.probes) == ("", 0)
    assert OrmQ.objects.count() == 4
    assert not take().probe
    assert take()


@pytest.mark.usefixtures("refused")
def test_a_probe_that_ends_with_the_next_claim_resumes_it_too() -> None:
    let_probe()
    finish_and_claim(take())
    assert state().paused_at is None
    assert take()


@pytest.mark.usefixtures("refused")
@pytest.mark.parametrize("error", [RateLimited, Filtered])
def test_an_answer_of_any_kind_resumes_it(error: type[LLMError]) -> None:
    let_probe()
    queue.fail(take(), error("but it took the key"))
    assert state().paused_at is None
    assert not take().probe


@pytest.mark.usefixtures("refused")
@pytest.mark.parametrize("error", [ServerFailed, Unreachable])
def test_an_error_that_tells_nothing_probes_again_after_the_same_wait(
    error: type[LLMError],
) -> None:
    let_probe()
    queue.fail(take(), error("who knows"))
    assert state().probes == 0
    assert FIRST / 2 < seconds_to_probe() <= FIRST
    assert queue.claim("host:1", MODEL) is None


def test_an_endpoint_that_was_resumed_begins_anew(project: NovelProject) -> None:
    queue_many(project, 5)
    queue.fail(take(), KeyRefused("no"))
    let_probe()
    queue.finish(take(), {}, {})
    queue.fail(take(), NoCredit("empty"))
    assert (state().probes, state().error_type) == (0, NoCredit.code)
    assert FIRST / 2 < seconds_to_probe() <= FIRST


@pytest.fixture
def model(settings: Settings) -> Iterator[llm.Endpoint]:
    with llm.configured(settings) as server:
        settings.ARBORIS_ANALYZER = "llm"
        yield server


def test_a_refused_key_end_to_end(project: NovelProject, model: llm.Endpoint) -> None:
    first, second = queue_chapter(project), queue_chapter(project, LONG_ENOUGH + "又及。")
    model.replies(llm.Reply(status=401, error={"message": "no such key"}))
    claim = queue.claim("host:1", queue.configured())
    assert claim is not None
    run_analysis.run(claim, Steward())
    first.refresh_from_db()
    assert (first.status, first.retry_count, first.error_type) == ("pending", 0, "llm_key_refused")
    paused = EndpointState.objects.get()
    assert f"http://{paused.name}/v1" == model.base_url
    assert llm.KEY not in f"{paused.error_message} {paused.credentials}"
    asked = len(model.requests)
    assert queue.claim("host:1", queue.configured()) is None

    model.answer = llm.found_nothing
    let_probe()
    probe = queue.claim("host:1", queue.configured())
    assert probe is not None
    run_analysis.run(probe, Steward())
    first.refresh_from_db()
    assert first.status == "completed"
    assert len(model.requests) > asked
    assert EndpointState.objects.get().paused_at is None
    following = queue.claim("host:1", queue.configured())
    assert following is not None
    assert (following.task_id, following.probe) == (second.pk, False)


def test_a_changed_key_is_tried_at_once_end_to_end(
    project: NovelProject, model: llm.Endpoint, settings: Settings
) -> None:
    task = queue_chapter(project)
    model.replies(llm.Reply(status=401))
    run_analysis.run(take(queue.configured()), Steward())
    model.answer = llm.found_nothing
    settings.ARBORIS_LLM_API_KEY = "sk-the-new-one"
    run_analysis.run(take(queue.configured()), Steward())
    task.refresh_from_db()
    assert task.status == "completed"
    assert EndpointState.objects.get().paused_at is None


def test_the_offline_analyzer_goes_on_meanwhile(
    project: NovelProject, model: llm.Endpoint, settings: Settings
) -> None:
    queue_chapter(project)
    model.replies(llm.Reply(status=402))
    run_analysis.run(take(queue.configured()), Steward())
    assert queue.claim("host:1", queue.configured()) is None
    settings.ARBORIS_ANALYZER = "local"
    assert not take(queue.configured()).probe
