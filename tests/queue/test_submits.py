"""The same chapter saved again and again, and saved or deleted while it is read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django_q.models import OrmQ

from analysis import queue, run_analysis
from analysis.analyzers.base import Check, FeatureResult
from analysis.features import FeatureKey
from analysis.models import PendingAnalysis
from analysis.worker.steward import Steward
from arboris.bible.models import Character, Finding
from arboris.novels.models import ChapterVersion, NovelProject
from notifications.models import AnalysisNotification
from tests.analyzers import ScriptedSession
from tests.factories import LONG_ENOUGH, client_of, queue_chapter
from tests.queue.threads import side_by_side

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
SUBMITS, AT_ONCE = 40, 10
OLD = "「沈砚秋」说：走罢。" * 30
NEW = "「顾长风」说：且慢。" * 30


def one_live(chapter_id: int) -> PendingAnalysis:
    """The chapter's only live task."""
    live = PendingAnalysis.objects.filter(status__in=["pending", "processing"])
    return live.get(chapter_id=chapter_id)


def many(submit: Callable[[int], int]) -> list[int]:
    """The answers to all submits, ten at a time."""

    def some(first: int) -> list[int]:
        return [submit(number) for number in range(first, SUBMITS, AT_ONCE)]

    answers = side_by_side(*[lambda n=n: some(n) for n in range(AT_ONCE)])
    return sorted(code for codes in answers for code in codes)


def test_many_identical_patches_leave_one_task(writer: User, project: NovelProject) -> None:
    chapter_id = queue_chapter(project).chapter_id
    client_of(writer)  # the token is made before they race

    def patch(number: int) -> int:
        path = f"/api/chapters/{chapter_id}"
        return int(client_of(writer).patch(path, {"content": NEW}).status_code)

    assert many(patch) == [200] * SUBMITS
    assert one_live(chapter_id).version.content == NEW
    assert ChapterVersion.objects.filter(chapter_id=chapter_id).count() == 2
    assert PendingAnalysis.objects.count() == 2
    assert OrmQ.objects.count() == 2  # the others had nothing to wake anybody for


def test_many_posts_of_one_chapter_make_one(writer: User, project: NovelProject) -> None:
    client_of(writer)

    def post(number: int) -> int:
        path = f"/api/projects/{project.pk}/chapters"
        body = {"content": LONG_ENOUGH, "chapter_number": 7}
        return int(client_of(writer).post(path, body).status_code)

    codes = many(post)
    assert codes == [201] + [400] * (SUBMITS - 1)
    task = PendingAnalysis.objects.get()
    assert one_live(task.chapter_id) == task


def test_texts_that_follow_each_other_leave_the_last_alone(
    writer: User, project: NovelProject
) -> None:
    """While workers claim: a task that has begun gives way like one that waits."""
    chapter_id = queue_chapter(project).chapter_id
    client_of(writer)

    def patch(number: int) -> int:
        body = {"content": f"{NEW}第{number}稿。"}
        if number % 4 == 0:
            queue.claim(f"host:{number}")
        return int(client_of(writer).patch(f"/api/chapters/{chapter_id}", body).status_code)

    assert many(patch) == [200] * SUBMITS
    task = one_live(chapter_id)
    assert task.version.number == task.chapter.version == SUBMITS + 1
    others = PendingAnalysis.objects.exclude(pk=task.pk)
    assert set(others.values_list("status", "error_type")) == {("cancelled", "superseded")}
    assert not AnalysisNotification.objects.exists()


def read_while(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Run the next analysis, and let ``happens`` happen in its middle."""
    real = ScriptedSession.run
    begun: list[FeatureKey] = []

    def run(self: ScriptedSession, feature: FeatureKey, check: Check) -> FeatureResult:
        if not begun:
            begun.append(feature)
            happens()
        return real(self, feature, check)

    monkeypatch.setattr(ScriptedSession, "run", run)
    claim = queue.claim("host:1")
    assert claim is not None
    run_analysis.run(claim, Steward())
    assert begun


@pytest.mark.usefixtures("scripted")
def test_what_was_read_of_an_older_text_is_not_applied(
    writer: User, project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = queue_chapter(project, OLD)
    client = client_of(writer)
    change = lambda: client.patch(f"/api/chapters/{old.chapter_id}", {"content": NEW})  # noqa: E731
    read_while(monkeypatch, change)
    assert not Finding.objects.exists()
    assert not AnalysisNotification.objects.exists()
    old.refresh_from_db()
    assert (old.status, old.error_type, old.result) == ("cancelled", "superseded", None)
    read_while(monkeypatch, lambda: None)
    assert [person.name for person in Character.objects.all()] == ["顾长风"]


@pytest.mark.usefixtures("scripted")
@pytest.mark.parametrize("what", ["chapter", "novel"])
def test_what_was_read_of_a_deleted_text_is_not_applied(
    writer: User, project: NovelProject, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    task = queue_chapter(project, OLD)
    client = client_of(writer)

    def delete() -> None:
        if what == "novel":
            assert client.delete(f"/api/projects/{project.pk}").status_code == 204
        else:
            assert client.delete(f"/api/chapters/{task.chapter_id}").status_code == 204

    read_while(monkeypatch, delete)
    assert not Finding.objects.exists()
    assert not Character.objects.exists()
    assert not AnalysisNotification.objects.exists()
    task.refresh_from_db()
    assert (task.status, task.result) == ("cancelled", None)


@pytest.mark.usefixtures("scripted")
def test_what_was_read_for_a_cancelled_task_is_not_applied(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = queue_chapter(project, OLD)
    read_while(monkeypatch, lambda: queue.cancel(task.pk))
    assert not Finding.objects.exists()
    told = AnalysisNotification.objects.values_list("notification_type", flat=True)
    assert list(told) == ["cancelled"]
