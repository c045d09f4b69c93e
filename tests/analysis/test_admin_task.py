"""The page of one analysis: what it tells, to whom, and what may be done there."""

from __future__ import annotations

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from analysis import queue
from analysis.models import AnalysisAttempt, OperatorAction, PendingAnalysis, Status
from analysis.queue import Failure, PauseTarget
from arboris.novels.models import NovelProject
from notifications.models import AnalysisNotification
from tests.analysis.operators import call, failed_task
from tests.analysis.test_admin import LIST, member, signed_in
from tests.analysis.test_show import called
from tests.factories import make_user, queue_chapter

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    return signed_in(make_user("boss", is_staff=True, is_superuser=True))


def page_of(client: Client, task: PendingAnalysis) -> str:
    response = client.get(f"{LIST}{task.pk}/change/")
    assert response.status_code == 200
    return response.content.decode()


def levels_after(client: Client, path: str, **data: object) -> list[str]:
    """The levels of the messages that the page shows after the form was sent."""
    page = client.post(path, data, follow=True).content.decode()
    return re.findall(r'<li class="(success|error|warning)">', page)


def test_it_tells_all_there_is(staff: Client, project: NovelProject) -> None:
    task = failed_task(project)
    called(task, "world_expansion")
    trace = Failure("world_expansion", "  analysis/x.py:7 read: raise\nValueError")
    AnalysisAttempt.objects.update(**trace._asdict())
    page = page_of(staff, task)
    for shown in (
        f"{task.completed_at:%Y-%m-%d %H:%M:%S} UTC",
        "timeout</strong>: too long",
        f"/admin/analysis/errorgroup/{task.error_fingerprint}/change/",
        "world_expansion",
        "analysis/x.py:7",
        "0.0125",
        "1200 + 34",
        "api.example.com",
        "Retry the analysis",
    ):
        assert shown in page, shown
    assert "Cancel the analysis" not in page
    (told,) = AnalysisNotification.objects.all()
    assert re.search(rf'data-testid="notifications".*<td>{told.pk}</td>', page, re.DOTALL)
    seen = call("analysis_show", task.pk, "--json").document
    assert seen["attempts"][0]["feature"] == "world_expansion"
    spent = seen["spent"]
    assert (spent["calls"], spent["prompt_tokens"], float(spent["cost"])) == (1, 1200, 0.0125)
    assert "analysis/x.py:7" in call("analysis_show", task.pk).out

    support = member("view_pendinganalysis", "view_analysisattempt")
    attempt = f"/admin/analysis/analysisattempt/{AnalysisAttempt.objects.get().pk}/change/"
    seen_by = [client.get(attempt).content.decode() for client in (staff, support)]
    assert ["world_expansion" in one for one in seen_by] == [True, True]
    assert ["analysis/x.py" in one for one in seen_by] == [True, False]
    page = page_of(support, task)
    assert "world_expansion" in page
    for hidden in ("analysis/x.py", "Retry the analysis", "Set priority"):
        assert hidden not in page


def test_one_is_retried_reordered_and_cancelled_there(staff: Client, project: NovelProject) -> None:
    task = failed_task(project)
    url = f"{LIST}{task.pk}/"
    asked = staff.get(f"{url}retry/").content.decode()
    assert "听雨楼 · 1" in asked and "will be told" not in asked
    assert levels_after(staff, f"{url}retry/", reason="key is new") == ["success"]
    assert levels_after(staff, f"{url}retry/") == ["error"]
    queue.pause("moving", PauseTarget(project_id=project.pk))
    assert "project_paused" in page_of(staff, task)
    assert levels_after(staff, f"{url}change/", priority=9, reason="urgent") == ["success"]
    assert "will be told" in staff.get(f"{url}cancel/").content.decode()
    assert levels_after(staff, f"{url}cancel/") == ["success"]
    task.refresh_from_db()
    assert (task.status, task.priority) == (Status.CANCELLED, 9)
    assert AnalysisNotification.objects.filter(notification_type="cancelled").count() == 1
    done = list(OperatorAction.objects.order_by("pk").values_list("action", "actor", "reason"))
    assert done == [
        ("retry", "boss", "key is new"),
        ("set_priority", "boss", "urgent"),
        ("cancel", "boss", ""),
    ]
    assert LogEntry.objects.count() == 3
    page = page_of(staff, task)
    assert re.search(r'data-testid="record".*key is new.*urgent', page, re.DOTALL)


def test_a_priority_that_does_not_count_is_refused_and_nothing_else(
    staff: Client, project: NovelProject
) -> None:
    task = failed_task(project)
    assert levels_after(staff, f"{LIST}{task.pk}/change/", priority=3) == ["error"]
    task.refresh_from_db()
    assert task.priority == 10
    assert not OperatorAction.objects.exists() and not LogEntry.objects.exists()


@pytest.mark.parametrize("name", ["retry", "cancel"])
def test_each_button_takes_its_right(project: NovelProject, name: str) -> None:
    task = queue_chapter(project) if name == "cancel" else failed_task(project)
    rights = {"retry", "cancel", "change"} - {name}
    others = member("view_pendinganalysis", *(f"{right}_pendinganalysis" for right in rights))
    assert f"{task.pk}/{name}/" not in page_of(others, task)
    for method in (others.get, others.post):
        assert method(f"{LIST}{task.pk}/{name}/").status_code == 403
    viewer = member("view_pendinganalysis")
    assert viewer.post(f"{LIST}{task.pk}/change/", {"priority": 3}).status_code == 403
    before = task.status
    task.refresh_from_db()
    assert task.status == before
    one = member("view_pendinganalysis", f"{name}_pendinganalysis")
    assert f"{task.pk}/{name}/" in page_of(one, task)
    assert levels_after(one, f"{LIST}{task.pk}/{name}/") == ["success"]
    assert one.get(f"{LIST}999999/{name}/").status_code == 404
