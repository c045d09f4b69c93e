"""Who may do what in the admin: rights apart, the groups that come with the site, and texts."""

from __future__ import annotations

import json
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from analysis.errors import AnalyzerFailed, ProcessingTimeout
from analysis.models import (
    AnalysisAttempt,
    BulkOperation,
    ErrorGroup,
    PendingAnalysis,
    QueuePause,
    Status,
)
from arboris.bible.models import Character, Finding, ForeshadowingThread
from arboris.novels.models import Chapter, NovelProject
from tests.analysis.operators import failed_task, novel_of
from tests.analysis.test_admin import LIST, act, confirm, member, signed_in
from tests.analysis.test_admin import world as bible_of
from tests.factories import make_user, queue_chapter

pytestmark = pytest.mark.django_db

groups = import_module("analysis.migrations.0006_groups")
bulk_operations = import_module("analysis.migrations.0010_bulk_operations")
VERSIONS = "/admin/novels/chapterversion/"


def member_of(name: str) -> Client:
    """A test that empties the tables empties that of the groups too: they are made as at first."""
    groups.add_groups(apps, None)
    bulk_operations.give_rights(apps, None)
    user = make_user(is_staff=True)
    user.groups.add(Group.objects.get(name=name))
    return signed_in(user)


def status(task: PendingAnalysis) -> str:
    task.refresh_from_db()
    return task.status


@pytest.mark.parametrize("action", ["retry", "cancel"])
def test_each_action_has_a_right_of_its_own(project: NovelProject, action: str) -> None:
    task = queue_chapter(project)
    if action == "retry":
        PendingAnalysis.objects.update(status=Status.FAILED, active_chapter=None)
    before = status(task)
    rights = {"retry", "cancel", "change"} - {action}
    others = member("view_pendinganalysis", *(f"{right}_pendinganalysis" for right in rights))
    asked = {"action": action, "index": 0, "_selected_action": [task.pk]}
    assert f'value="{action}"' not in others.get(LIST).content.decode()
    assert others.post(LIST, asked).status_code == 403
    assert others.post(LIST, {**asked, "apply": "1", "operation": "1"}).status_code == 403
    assert status(task) == before
    one = member("view_pendinganalysis", f"{action}_pendinganalysis")
    assert 'name="priority"' not in one.get(f"{LIST}{task.pk}/change/").content.decode()
    confirm(one, act(one, action, task))
    assert status(task) == {"retry": Status.PENDING, "cancel": Status.CANCELLED}[action]


def test_support_looks_and_an_operator_acts(project: NovelProject) -> None:
    task = queue_chapter(project)
    support, operator = member_of("Support (read)"), member_of("Operator")
    pause = {"project": project.pk, "reason": "too fast"}
    for client in (support, operator):
        for page in (LIST, f"{LIST}{task.pk}/change/", "/admin/analysis/operatoraction/"):
            assert client.get(page).status_code == 200
        for page in (VERSIONS, "/admin/bible/finding/", "/admin/auth/user/"):
            assert client.get(page).status_code == 403
    assert 'name="action"' not in support.get(LIST).content.decode()
    assert support.post("/admin/analysis/queuepause/add/", pause).status_code == 403
    assert operator.post("/admin/analysis/queuepause/add/", pause).status_code == 302
    assert QueuePause.objects.get().project_id == project.pk
    confirm(operator, act(operator, "set_priority", task), priority="9")
    page = act(operator, "cancel", task)
    operation = BulkOperation.objects.latest("pk")
    url = f"/admin/analysis/bulkoperation/{operation.pk}/"
    for name in ("start", "stop", "resume"):
        assert support.post(f"{url}{name}/", {"operation": operation.pk}).status_code == 403
    shown = support.get(f"{url}change/").content.decode()
    assert 'data-state="previewed"' in shown and "<form method" not in shown.split("<main")[1]
    assert support.get(f"{url}state/").json()["ended"] is True
    asked = {"action": "cancel", "index": 0, "_selected_action": [task.pk]}
    assert support.post(LIST, asked).status_code == 403
    assert member("view_pendinganalysis").get(f"{url}change/").status_code == 403
    assert status(task) == Status.PENDING
    confirm(operator, page)
    assert (status(task), task.priority) == (Status.CANCELLED, 9)


def test_a_group_of_that_name_is_left_as_it_is(db: None) -> None:
    Group.objects.filter(name="Operator").delete()
    Group.objects.create(name="Operator")
    groups.add_groups(apps, None)
    assert not Group.objects.get(name="Operator").permissions.exists()


def test_who_could_change_analyses_can_still_retry_and_cancel(db: None) -> None:
    user, group = make_user(is_staff=True), Group.objects.create(name="Night shift")
    change = Permission.objects.get(codename="change_pendinganalysis")
    user.user_permissions.add(change)
    group.permissions.add(change)
    groups.keep_rights(apps, None)
    added = {"analysis.retry_pendinganalysis", "analysis.cancel_pendinganalysis"}
    assert added <= User.objects.get(pk=user.pk).get_all_permissions()
    member = make_user(is_staff=True)
    member.groups.add(group)
    assert added <= User.objects.get(pk=member.pk).get_all_permissions()


