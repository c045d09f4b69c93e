"""Tables of the first version: what is in them survives the way to those of now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from arboris.bible.models import Character, Finding
from arboris.db import db_now
from arboris.llm.models import CallSlot
from arboris.novels.models import Chapter, NovelProject
from arboris.workspace.bible import content as bible
from tests.bible.test_fold import person
from tests.factories import make_chapter

pytestmark = [pytest.mark.slow, pytest.mark.postgresql]

BEFORE = [("bible", "0001_initial"), ("llm", "0001_initial")]
GONE = {"view_callplace", "view_spendtally"}


@pytest.fixture
def chapter(transactional_db: None, project: NovelProject) -> Chapter:
    return make_chapter(project)


@pytest.fixture
def old(chapter: Chapter) -> Iterator[Any]:
    """The models of then, whose tables are there."""
    for app, migration in BEFORE:
        call_command("migrate", app, migration, verbosity=0)
    yield MigrationExecutor(connection).loader.project_state(BEFORE).apps
    call_command("migrate", verbosity=0)


def codenames() -> set[str]:
    permissions = Permission.objects.filter(content_type__app_label="llm")
    return set(permissions.values_list("codename", flat=True))


def test_rows_and_permissions_are_kept_and_the_bible_is_folded_anew(
    old: Any, chapter: Chapter
) -> None:
    write_a_bible(old, chapter)
    old.get_model("llm", "CallPlace").objects.create(
        endpoint="model.example:443", number=1, expires_at=db_now()
    )
    assert codenames() >= GONE
    kept = Permission.objects.get(codename="view_callplace").pk

    call_command("migrate", verbosity=0)

    assert not Character.objects.exists()
    assert Finding.objects.get().tier == "applied"
    (shown,) = bible.as_dict(chapter.project)["characters"]
    assert (shown["name"], shown["aliases"]) == ("砚秋", ["秋"])
    assert CallSlot.objects.get().number == 1
    # They were renamed in Python alone: whoever might see them still may.
    assert Permission.objects.get(codename="view_callslot").pk == kept
    assert not codenames() & GONE


def write_a_bible(old: Any, chapter: Chapter) -> None:
    fact = {"chapter_id": chapter.pk, "quote": "砚秋", "confidence": 0.9}
    named = {"project_id": chapter.project_id, "name": "砚秋", "last_chapter_id": chapter.pk}
    one = old.get_model("bible", "Character").objects.create(**named, **fact)
    old.get_model("bible", "CharacterAlias").objects.create(character=one, name="秋", **fact)
    old.get_model("bible", "Finding").objects.create(
        project_id=chapter.project_id, chapter_id=chapter.pk, version_id=chapter.current.pk,
        task_id=1, feature="character_tracking", type="appearance", quote="砚秋", start=0, end=2,
        confidence=0.9, payload=person("砚秋", "秋").model_dump(mode="json"),
    )  # fmt: skip
