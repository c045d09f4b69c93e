"""Actions on the list of analyses: what they tell beforehand, and that they do exactly that."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from analysis import queue
from analysis.admin import actions
from analysis.models import OperatorAction, PendingAnalysis, Status
from arboris import admin_base
from arboris.db import db_now
from arboris.novels.models import NovelProject
from tests.analysis.operators import failed_task, novel_of, statuses
from tests.analysis.test_admin import LIST, act, confirm, signed_in
from tests.factories import claim_next, make_chapter, make_user, queue_chapter

pytestmark = [pytest.mark.databases, pytest.mark.django_db]
ENDED = "This analysis has already ended."


@pytest.fixture
def staff() -> Client:
    return signed_in(make_user("boss", is_staff=True, is_superuser=True))


def many(project: NovelProject, count: int, **fields: object) -> list[int]:
    """So many pending analyses of one chapter's text, made in one go."""
    chapter = make_chapter(project)
    now = db_now()
    # As if each had a chapter of its own: the unique column is all that would notice.
    rows = [
        PendingAnalysis(
            chapter=chapter, version=chapter.current, project=project, user=project.owner,
            active_chapter=10_000_000 + number, created_at=now, due_at=now, **fields,
        )
        for number in range(count)
    ]  # fmt: skip
    PendingAnalysis.objects.bulk_create(rows, batch_size=500)
    return list(PendingAnalysis.objects.order_by("pk").values_list("pk", flat=True))


def whole_search(client: Client, name: str, term: str, first: int) -> str:
    """ "Select all" over a search, of which the page has sent one row."""
    data = {"action": name, "index": 0, "_selected_action": [first], "select_across": "1"}
    response = client.post(f"{LIST}?q={term}", data)
    assert response.status_code == 200
    return response.content.decode()


def test_retry_and_cancel_go_through_the_queue(staff: Client, project: NovelProject) -> None:
    failed, waiting = failed_task(project), queue_chapter(project, priority=1)
    page = act(staff, "retry", failed, waiting)
    assert "1 analysis will be changed." in page
    assert "1 analysis is left as it is: Only a failed or cancelled analysis can be ret" in page
    assert statuses()[failed.pk] == Status.FAILED
    assert "1 analysis: Retried." in confirm(staff, page)
    assert statuses() == {failed.pk: Status.PENDING, waiting.pk: Status.PENDING}
    claim = claim_next()
    assert "2 analyses: Cancelled." in confirm(staff, act(staff, "cancel", failed, waiting))
    assert not queue.owns(claim)
    assert set(statuses().values()) == {Status.CANCELLED}
    page = act(staff, "cancel", failed)
    assert "No analysis will be changed." in page and ENDED in page and 'name="apply"' not in page
    entries = LogEntry.objects.order_by("pk").values_list("object_id", "change_message")
    assert list(entries) == [
        (str(failed.pk), "Retried."),
        (str(failed.pk), "Cancelled."),
        (str(waiting.pk), "Cancelled."),
    ]


def test_what_changed_meanwhile_is_left_and_told(staff: Client, project: NovelProject) -> None:
    first, second = queue_chapter(project), queue_chapter(project)
    page = act(staff, "cancel", first, second)
    queue.cancel(first.pk)
    third = queue_chapter(project)
    done = confirm(staff, page)
    assert "1 analysis: Cancelled." in done
    assert f"1 analysis was left as it is (such as {first.pk}): {ENDED}" in done
    assert statuses()[third.pk] == Status.PENDING


def test_set_priority_asks_for_the_number(staff: Client, project: NovelProject) -> None:
    failed, waiting = failed_task(project), queue_chapter(project)
    page = act(staff, "set_priority", failed, waiting)
    assert 'type="number"' in page and "autofocus" in page
    assert "1 analysis will be changed." in page
    assert "Only a pending analysis can be reordered." in page
    wrong = confirm(staff, page, priority="11")
    assert "less than or equal to 10" in wrong and "1 analysis will be changed." in wrong
    assert "1 analysis: Priority set to 9." in confirm(staff, wrong, priority="9")
    waiting.refresh_from_db()
    assert waiting.priority == 9
    assert LogEntry.objects.get().object_id == str(waiting.pk)


def test_of_one_chapter_one_is_retried(staff: Client, project: NovelProject) -> None:
    first = failed_task(project)
    copy = PendingAnalysis.objects.get(pk=first.pk)
    copy.pk = None
    copy.save()
    page = act(staff, "retry", first, copy)
    assert "1 analysis will be changed." in page
    assert "1 analysis is left as it is: The chapter is already being analysed." in page


@pytest.mark.parametrize("term", ["听雨", "WRITER"], ids=["a novel", "a writer"])
def test_a_whole_search_is_changed(
    staff: Client, project: NovelProject, term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what the list's own search leaves out, which stops at 1,000."""
    monkeypatch.setattr(admin_base, "FOUND", 10)
    monkeypatch.setattr(actions, "BATCH", 8)
    ids = many(project, 30)
    ended, foreign = queue_chapter(project), queue_chapter(novel_of("lin"))
    queue.cancel(ended.pk)
    page = whole_search(staff, "set_priority", term, ids[0])
    assert "30 analyses will be changed." in page
    assert "1 analysis is left as it is: Only a pending" in page
    assert "30 analyses: Priority set to 8." in confirm(staff, page, priority="8")
    changed = PendingAnalysis.objects.filter(priority=8).order_by("pk")
    assert list(changed.values_list("pk", flat=True)) == ids
    foreign.refresh_from_db()
    assert foreign.priority == 5
    assert OperatorAction.objects.get().count == 30


def test_an_error_is_found_across_pages(staff: Client, project: NovelProject) -> None:
    tasks = [failed_task(project) for _ in range(3)]
    page = whole_search(staff, "retry", "TOO long", tasks[0].pk)
    assert "3 analyses will be changed." in page
    assert "3 analyses: Retried." in confirm(staff, page)


def test_one_action_takes_a_bounded_number(
    staff: Client, project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "AT_ONCE", 2)
    tasks = [queue_chapter(project) for _ in range(5)]
    page = whole_search(staff, "cancel", "听雨", tasks[0].pk)
    assert "2 analyses will be changed." in page
    assert "3 analyses are left as they are: An action takes at most 2 analyses" in page
    assert statuses()[tasks[0].pk] == Status.PENDING
    confirm(staff, page)
    assert [statuses()[task.pk] for task in tasks] == ["cancelled"] * 2 + ["pending"] * 3


@pytest.mark.parametrize("ids", ["", "1,x", "1" * 30, "²"])
def test_forged_numbers_change_nothing(staff: Client, project: NovelProject, ids: str) -> None:
    task = queue_chapter(project)
    page = act(staff, "cancel", task, apply="1", ids=ids)
    assert "No analysis will be changed." in page
    assert statuses() == {task.pk: Status.PENDING}