def test_a_text_is_read_by_those_who_may_and_each_look_is_recorded(project: NovelProject) -> None:
    version = queue_chapter(project, "「沈砚秋」说：雨停了再走。" * 30).version
    page = f"{VERSIONS}{version.pk}/change/"
    without = member("view_chapterversion").get(page)
    assert (without.status_code, "雨停了" in without.content.decode()) == (200, False)
    assert not LogEntry.objects.exists()
    reader = member("view_chapterversion", "read_text")
    reader.get(VERSIONS)
    assert not LogEntry.objects.exists()
    assert "雨停了" in reader.get(page).content.decode()
    looked = LogEntry.objects.get()
    assert (looked.object_id, looked.get_change_message()) == (
        str(version.pk),
        "The text was read.",
    )
    Chapter.objects.update(summary="雨停了")
    page = f"/admin/novels/chapter/{version.chapter_id}/change/"
    refused = member("change_chapter", "view_chapter", "read_text").post(
        page, {"title": "长" * 201}
    )
    assert (refused.status_code, "雨停了" in refused.content.decode()) == (200, True)
    assert LogEntry.objects.filter(change_message="The text was read.").count() == 2


def test_no_page_shows_a_text_to_those_who_may_not_read_it(project: NovelProject) -> None:
    """Every list, page and history; who may read sees it, and each page that shows it is logged."""
    words = "雨停了再走"
    chapter = queue_chapter(project, f"「沈砚秋」说：{words}。" * 40).chapter
    bible_of(project)
    Finding.objects.update(quote=words, payload={"description": words})
    Character.objects.update(quote=words)
    ForeshadowingThread.objects.update(quote=words, description=words)
    Chapter.objects.filter(pk=chapter.pk).update(summary=words)
    task = failed_task(novel_of("lin"), ProcessingTimeout("too long"))
    PendingAnalysis.objects.filter(pk=task.pk).update(checkpoint={"features": words})
    looks = Permission.objects.filter(codename__startswith="view_").exclude(
        codename="view_traceback"
    )
    pages = [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=arguments)
        for model in admin.site._registry
        for row in model._default_manager.all()[:1]
        for name, arguments in (("changelist", []), ("change", [row.pk]), ("history", [row.pk]))
    ]

    def showing(*more: str) -> set[str]:
        user = make_user(is_staff=True)
        user.user_permissions.set([*looks, *Permission.objects.filter(codename__in=more)])
        client = signed_in(user)
        return {page for page in pages if words in client.get(page).content.decode()}

    assert showing() == set()
    assert not LogEntry.objects.exists()
    shown = showing("read_text")
    assert {page.split("/")[3] for page in shown} >= {"chapter", "chapterversion", "finding"}
    assert {page for page in shown if not page.endswith("/change/")} == set()
    read = LogEntry.objects.filter(change_message="The text was read.")
    assert read.count() >= len(shown)


@pytest.mark.sqlite_only
def test_an_error_that_quotes_a_text_is_told_to_those_who_may_read_one(
    project: NovelProject,
) -> None:
    """Its list and page, files, groups, canary and attempts; others see its code and kind."""
    words = "雨停了再走"
    error = AnalyzerFailed(f"KeyError: '{words}'")
    error.retryable = False
    task = failed_task(project, error)
    group, attempt = task.error_fingerprint, AnalysisAttempt.objects.get()
    ErrorGroup.objects.create(pk=group, error_type=error.code, canary=task.pk)
    failed_task(project, ProcessingTimeout("no end"))
    pages = [
        f"{LIST}?status__exact=failed",
        f"{LIST}{task.pk}/change/",
        f"{LIST}export/json/?status__exact=failed",
        f"{LIST}export/json/?q={words}",
        "/admin/analysis/errorgroup/",
        f"/admin/analysis/errorgroup/{group}/change/",
        f"/admin/analysis/errorgroup/{group}/state/",
        f"/admin/analysis/analysisattempt/{attempt.pk}/change/",
    ]

    def told(*more: str) -> list[str]:
        views = ("view_pendinganalysis", "view_analysisattempt", "retry_pendinganalysis")
        client = member(*views, *more)
        answers = [client.get(page) for page in pages]
        assert {answer.status_code for answer in answers} == {200}
        return [b"".join(answer).decode() for answer in answers]

    plain = told()
    assert [words in page for page in plain] == [False] * len(pages)
    assert json.loads(plain[3]) == []
    assert "timeout: no end" in plain[0]
    assert "analyzer_error: KeyError: The analysis ran into" in plain[0]
    assert all(words in page for page in told("read_text"))
