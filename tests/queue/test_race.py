"""Many requests at the same moment: one live task per chapter, no number twice, no error."""

from __future__ import annotations

from collections import Counter

import pytest
from django.contrib.auth.models import User

from analysis import queue
from analysis.errors import QueueConflict
from analysis.models import PendingAnalysis
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from tests.analyzers import permanent
from tests.factories import LONG_ENOUGH, JsonClient, claim_next, client_of, queue_chapter
from tests.queue.threads import side_by_side

pytestmark = pytest.mark.django_db(transaction=True)
NEWER = "雨停了，沈砚秋才发觉灯笼早已熄灭，巷子尽头有人在等他。" * 12


def live(chapter_id: int) -> int:
    return PendingAnalysis.objects.filter(active_chapter=chapter_id).count()


def test_identical_patches_make_one_version_and_one_task(
    writer: User, project: NovelProject
) -> None:
    chapter_id = queue_chapter(project).chapter_id

    def patch() -> int:
        answer = client_of(writer).patch(f"/api/chapters/{chapter_id}", {"content": NEWER})
        return int(answer.status_code)

    client_of(writer)  # the token is made before they race
    assert side_by_side(*[patch] * 5) == [200] * 5
    assert live(chapter_id) == 1
    assert ChapterVersion.objects.filter(chapter_id=chapter_id).count() == 2
    assert PendingAnalysis.objects.count() == 2


def test_different_patches_leave_the_last_text_analysed(
    writer: User, project: NovelProject
) -> None:
    chapter_id = queue_chapter(project).chapter_id
    clients: list[JsonClient] = [client_of(writer) for _ in range(5)]

    def patch(number: int) -> int:
        body = {"content": f"{NEWER}第{number}稿。"}
        return int(clients[number].patch(f"/api/chapters/{chapter_id}", body).status_code)

    codes = side_by_side(*[lambda n=n: patch(n) for n in range(5)])
    assert codes == [200] * 5
    task = PendingAnalysis.objects.get(active_chapter=chapter_id)
    chapter = Chapter.objects.get()
    assert chapter.version == task.version.number == 6


def test_chapters_added_at_once_get_their_own_numbers(writer: User, project: NovelProject) -> None:
    clients = [client_of(writer) for _ in range(5)]

    def post(client: JsonClient) -> int:
        path = f"/api/projects/{project.pk}/chapters"
        return int(client.post(path, {"content": LONG_ENOUGH}).json()["chapter_number"])

    numbers = side_by_side(*[lambda c=c: post(c) for c in clients])
    assert sorted(numbers) == [1, 2, 3, 4, 5]


def test_retries_at_once_queue_it_once(project: NovelProject) -> None:
    task = queue_chapter(project)
    queue.fail(claim_next(), permanent())

    def retry() -> str:
        try:
            queue.retry(task.pk)
        except QueueConflict:
            return "conflict"
        return "queued"

    assert Counter(side_by_side(*[retry] * 5)) == {"queued": 1, "conflict": 4}
    assert live(task.chapter_id) == 1


def test_retry_and_patch_at_once_never_fail(writer: User, project: NovelProject) -> None:
    client = client_of(writer)
    for number in range(6):
        task = queue_chapter(project)
        queue.cancel(task.pk)

        def patch(chapter_id: int = task.chapter_id, number: int = number) -> int:
            body = {"content": f"{NEWER}{number}"}
            return int(client.patch(f"/api/chapters/{chapter_id}", body).status_code)

        def retry(pk: int = task.pk) -> int:
            return int(client_of(writer).post(f"/api/async-analysis/tasks/{pk}/retry").status_code)

        patched, retried = side_by_side(patch, retry)
        assert patched == 200
        assert retried in {200, 409}
        newest = PendingAnalysis.objects.get(active_chapter=task.chapter_id)
        assert newest.version.number == 2


def test_cancel_and_finish_at_once_agree(project: NovelProject) -> None:
    for _ in range(5):
        task = queue_chapter(project)
        claim = claim_next()

        def cancel(pk: int = task.pk) -> str:
            try:
                queue.cancel(pk)
            except QueueConflict:
                return ""
            return "cancelled"

        def finish(claim: queue.Claim = claim) -> str:
            from analysis.errors import LeaseLost
            from arboris.db import in_transaction

            try:
                in_transaction(lambda: queue.finish(claim, {}, {}))
            except LeaseLost:
                return ""
            return "completed"

        outcome = "".join(side_by_side(cancel, finish))
        task.refresh_from_db()
        assert outcome == task.status
