"""Whatever order chapters come in: once the system has come to rest, the bible is that of the same
chapters written one after the other, or the writer is told which of them to read again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import Settings

from analysis import queue
from analysis.models import PendingAnalysis, Status
from analysis.worker import run_due
from arboris.bible.models import FoldState, Reading
from arboris.bible.types.findings import Finding
from arboris.db import db_now, in_transaction
from arboris.novels.models import Chapter, NovelProject
from notifications.models import AnalysisNotification
from tests.bible.test_again import Answering, exported
from tests.bible.test_fold import person
from tests.factories import LONG_ENOUGH, JsonClient, make_chapter, make_project, make_user

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SAMPLES = Path(__file__).resolve().parents[2] / "arboris" / "novels" / "sample"
CHAPTERS = 4


@pytest.fixture(autouse=True)
def at_rest_at_once(settings: Settings) -> None:
    settings.ARBORIS_READ_AGAIN_AFTER = 0


def sample(language: str) -> list[str]:
    text = (SAMPLES / f"{language}.md").read_text(encoding="utf-8")
    parts = [part.strip() for part in re.split(r"(?m)^#+ .*$", text) if part.strip()]
    return [*parts, *(f"{part}\n\n{parts[-1]}" for part in parts)][:CHAPTERS]


def add(project: NovelProject, number: int, text: str, *, priority: int = 5) -> Chapter:
    chapter = make_chapter(project, text, number=number)
    in_transaction(
        lambda: queue.enqueue(chapter, chapter.current, priority=priority, in_order=True)
    )
    return chapter


def come_to_rest() -> None:
    live = PendingAnalysis.objects.filter(active_chapter__isnull=False)
    to_look_at = FoldState.objects.filter(look_from__isnull=False)
    while live.exists() or to_look_at.exists():
        run_due()


def written(texts: Sequence[str]) -> str:
    """The bible of a novel whose chapters were written one after the other."""
    project = make_project(make_user())
    for number, text in enumerate(texts, 1):
        add(project, number, text)
        come_to_rest()
    assert AnalysisNotification.objects.filter(project=project).count() == len(texts)
    return exported(project)


@examples(
    max_examples=2,
    deadline=None,
    phases=[Phase.generate],  # a smaller example would cost minutes and say no more
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.permutations(range(CHAPTERS)), st.permutations(range(CHAPTERS)))
@pytest.mark.parametrize("language", ["zh", "en"])
def test_in_whatever_order_they_come(
    settings: Settings, language: str, saved: list[int], wanted: list[int]
) -> None:
    settings.ARBORIS_ANALYZER = "local"
    texts = sample(language)
    expected = written(texts)

    one_by_one = make_project(make_user())
    for at in saved:  # each is put in between those that are analysed already
        add(one_by_one, at + 1, texts[at])
        come_to_rest()
    assert exported(one_by_one) == expected

    at_once = make_project(make_user())
    for at, text in enumerate(texts):  # the more wanted overtake those before them
        add(at_once, at + 1, text, priority=wanted[at] + 1)
    come_to_rest()
    assert exported(at_once) == expected


@pytest.mark.databases
def test_what_costs_something_is_told_and_read_again_when_the_writer_says_so(
    settings: Settings, api: JsonClient, project: NovelProject
) -> None:
    settings.ARBORIS_ANALYZERS = {"answering": "tests.bible.test_again.Answering"}
    settings.ARBORIS_ANALYZER = "answering"
    said: dict[int, list[Finding]] = {1: [person("沈砚秋")], 3: [], 4: []}
    Answering.answers = said
    texts = {n: f"第{n}回。沈家大郎走了。{LONG_ENOUGH}" for n in (1, 2, 3, 4)}
    for number in (1, 3, 4):
        add(project, number, texts[number])
    come_to_rest()
    assert "to_read_again" not in inbox(api, project)

    said[2] = [person("沈家大郎")]  # whom chapters 3 and 4 name
    added = add(project, 2, texts[2])
    come_to_rest()
    told = inbox(api, project)["to_read_again"]
    assert [one["chapter_number"] for one in told] == [3, 4]
    assert PendingAnalysis.objects.count() == 4  # nothing was asked unasked

    again = f"/api/projects/{project.pk}/bible/read-again"
    assert api.post(again).json() == {"queued": 2}
    assert api.post(again).json() == {"queued": 0}
    assert "to_read_again" not in inbox(api, project)
    come_to_rest()
    assert "to_read_again" not in inbox(api, project)
    assert AnalysisNotification.objects.count() == 6

    # What goes again was read with it; a passage that names nobody else changes nothing.
    assert api.delete(f"/api/chapters/{added.pk}").status_code == 204
    come_to_rest()
    assert len(inbox(api, project)["to_read_again"]) == 2
    assert api.post(f"/api/trash/chapter/{added.pk}/restore").status_code == 200
    come_to_rest()
    assert "to_read_again" not in inbox(api, project)


def test_an_order_that_changes_is_heeded_without_a_word(
    settings: Settings, api: JsonClient, project: NovelProject
) -> None:
    settings.ARBORIS_ANALYZER = "local"
    texts = sample("zh")
    chapters = [add(project, number, text) for number, text in enumerate(texts, 1)]
    come_to_rest()
    unread = AnalysisNotification.objects.filter(project=project, is_read=0)
    before = Reading.objects.count(), unread.count()
    moved = [chapters[at] for at in (2, 0, 3, 1)]
    order = {"volumes": [{"title": "", "chapters": [one.pk for one in moved]}]}
    answer = api.put(f"/api/projects/{project.pk}/order", order)
    assert answer.status_code == 200, answer.json()
    come_to_rest()
    assert exported(project) == written([texts[at] for at in (2, 0, 3, 1)])
    assert (Reading.objects.filter(chapter__project=project).count(), unread.count()) == before
    again = PendingAnalysis.objects.filter(project=project, quiet=True)
    assert {(one.priority, one.status) for one in again} == {(1, Status.COMPLETED)}
    told = AnalysisNotification.objects.filter(pending_analysis__in=again)
    assert {(one.is_read, one.as_dict()["data"]["muted"]) for one in told} == {(1, True)}
    assert sorted(told.values_list("pending_analysis", flat=True)) == sorted(
        again.values_list("pk", flat=True)
    )


@pytest.mark.databases
def test_a_novel_on_which_somebody_works_is_not_looked_at(
    settings: Settings, project: NovelProject
) -> None:
    settings.ARBORIS_ANALYZER = "local"
    texts = sample("zh")
    for number in (1, 2):
        add(project, number, texts[number - 1], priority=number)  # the second goes first
    settings.ARBORIS_READ_AGAIN_AFTER = 3600
    run_due()
    run_due()
    assert FoldState.objects.filter(look_from__isnull=False).exists()
    assert set(PendingAnalysis.objects.values_list("status", "quiet")) == {("completed", False)}
    ended = db_now() - timedelta(hours=2)
    PendingAnalysis.objects.update(completed_at=ended)
    come_to_rest()
    assert not FoldState.objects.filter(look_from__isnull=False).exists()


def inbox(api: JsonClient, project: NovelProject) -> Any:
    return api.get(f"/api/projects/{project.pk}/bible/inbox").json()
