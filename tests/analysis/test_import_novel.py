"""The command that imports a novel file."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User

from analysis.models import PendingAnalysis
from arboris.novels.models import Chapter, NovelProject
from tests.analysis.operators import call
from tests.factories import LONG_ENOUGH, queue_chapter

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")


NOVEL = "第一章 雨夜\n\n" + LONG_ENOUGH + "\n\n第二章 铜铃\n\n" + LONG_ENOUGH + "\n"


@pytest.fixture
def novel(tmp_path: Path) -> Path:
    path = tmp_path / "听雨楼.txt"
    path.write_text(NOVEL, encoding="utf-8")
    return path


def test_import_makes_a_novel_and_queues_its_chapters(writer: User, novel: Path) -> None:
    rehearsed = call("import_novel", novel, "--user", "writer", "--dry-run", "--json")
    assert not NovelProject.objects.exists()
    called = call("import_novel", novel, "--user", "writer", "--priority", 7, "--json")
    assert called.code == 0
    project = NovelProject.objects.get(owner=writer)
    assert called.document["project_id"] == str(project.pk)
    titles = [row["title"] for row in called.document["chapters"]]
    assert titles == [row["title"] for row in rehearsed.document["chapters"]]
    assert list(project.chapters.values_list("title", flat=True)) == titles
    assert set(PendingAnalysis.objects.values_list("priority", flat=True)) == {7}
    assert PendingAnalysis.objects.count() == 2


def test_import_appends_to_a_novel_of_the_writer_only(
    project: NovelProject, stranger: User, novel: Path
) -> None:
    queue_chapter(project)
    assert call("import_novel", novel, "--user", "writer", "--project", project.pk).code == 0
    numbers = project.chapters.values_list("chapter_number", flat=True)
    assert list(numbers) == [1, 2, 3]
    foreign = call("import_novel", novel, "--user", "stranger", "--project", project.pk)
    assert foreign.code == 2
    assert foreign.err.startswith("--project: ")


@pytest.mark.parametrize(
    ("name", "content", "arguments", "code"),
    [
        ("missing.txt", None, [], 2),
        ("novel.pdf", b"text", [], 1),
        ("empty.txt", b"", [], 1),
        ("broken.epub", b"PK\x03\x04 no archive", [], 1),
        ("good.txt", b"Chapter 1\n\nWords.\n", ["--priority", "11"], 2),
        ("good.txt", b"Chapter 1\n\nWords.\n", ["--mode", "deluxe"], 2),
        ("good.txt", b"Chapter 1\n\nWords.\n", ["--title", " "], 2),
        ("good.txt", b"Chapter 1\n\nWords.\n", ["--project", "x"], 2),
    ],
)
def test_import_of_something_wrong_leaves_nothing(
    writer: User, tmp_path: Path, name: str, content: bytes | None, arguments: list[str], code: int
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    called = call("import_novel", tmp_path / name, "--user", "writer", *arguments)
    assert called.code == code
    assert called.err
    assert not NovelProject.objects.exists()
    assert not Chapter.objects.exists()


def test_a_novel_goes_out_and_comes_back(
    writer: User, stranger: User, novel: Path, tmp_path: Path
) -> None:
    assert call("import_novel", novel, "--user", "writer").code == 0
    project = NovelProject.objects.get(owner=writer)
    archive, again = tmp_path / "a.zip", tmp_path / "b.zip"
    done = call("export_novel", project.pk, "--format", "archive", "--output", archive, "--json")
    assert done.document["bytes"] == archive.stat().st_size
    assert call("import_novel", archive, "--user", "stranger").code == 0
    copy = NovelProject.objects.get(owner=stranger)
    assert copy.title == project.title
    assert call("export_novel", copy.pk, "--format", "archive", "--output", again).code == 0
    assert again.read_bytes() == archive.read_bytes()
    text = tmp_path / "part.txt"
    part = ["--format", "txt", "--chapters", "2", "--front", "none", "--output", text]
    assert call("export_novel", copy.pk, *part).code == 0
    assert text.read_text(encoding="utf-8").startswith("第二章 铜铃\n\n　　沈砚秋")


@pytest.mark.parametrize(
    ("arguments", "named", "code"),
    [
        (["--format", "pdf"], "--format", 2),
        (["--format", "txt", "--chapters", "x"], "--chapters", 2),
        (["--format", "txt", "--volume", "7"], "--volume", 2),
        (["--format", "txt", "--front", "cover"], "--front", 2),
        (["--format", "archive", "--chapters", "1"], "--format", 2),
        (["--format", "txt", "--output", "missing/a.txt"], "missing/a.txt", 1),
    ],
)
def test_export_of_something_wrong_leaves_no_file(
    project: NovelProject,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    named: str,
    code: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    queue_chapter(project)
    called = call("export_novel", project.pk, "--output", "a.txt", *arguments)
    assert (called.code, called.err.split(":")[0]) == (code, named)
    assert list(tmp_path.iterdir()) == []
