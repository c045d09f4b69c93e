"""Actions on the list of analyses: what they tell beforehand, and that they do exactly that."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from analysis import bulk, queue
from analysis.models import BulkOperation, OperatorAction, PendingAnalysis, Status
from arboris import admin_lists
from arboris.db import db_now
from arboris.novels.models import NovelProject
from tests.analysis.operators import failed_task, novel_of, statuses
from tests.analysis.test_admin import LIST, act, confirm, signed_in
from tests.factories import claim_next, make_chapter, make_user, queue_chapter

pytestmark = pytest.mark.django_db
OPERATIONS = "/admin/analysis/bulkoperation/"
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
    """Also what the list itself does not look at."""
    monkeypatch.setattr(admin_lists, "LOOK", 10)
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


def test_a_larger_one_is_the_workers_and_has_its_page(
    staff: Client, project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 2)
    tasks = [queue_chapter(project).pk for _ in range(5)]
    page = whole_search(staff, "cancel", "听雨", tasks[0])
    assert "5 analyses will be changed." in page and "The workers do it behind" in page
    with monkeypatch.context() as patched:  # of very many the page says what it does not know
        patched.setattr(bulk, "FORESEEN", 2)
        page = whole_search(staff, "cancel", "听雨", tasks[0])
        assert "5 analyses are selected; at least 2 of them will be changed." in page
        assert "3 were not looked at yet" in page
    first, _second = BulkOperation.objects.order_by("pk")
    first.delete()
    late = queue_chapter(project)
    page = confirm(staff, page, reason="wrong model")
    operation = BulkOperation.objects.get()
    assert 'data-state="running"' in page and "0 of 5" in page
    assert "No worker is running." in page and "听雨" in page
    assert set(statuses().values()) == {Status.PENDING}
    bulk.step(operation.pk, bulk.take(operation.pk, "host:1"))
    url = f"{OPERATIONS}{operation.pk}/"
    seen = staff.get(f"{url}state/").json()
    assert (seen["state"], seen["ended"], seen["percent"]) == ("running", False, 40)
    assert seen["line"] == "2 of 5: 2 changed, 0 left as they are"
    stopped = staff.post(f"{url}stop/", follow=True).content.decode()
    assert 'data-state="stopped"' in stopped and "Go on" in stopped
    assert "It was not running any more." in staff.post(f"{url}stop/", follow=True).content.decode()
    assert 'data-state="running"' in staff.post(f"{url}resume/", follow=True).content.decode()
    bulk.run(operation.pk, bulk.take(operation.pk, "host:1"))
    page = staff.get(f"{url}change/").content.decode()
    assert 'data-state="done"' in page and "5 of 5: 5 changed" in page
    assert statuses() == dict.fromkeys(tasks, Status.CANCELLED) | {late.pk: Status.PENDING}
    record = OperatorAction.objects.get()
    assert (record.actor, record.reason, record.count) == ("boss", "wrong model", 5)
    assert record.details["filter"] == {"q": "听雨"}
    assert "It is not stopped." in staff.post(f"{url}resume/", follow=True).content.decode()


def test_a_preview_has_its_page_and_is_confirmed_once(staff: Client, project: NovelProject) -> None:
    task = queue_chapter(project)
    act(staff, "set_priority", task)
    url = f"{OPERATIONS}{BulkOperation.objects.get().pk}/"
    page = staff.get(f"{url}change/").content.decode()
    assert "1 analysis will be changed." in page and f'action="{url}start/"' in page
    body = {"operation": BulkOperation.objects.get().pk, "priority": "11"}
    assert "less than or equal to 10" in staff.post(f"{url}start/", body).content.decode()
    forged = {"operation": body["operation"], "apply": "1"}
    assert "This field is required." in act(staff, "retry", task, **forged)
    body["priority"] = "9"
    done = staff.post(f"{url}start/", body, follow=True).content.decode()
    assert "1 analysis: Priority set to 9." in done and 'data-state="done"' in done
    again = staff.post(f"{url}start/", body, follow=True).content.decode()
    assert "This operation was confirmed before." in again
    other = signed_in(make_user(is_staff=True, is_superuser=True))
    assert "no such operation" in other.post(f"{url}start/", body, follow=True).content.decode()
    for name in ("start", "stop", "resume"):
        assert staff.get(f"{url}{name}/").status_code == 405
        assert staff.post(f"{OPERATIONS}999/{name}/").status_code == 404


@pytest.mark.parametrize("number", ["", "1,x", "9" * 30, "²", "999"])
def test_forged_numbers_change_nothing(staff: Client, project: NovelProject, number: str) -> None:
    task = queue_chapter(project)
    page = act(staff, "cancel", task, apply="1", operation=number)
    assert "There is no such operation." in page
    assert statuses() == {task.pk: Status.PENDING}
