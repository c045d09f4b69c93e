"""What an analysis is told: the bible as it was when its chapter was the last one, whenever it is
made again."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arboris.bible import models, service
from arboris.bible.known import before
from arboris.bible.types.findings import Finding
from arboris.db import in_transaction
from tests.bible.test_fold import NAMES
from tests.bible.test_interleavings import CHAPTERS, EXAMPLES, Novel, steps, texts

pytestmark = [pytest.mark.slow, pytest.mark.databases]
COMPARED = "，".join(NAMES)
decisions = st.lists(
    steps.filter(lambda step: step[0] not in ("record", "forget", "trash", "move"))
)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("journals", [40, 2], ids=["taken back", "folded anew"])
@settings(
    max_examples=EXAMPLES // 2,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(decisions, st.lists(texts, min_size=CHAPTERS, max_size=CHAPTERS))
def test_it_is_what_it_was_before_the_later_chapters_came(
    monkeypatch: pytest.MonkeyPatch,
    journals: int,
    decided: list[tuple[str, int, object]],
    said: list[list[Finding]],
) -> None:
    monkeypatch.setattr(service, "JOURNALS", journals)
    novel = Novel()
    for number, found in enumerate(said):
        novel.take("record", number, found)
    for step in decided:
        novel.take(*step)
    for chapter in novel.chapters:
        models.Finding.objects.filter(chapter=chapter).update(current=False)
    in_transaction(lambda: service.rebuild(novel.project.pk))
    told = []
    for number, found in enumerate(said):
        told.append(before(novel.chapters[number], COMPARED))
        novel.take("record", number, found)
    assert [before(chapter, COMPARED) for chapter in novel.chapters] == told
    models.FoldState.objects.filter(project=novel.project).update(outdated=True)
    assert [before(chapter, COMPARED) for chapter in novel.chapters] == told
