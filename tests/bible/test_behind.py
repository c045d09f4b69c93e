"""Decisions about a long novel answer before its bible is folded: a worker folds it behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django_q.models import OrmQ

from analysis import queue
from analysis.djangoq import wakeups
from analysis.worker import run_due
from arboris.bible import behind, service
from arboris.bible.models import Character, FoldState
from arboris.db import db_now
from arboris.novels.models import NovelProject
from tests.bible.test_fold import person
from tests.bible.test_service import record
from tests.factories import JsonClient, make_chapter

pytestmark = pytest.mark.databases
Decide = Callable[..., dict[str, Any]]


@pytest.fixture
def novel(project: NovelProject, monkeypatch: pytest.MonkeyPatch) -> NovelProject:
    """Folded, and taken for a long one from then on."""
    record(make_chapter(project), person("沈砚秋"), person("老沈", start=9))
    record(make_chapter(project), person("顾长风"))
    monkeypatch.setattr(service, "SHORT", 0)
    return project


@pytest.fixture
def decide(api: JsonClient, novel: NovelProject) -> Decide:
    def decide(action: str, whom: str, **more: Any) -> dict[str, Any]:
        one = Character.objects.get(project=novel, name=whom)
        asked = {"action": action, "type": "character", "id": one.pk, **more}
        answer = api.post(f"/api/projects/{novel.pk}/bible/decisions", asked)
        assert answer.status_code == 201, answer.json()
        made: dict[str, Any] = answer.json()
        return made

    return decide


def names() -> set[str]:
    """As the tables have them, whether or not they are up to date."""
    return set(Character.objects.values_list("name", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_worker_folds_what_was_decided(api: JsonClient, decide: Decide) -> None:
    lao = Character.objects.get(name="老沈").pk
    decide("merge", "沈砚秋", into=lao)
    renamed = decide("rename", "顾长风", name="顾惊鸿")  # the first is not folded yet
    assert names() == {"沈砚秋", "老沈", "顾长风"}
    assert wakeups.waiting()
    run_due()
    assert names() == {"老沈", "顾惊鸿"}
    assert not FoldState.objects.get().outdated
    undo = f"{renamed['id']}/undo"
    project_id = FoldState.objects.get().project_id
    assert api.post(f"/api/projects/{project_id}/bible/decisions/{undo}").status_code == 200
    assert names() == {"老沈", "顾惊鸿"}
    run_due()
    assert names() == {"老沈", "顾长风"}


@pytest.mark.django_db(transaction=True)
def test_who_reads_before_is_told_so_and_waits_for_nothing(
    api: JsonClient, novel: NovelProject, decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bible(part: str = "") -> Any:
        return api.get(f"/api/projects/{novel.pk}/bible{part}").json()

    chapter = novel.chapters.get(chapter_number=2)
    decide("reject", "顾长风")
    with monkeypatch.context() as patch:
        patch.setattr(service.Folded, "of", failing)
        shown = bible()
        assert {one["name"] for one in shown["characters"]} == {"沈砚秋", "老沈", "顾长风"}
        assert shown["folding"] is True
        assert bible("/inbox")["folding"] is True
        assert api.get(f"/api/chapters/{chapter.pk}/cast").status_code == 200
    # What is taken away is whole, whoever has to wait for it.
    assert {one["name"] for one in bible("/export.json")["characters"]} == {"沈砚秋", "老沈"}
    shown = bible()
    assert {one["name"] for one in shown["characters"]} == {"沈砚秋", "老沈"}
    assert not {"folding"} & (shown.keys() | bible("/inbox").keys())


def failing(project_id: Any) -> Any:
    raise AssertionError("a reader folds")


@pytest.mark.django_db(transaction=True)
def test_what_a_dead_worker_had_begun_is_folded_all_the_same(
    decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide("reject", "顾长风")
    with monkeypatch.context() as patch:
        patch.setattr(service.Folded, "of", failing)  # it dies there
        with pytest.raises(AssertionError):
            behind.fold_behind()
    OrmQ.objects.all().delete()  # its wake-up is used up
    assert not behind.fold_behind()  # somebody is at it
    queue.sweep()
    assert not wakeups.waiting()
    FoldState.objects.update(taken_at=db_now() - behind.TAKEN * 2)
    queue.sweep()
    assert wakeups.waiting()
    run_due()
    assert names() == {"沈砚秋", "老沈"}


@pytest.mark.django_db(transaction=True)
def test_what_is_decided_meanwhile_is_not_lost(
    decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide("reject", "顾长风")
    fold = service.Folded.of

    def while_another_is_made(project_id: Any) -> service.Folded:
        folded = fold(project_id)
        monkeypatch.undo()
        monkeypatch.setattr(service, "SHORT", 0)
        decide("reject", "老沈")
        return folded

    monkeypatch.setattr(service.Folded, "of", while_another_is_made)
    assert behind.fold_behind()
    assert names() == {"沈砚秋", "老沈", "顾长风"}  # an old fold is not written
    assert behind.fold_behind()
    assert names() == {"沈砚秋"}
    assert not behind.fold_behind()
