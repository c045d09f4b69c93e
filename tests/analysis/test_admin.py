"""The operator's pages, used by a signed-in member of the staff."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from analysis import queue
from analysis.models import (
    PendingAnalysis,
    QueueControl,
    QueuePause,
    Status,
)
from arboris.bible import models as bible
from arboris.llm.models import ModelRoute
from arboris.novels.models import Chapter, NovelProject
from tests.analysis.operators import failed_task, novel_of, statuses
from tests.factories import JsonClient, claim_next, make_user, queue_chapter

pytestmark = pytest.mark.django_db
LIST = "/admin/analysis/pendinganalysis/"
OURS = {"analysis", "notifications", "novels", "bible", "llm"}
MODELS = [
    pytest.param(model, id=model._meta.label)
    for model in admin.site._registry
    if model._meta.app_label in OURS
]


@pytest.fixture
def staff() -> Client:
    return signed_in(make_user("boss", is_staff=True, is_superuser=True))


def signed_in(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def member(*codenames: str) -> Client:
    """Staff with these permissions and no others."""
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return signed_in(user)


def act(client: Client, name: str, *tasks: PendingAnalysis, **more: Any) -> str:
    """Choose an action on the list; the page that tells what it will do, or why it cannot."""
    data = {"action": name, "index": 0, "_selected_action": [task.pk for task in tasks], **more}
    response = client.post(LIST, data, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def confirm(client: Client, page: str, **more: Any) -> str:
    """Press the button of that page; the list with the messages that comes of it."""
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    data = {name: value for name, value in fields if name != "csrfmiddlewaretoken"}
    response = client.post(LIST, {**data, "apply": "1", **more}, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def shown(client: Client, **query: Any) -> list[int]:
    """The numbers of the analyses on the list."""
    response = client.get(LIST, query)
    assert response.status_code == 200
    assert "e" not in response.wsgi_request.GET  # Django's answer to a filter it does not know
    return [task.pk for task in response.context["cl"].result_list]


# --- every model -----------------------------------------------------------------------------
def test_every_model_has_its_page() -> None:
    from django.apps import apps

    ours = {model for label in OURS for model in apps.get_app_config(label).get_models()}
    assert ours == {model for model in admin.site._registry if model._meta.app_label in OURS}
    with translation.override("zh-hans"):
        names = {str(model._meta.verbose_name_plural) for model in ours}
    assert not [name for name in names if name.isascii()]


@pytest.mark.parametrize("model", MODELS)
def test_lists_and_pages_open(staff: Client, project: NovelProject, model: Any) -> None:
    failed_task(project)
    world(project)
    base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    for query in ({}, {"q": "听雨"}, {"q": "1"}, {"q": "99999999999999999999"}):
        assert staff.get(reverse(f"{base}_changelist"), query).status_code == 200
    for row in model._default_manager.all()[:1]:
        assert staff.get(reverse(f"{base}_change", args=[row.pk])).status_code == 200
    adding = staff.get(reverse(f"{base}_add")).status_code
    assert adding == (200 if model in (ModelRoute, NovelProject, QueuePause) else 403)


def world(project: NovelProject) -> None:
    """One row of everything that the bible holds."""
    chapter = Chapter.objects.get(project=project)
    fact: dict[str, Any] = {"chapter": chapter, "quote": "铜铃响了", "confidence": 0.9}
    person = bible.Character.objects.create(
        project=project, name="沈砚秋", last_chapter=chapter, **fact
    )
    bible.CharacterAlias.objects.create(character=person, name="秋", **fact)
    bible.CharacterState.objects.create(character=person, kind="condition", **fact)
    bible.WorldEntity.objects.create(project=project, kind="item", name="铜铃", **fact)
    thread = bible.ForeshadowingThread.objects.create(project=project, kind="hint", **fact)
    bible.ForeshadowingEvent.objects.create(thread=thread, outcome="advanced", **fact)
    bible.Relationship.objects.create(project=project, source=person, target=person, **fact)
    bible.Finding.objects.create(
        project=project,
        chapter=chapter,
        version=chapter.current,
        task_id=1,
        feature="foreshadowing",
        type="foreshadowing",
        payload={},
        quote="铜铃响了",
        start=0,
        end=4,
        confidence=0.9,
    )


# --- the list --------------------------------------------------------------------------------
def test_the_list_shows_what_operators_need(staff: Client, project: NovelProject) -> None:
    task = failed_task(project)
    page = staff.get(LIST).content.decode()
    for text in (f">{task.pk}<", "failed", "听雨楼 · 1", "writer", "timeout: too long"):
        assert text in page


def test_search_by_number_novel_writer_and_error(staff: Client, project: NovelProject) -> None:
    failed, foreign = failed_task(project), queue_chapter(novel_of("lin"))
    assert shown(staff, q=failed.pk) == [failed.pk]
    assert shown(staff, q="听雨") == [failed.pk]
    assert shown(staff, q="LIN") == [foreign.pk]
    assert shown(staff, q="TOO long") == [failed.pk]
    assert shown(staff, q="timeout") == [failed.pk]
    assert shown(staff, q="Novel of", status__exact="pending") == [foreign.pk]
    assert shown(staff, q="Novel of", status__exact="failed") == []
    assert shown(staff, q="nothing like it") == []


def test_novels_are_found_by_title_and_writer(staff: Client, project: NovelProject) -> None:
    foreign = novel_of("lin")
    for term, found in (("听雨", project), ("novel OF", foreign), ("LIN", foreign)):
        response = staff.get("/admin/novels/novelproject/", {"q": term})
        assert list(response.context["cl"].result_list) == [found]


def test_filters(staff: Client, project: NovelProject) -> None:
    failed, waiting = failed_task(project), queue_chapter(project, priority=2)
    PendingAnalysis.objects.filter(pk=failed.pk).update(
        created_at=timezone.now() - timedelta(days=40)
    )
    assert shown(staff, status__exact="failed") == [failed.pk]
    assert shown(staff, error_type="timeout") == [failed.pk]
    assert shown(staff, error_type="worker_lost") == []
    assert shown(staff, priority="2") == [waiting.pk]
    week = timezone.now() - timedelta(days=7)
    assert shown(staff, created_at__gte=week.isoformat()) == [waiting.pk]


def test_the_list_costs_the_same_however_long_it_is(staff: Client, project: NovelProject) -> None:
    def cost(**query: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            shown(staff, **query)
        return len(queries)

    failed_task(project)
    shown(staff)  # whatever is looked up once per process
    before = cost(), cost(q="听雨"), cost(status__exact="failed")
    for _ in range(8):
        failed_task(novel_of(f"w{_}"))
    assert (cost(), cost(q="听雨"), cost(status__exact="failed")) == before
    assert before[0] <= 8


def test_the_list_takes_eight_queries(
    staff: Client, project: NovelProject, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(3):
        failed_task(project)
    shown(staff)
    # session, user, which rows, the rows; their chapters, novels and writers; what is paused
    with django_assert_num_queries(8):
        staff.get(LIST)


# --- one task --------------------------------------------------------------------------------
def test_only_the_priority_can_be_written(staff: Client, project: NovelProject) -> None:
    task = queue_chapter(project)
    claim = claim_next()
    queue.give_back(claim)
    page = staff.get(f"{LIST}{task.pk}/change/").content.decode()
    assert 'name="priority"' in page and 'name="status"' not in page
    assert "given back" in page  # its attempts
    inline = {"attempts-TOTAL_FORMS": 0, "attempts-INITIAL_FORMS": 0}
    forged = {"priority": 7, "status": "completed", "lease_token": "mine", **inline}
    assert staff.post(f"{LIST}{task.pk}/change/", forged).status_code == 302
    task.refresh_from_db()
    assert (task.priority, task.status, task.lease_token) == (7, Status.PENDING, "")
    wrong = staff.post(f"{LIST}{task.pk}/change/", {"priority": 0, **inline})
    assert wrong.status_code == 200
    claim_next()
    refused = staff.post(f"{LIST}{task.pk}/change/", {"priority": 3, **inline}, follow=True)
    assert "Only a pending analysis can be reordered." in refused.content.decode()
    task.refresh_from_db()
    assert task.priority == 7


def test_analyses_are_neither_added_nor_deleted_here(staff: Client, project: NovelProject) -> None:
    task = queue_chapter(project)
    assert staff.get(f"{LIST}add/").status_code == 403
    assert staff.post(f"{LIST}{task.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in staff.get(LIST).content.decode()


# --- the queue -------------------------------------------------------------------------------
def test_pause_and_resume(staff: Client, project: NovelProject) -> None:
    queue_chapter(project)
    url = "/admin/analysis/queuecontrol/1/change/"
    assert staff.post(url, {"paused": "on", "paused_reason": "moving"}).status_code == 302
    control = QueueControl.objects.get()
    assert control.paused_at is not None and control.paused_reason == "moving"
    assert queue.claim("host:1") is None
    assert staff.post(url, {"paused_reason": "moving"}).status_code == 302
    assert QueueControl.objects.get().paused_at is None
    assert queue.claim("host:1") is not None
    assert LogEntry.objects.count() == 2


# --- who may ---------------------------------------------------------------------------------
def test_looking_takes_the_right_to_view(project: NovelProject) -> None:
    task = queue_chapter(project)
    assert member().get(LIST).status_code == 403
    viewer = member("view_pendinganalysis")
    assert viewer.get(LIST).status_code == 200
    assert viewer.get(f"{LIST}{task.pk}/change/").status_code == 200
    asked = {"action": "cancel", "index": 0, "_selected_action": [task.pk]}
    assert viewer.post(LIST, asked).status_code == 403
    assert statuses() == {task.pk: Status.PENDING}
    assert signed_in(make_user()).get(LIST).status_code == 302  # to the login


# --- novels ----------------------------------------------------------------------------------
def test_a_novel_is_deleted_with_all_that_belongs_to_it(
    staff: Client, project: NovelProject
) -> None:
    queue_chapter(project)
    world(project)
    url = f"/admin/novels/novelproject/{project.pk}/delete/"
    with translation.override("en"):
        page = staff.get(url).content.decode()
    assert "听雨楼 with 1 chapter" in page
    assert staff.post(url, {"post": "yes"}).status_code == 302
    assert not NovelProject.objects.exists()
    assert not PendingAnalysis.objects.exists()


def test_a_writer_is_deleted_with_all_that_belongs_to_them(
    staff: Client, project: NovelProject
) -> None:
    queue_chapter(project)
    world(project)
    url = f"/admin/auth/user/{project.owner_id}/delete/"
    assert staff.post(url, {"post": "yes"}).status_code == 302
    assert not PendingAnalysis.objects.exists()


def test_a_changed_title_writes_no_other_column(staff: Client, project: NovelProject) -> None:
    chapter = queue_chapter(project).chapter
    url = f"/admin/novels/chapter/{chapter.pk}/change/"
    with CaptureQueriesContext(connection) as queries:
        assert staff.post(url, {"title": "雨夜"}).status_code == 302
    (update,) = [
        q["sql"] for q in queries if q["sql"].startswith("UPDATE") and "chapter" in q["sql"]
    ]
    assert "word_count" not in update
    chapter.refresh_from_db()
    assert chapter.title == "雨夜"


def test_what_is_in_the_trash_is_marked(
    staff: Client, project: NovelProject, api: JsonClient
) -> None:
    task = queue_chapter(project)

    def marks() -> list[str]:
        pages = (
            staff.get(path).content.decode() for path in (LIST, "/admin/novels/chapterversion/")
        )
        return [re.findall(r'field-in_trash">.*?alt="(\w+)"', page)[0] for page in pages]

    assert marks() == ["False", "False"]
    assert api.delete(f"/api/chapters/{task.chapter_id}").status_code == 204
    assert marks() == ["True", "True"]
    assert api.post(f"/api/trash/chapter/{task.chapter_id}/restore", {}).status_code == 200
    assert api.delete(f"/api/projects/{project.pk}").status_code == 204
    assert marks() == ["True", "True"]
