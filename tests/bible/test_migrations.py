"""A bible of the version before is folded anew by the one after."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from arboris.bible.models import Character, Finding
from arboris.novels.models import NovelProject
from arboris.workspace.bible import content as bible
from tests.bible.test_fold import person
from tests.factories import make_chapter

pytestmark = [pytest.mark.slow, pytest.mark.databases]

BEFORE = [("bible", "0001_initial")]


def migrate(targets: list[tuple[str, str]]) -> MigrationExecutor:
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return MigrationExecutor(connection)


@pytest.fixture
def old_tables(transactional_db: None) -> Iterator[MigrationExecutor]:
    yield migrate(BEFORE)
    migrate(newest())


def newest() -> list[tuple[str, str]]:
    """Of all apps: those of others that depend on the bible's were taken back too."""
    return list(MigrationExecutor(connection).loader.graph.leaf_nodes())


def test_what_was_folded_comes_again(old_tables: MigrationExecutor, project: NovelProject) -> None:
    chapter = make_chapter(project)
    apps = old_tables.loader.project_state(BEFORE).apps
    fact = {"chapter_id": chapter.pk, "quote": "砚秋", "confidence": 0.9}
    named = {"project_id": project.pk, "name": "砚秋", "last_chapter_id": chapter.pk}
    one = apps.get_model("bible", "Character").objects.create(**named, **fact)
    apps.get_model("bible", "CharacterAlias").objects.create(character=one, name="秋", **fact)
    apps.get_model("bible", "Finding").objects.create(
        project_id=project.pk, chapter_id=chapter.pk, version_id=chapter.current.pk, task_id=1,
        feature="character_tracking", type="appearance", quote="砚秋", start=0, end=2,
        confidence=0.9, payload=person("砚秋", "秋").model_dump(mode="json"),
    )  # fmt: skip

    migrate(newest())
    assert not Character.objects.exists()
    assert Finding.objects.get().tier == "applied"
    (shown,) = bible.as_dict(project)["characters"]
    assert (shown["name"], shown["aliases"]) == ("砚秋", ["秋"])
