"""What docs/original.md prints works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import connection

from arboris.novels.models import NovelProject
from tests.factories import queue_chapter

PAGE = Path(__file__).resolve().parent.parent / "docs" / "original.md"


@pytest.mark.django_db
def test_the_analyses_of_a_novel_by_sql(project: NovelProject) -> None:
    task = queue_chapter(project)
    found = re.search(r'sqlite3 data/arboris\.db "(.*<project id>.*)"', PAGE.read_text("utf-8"))
    assert found is not None
    with connection.cursor() as cursor:
        cursor.execute(found[1].replace("<project id>", str(project.pk)))
        assert cursor.fetchall() == [(task.pk, "pending", "")]
