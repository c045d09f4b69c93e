"""Failures by their cause, from real ones: the groups, a canary of each, and the rest."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from analysis import queue, run_analysis
from analysis.errors import AnalyzerFailed, WorkerLost, fingerprint
from analysis.groups import look, retrying
from analysis.models import BulkOperation, OperatorAction, PendingAnalysis, Status
from analysis.worker.steward import Steward
from arboris.db import in_transaction
from arboris.llm.errors import BadAnswer, KeyRefused, ServerFailed
from arboris.novels.models import NovelProject
from tests.analysis.llm_answers import says
from tests.analysis.operators import call, failed_task, novel_of
from tests.analysis.test_admin import member, signed_in
from tests.factories import make_user, queue_chapter
from tests.llm.endpoint import KEY, Endpoint, Reply

pytestmark = [pytest.mark.databases, pytest.mark.django_db(transaction=True)]
GROUPS = "/admin/analysis/errorgroup/"
SECRET = "沈砚秋推开听雨楼的木门"  # of every chapter


@pytest.fixture
def staff(db: None) -> Client:
    return signed_in(make_user("boss", is_staff=True, is_superuser=True))


def run_next() -> PendingAnalysis:
    claim = queue.claim("host:1", queue.configured())
    assert claim is not None
    run_analysis.run(claim, Steward())
    return PendingAnalysis.objects.get(pk=claim.task_id)


def fail_next(endpoint: Endpoint, reply: Reply) -> PendingAnalysis:
    endpoint.replies(reply)
    return run_next()


def page_of(client: Client, group: str = "") -> str:
    response = client.get(f"{GROUPS}{group}/change/" if group else GROUPS)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", response.content.decode())


def state_of(page: str) -> str:
    found = re.search(r'data-testid="canary" data-state="(\w+)"', page)
    assert found is not None
    return found[1]


def retry_one(client: Client, group: str, **data: Any) -> str:
    response = client.post(f"{GROUPS}{group}/canary/", data, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def raised_in(place: str, detail: str) -> AnalyzerFailed:
    error = AnalyzerFailed(detail)
    error.cause = f"KeyError in {place}"
    return error


def test_unlike_errors_are_apart_and_like_ones_together() -> None:
    said = "the endpoint refused: HTTP"
    same = [
        (BadAnswer("the JSON is broken at 17"), BadAnswer("the JSON is broken at 4,021")),
        (WorkerLost("a-7:31 let the lease expire"), WorkerLost("b:8 let the lease expire")),
        (
            AnalyzerFailed("no novel 6f1c0f0e-aaaa-4bbb-8ccc-0123456789ab: it's 'x' we don't"),
            AnalyzerFailed("no novel 0a9b3c1d-bbbb-4ccc-8ddd-ba9876543210: it's 'y' we don't"),
        ),
        (raised_in("f", "1"), raised_in("f", "x")),
    ]
    for one, other in same:
        assert fingerprint(one, "a") == fingerprint(other, "a")
    apart = [
        fingerprint(ServerFailed(f"{said} 500"), "a"),
        fingerprint(ServerFailed(f"{said} 502"), "a"),
        fingerprint(ServerFailed(f"{said} 500"), "b"),
        fingerprint(KeyRefused(f"{said} 500"), "a"),
        fingerprint(raised_in("f", "1")),
        fingerprint(raised_in("g", "1")),
    ]
    assert len(set(apart)) == len(apart)


def three_failures(
    project: NovelProject, endpoint: Endpoint, settings: Settings
) -> tuple[list[PendingAnalysis], PendingAnalysis, PendingAnalysis]:
    """Made by a real endpoint: an answer that is none (thrice), one that does not come, a refused
    key."""
    settings.ARBORIS_ANALYZER = "llm"
    lin = novel_of("lin")
    for novel in (project, project, lin, project, project):
        queue_chapter(novel)
    PendingAnalysis.objects.update(max_retries=0)
    broken = [fail_next(endpoint, Reply(raw=b"data: {no JSON\n\n")) for _ in range(3)]
    usual = settings.ARBORIS_LLM_FIRST_TOKEN_TIMEOUT, settings.ARBORIS_LLM_TIMEOUT
    settings.ARBORIS_LLM_FIRST_TOKEN_TIMEOUT = settings.ARBORIS_LLM_TIMEOUT = 0.3
    late = fail_next(endpoint, Reply(hold=True))
    settings.ARBORIS_LLM_FIRST_TOKEN_TIMEOUT, settings.ARBORIS_LLM_TIMEOUT = usual
    refused = fail_next(endpoint, Reply(status=401, error={"message": f"bad key {KEY}"}))
    return broken, late, refused


@pytest.mark.postgresql
def test_three_causes_are_three_groups(
    staff: Client, project: NovelProject, endpoint: Endpoint, settings: Settings
) -> None:
    broken, late, refused = three_failures(project, endpoint, settings)
    assert [task.status for task in (*broken, late, refused)] == ["failed"] * 4 + ["pending"]

    groups = {group.error_type: group for group in look.groups()}
    counts = {
        name: (one.failed, one.waiting, one.writers, one.novels) for name, one in groups.items()
    }
    assert counts == {
        "llm_bad_answer": (3, 0, 2, 2),
        "llm_timeout": (1, 0, 1, 1),
        "llm_key_refused": (0, 1, 1, 1),
    }
    page = page_of(staff)
    rows = page[page.index('data-testid="groups"') :]
    assert rows.index("llm_bad_answer") < rows.index("llm_timeout") < rows.index("llm_key_refused")
    assert "refuses us since" in page and KEY not in page
    bad = groups["llm_bad_answer"]
    assert bad.feature and bad.endpoint in page
    page = page_of(staff, bad.fingerprint)
    for text in ("writer (2)", "lin (1)", "听雨楼 (2)", "event_stream.py", f">{broken[0].pk}<"):
        assert text in page
    assert KEY not in page and SECRET not in page
    without = member("view_pendinganalysis", "view_analysisattempt")
    page = page_of(without, bad.fingerprint)
    assert "event_stream.py" not in page and "Retry one" not in page
    assert without.post(f"{GROUPS}{bad.fingerprint}/canary/").status_code == 403

    status = call("analysis_status", "--json").document["groups"]
    assert [(one["error_type"], one["failed"]) for one in status][:1] == [("llm_bad_answer", 3)]
    assert bad.fingerprint in call("analysis_status").out
    unknown = call("retry_analysis", "--group", "feedfacefeedface", "--noinput")
    assert (unknown.code, "feedfacefeedface" in unknown.err) == (2, True)
    assert unknown.err.startswith("--group: ")
    late_group = groups["llm_timeout"].fingerprint
    assert call("retry_analysis", "--group", late_group, "--noinput", "--json").ids == [late.pk]


def drain_of(page: str) -> tuple[int, ...]:
    """Left, done, failed again."""
    return tuple(int(n) for n in re.findall(r'data-testid="drain-\w+">(\d+)<', page))


def test_one_goes_first_and_then_the_rest(
    staff: Client, project: NovelProject, endpoint: Endpoint, settings: Settings
) -> None:
    settings.ARBORIS_ANALYZER = "llm"
    tasks = [queue_chapter(project) for _ in range(4)]
    PendingAnalysis.objects.update(max_retries=0)
    for _ in tasks:
        fail_next(endpoint, Reply(status=404, error={"message": "no such model"}))
    (group,) = look.groups()
    rest = f"{GROUPS}{group.fingerprint}/rest/"
    assert "from the calls of" in page_of(staff, group.fingerprint)
    assert state_of(page_of(staff, group.fingerprint)) == "none"
    assert "No canary was retried yet: whether" in staff.get(rest).content.decode()
    assert staff.post(rest, {"reason": ""}).status_code == 200  # not sure
    assert not BulkOperation.objects.exists()

    retry_one_in_vain(staff, group.fingerprint, tasks[-1].pk)
    endpoint.answer = says()
    retry_one(staff, group.fingerprint)
    assert run_next().status == Status.COMPLETED
    page = page_of(staff, group.fingerprint)
    assert state_of(page) == "ok"
    assert "from the mean of the 1 analysis completed last" in page
    asked = staff.get(rest).content.decode()
    assert "3 analyses will be put back" in asked and 'name="sure"' not in asked
    settings.ARBORIS_ANALYZER = "local"
    assert "nothing: the analyzer local works offline" in staff.get(rest).content.decode()
    settings.ARBORIS_ANALYZER = "llm"

    viewer = member("view_pendinganalysis")
    assert (viewer.get(rest).status_code, viewer.post(rest).status_code) == (403, 403)
    retry_the_rest(staff, viewer, endpoint, group.fingerprint)
    records = OperatorAction.objects.order_by("pk").values_list("action", "actor", "reason")
    assert list(records) == [
        ("retry_canary", "boss", "model is there"),
        ("retry_canary", "boss", ""),
        ("retry_group", "boss", "all of them"),
    ]
    (did,) = call("analysis_show", tasks[0].pk, "--json").document["record"]
    assert (did["action"], did["operation"]) == ("retry_group", BulkOperation.objects.get().pk)


def retry_one_in_vain(staff: Client, group: str, newest: int) -> None:
    """The endpoint is as it was."""
    rest = f"{GROUPS}{group}/rest/"
    retry_one(staff, group, reason="model is there")
    page = page_of(staff, group)
    assert state_of(page) == "waits" and "Retry one" not in page
    assert "is under way" in retry_one(staff, group)
    assert "The canary has not ended yet: whether" in staff.get(rest).content.decode()
    assert run_next().pk == newest
    assert state_of(page_of(staff, group)) == "failed"
    assert "will hardly do better" in staff.get(rest).content.decode()


def retry_the_rest(staff: Client, viewer: Client, endpoint: Endpoint, group: str) -> None:
    """Three, of which the second fails again; others may watch."""
    staff.post(f"{GROUPS}{group}/rest/", {"reason": "all of them"})
    assert drain_of(page_of(staff, group)) == (3, 0, 0)
    run_next()
    fail_next(endpoint, Reply(status=404, error={"message": "no such model"}))
    endpoint.answer = says()
    assert drain_of(page_of(viewer, group)) == (1, 1, 1)
    run_next()
    state = staff.get(f"{GROUPS}{group}/state/").content.decode()
    assert drain_of(state) == (0, 2, 1) and 'data-over="yes"' in state
    # One has failed since: the canary speaks for no other.
    assert state_of(page_of(staff, group)) == "none"


@pytest.mark.sqlite_only
def test_the_canary_is_one_that_can_be_retried(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrying, "TRIES", 1)
    first, *others = [failed_task(project) for _ in range(3)]
    for task in others:  # its chapter is analysed again already
        in_transaction(lambda one=task: queue.enqueue(one.chapter, one.version))  # type: ignore[misc]
    assert retrying.retry_canary(first.error_fingerprint, "boss") == first.pk


@pytest.mark.postgresql
def test_what_nobody_gave_a_fingerprint_gets_one(staff: Client, project: NovelProject) -> None:
    """Rows that were written by hand, or by a program that knew of none."""
    tasks = [failed_task(project) for _ in range(2)]
    before = tasks[0].error_fingerprint
    PendingAnalysis.objects.filter(pk=tasks[1].pk).update(error_fingerprint="")
    assert "timeout" in page_of(staff)
    assert [(one.fingerprint, one.failed) for one in look.groups()] == [(before, 2)]
    assert staff.get(f"{GROUPS}feedfacefeedface/change/").status_code == 404
