"""The archive of a novel: out, into another novel, and out again with the same bytes."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django_q.models import OrmQ
from pytest_django import Settings

from analysis import queue
from analysis.models import PendingAnalysis
from arboris.bible import service as bible_service
from arboris.bible.models import Decision, Finding
from arboris.bible.types.findings import StateChange
from arboris.db import db_now, in_transaction
from arboris.novels import services as novels
from arboris.novels.models import Chapter, ChapterVersion, NovelProject, Volume, WorkingCopy
from arboris.workspace.bible.export import ROWS
from tests.bible.test_fold import ev, payoff, person, seed
from tests.bible.test_service import FIRST, record
from tests.factories import LONG_ENOUGH, JsonClient, claim_next, make_chapter, make_project

pytestmark = [pytest.mark.databases, pytest.mark.django_db(transaction=True)]

DIES = StateChange(
    character="顾长风",
    kind="condition",
    description="战死",
    evidence=ev("顾长风战死"),
    confidence=1,
)


def decide(api: JsonClient, novel: NovelProject, **asked: Any) -> Any:
    answer = api.post(f"/api/projects/{novel.pk}/bible/decisions", asked)
    assert answer.status_code == 201, answer.content
    return answer.json()


def bible(api: JsonClient, novel: NovelProject) -> Any:
    return api.get(f"/api/projects/{novel.pk}/bible").json()


@pytest.fixture
def novel(api: JsonClient, project: NovelProject) -> NovelProject:
    """A novel of which everything is kept: versions, findings, decisions of every kind of name."""
    project.synopsis, project.genre = "一座楼。", "武侠"
    project.save()
    volume = Volume.objects.create(project=project, title="风", position=1)
    first, second, third, last = (
        make_chapter(project, f"{LONG_ENOUGH}{n}", title=f"第{n}章") for n in "一二三四"
    )
    in_transaction(
        lambda: novels.change_text(first, novels.ChapterText.of(LONG_ENOUGH + "\n\n*改*"))
    )
    first.versions.filter(number=2).update(name="改过")
    Chapter.objects.filter(pk__in=[first.pk, second.pk]).update(volume=volume)
    Chapter.objects.filter(pk=second.pk).update(notes="记得铜铃")
    first.refresh_from_db()
    record(first, *FIRST)
    record(second, person("老沈"), DIES, seed("断剑", "断剑"))
    record(third, person("顾长风"), person("林", start=5), payoff("铜铃响了", "铜铃"))
    record(third, _acts(), person("林", start=5), payoff("铜铃响了", "铜铃"))
    WorkingCopy.objects.create(
        chapter=third, content="正在写", client="c", seq=7, saved_at=db_now(), title=None
    )
    _analysed(third)
    in_transaction(lambda: queue.enqueue(last, last.current, priority=3, config={"own": 1}))
    return project


def _acts() -> Any:
    quote = "顾长风笑道"
    return person("顾长风").model_copy(update={"evidence": ev(quote)})


def _analysed(chapter: Chapter) -> None:
    """The task that made the findings, which are there already."""
    in_transaction(lambda: queue.enqueue(chapter, chapter.current))
    claim = claim_next()
    in_transaction(lambda: queue.finish(claim, {}, {}))


def decisions(api: JsonClient, novel: NovelProject) -> None:
    people = {one["name"]: one for one in bible(api, novel)["characters"]}
    thread = bible(api, novel)["foreshadowings"][1]
    inbox = api.get(f"/api/projects/{novel.pk}/bible/inbox").json()
    (contradiction,) = inbox["warnings"]
    decide(api, novel, action="reject", ref=contradiction["ref"])
    undone = decide(
        api, novel, action="rename", type="character", id=people["林"]["id"], name="林风"
    )
    path = f"/api/projects/{novel.pk}/bible/decisions/{undone['id']}/undo"
    assert api.post(path).status_code == 200
    fields = {"status": "abandoned", "description": "一把断剑"}
    decide(api, novel, action="edit", type="foreshadowing", id=thread["id"], fields=fields)
    decide(api, novel, action="add", type="character", fields={"name": "苏白", "goals": "活下去"})
    people = {one["name"]: one for one in bible(api, novel)["characters"]}
    decide(api, novel, action="reject", type="character", id=people["林"]["id"])


def archive_of(api: JsonClient, novel: NovelProject) -> bytes:
    answer: Any = api.get(f"/api/projects/{novel.pk}/export?format=archive")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def bring_in(api: JsonClient, novel: NovelProject, data: bytes) -> Any:
    body = {"file": SimpleUploadedFile("novel.zip", data)}
    return api.post(f"/api/projects/{novel.pk}/import", body, format="multipart")


def test_an_archive_becomes_an_equal_novel(api: JsonClient, novel: NovelProject) -> None:
    decisions(api, novel)
    data = archive_of(api, novel)
    assert archive_of(api, novel) == data
    copy = make_project(novel.owner, "空")
    queued = OrmQ.objects.count()
    answer = bring_in(api, copy, data)
    assert answer.status_code == 201, answer.content
    # What was analysed is not analysed again; what waited waits.
    states = [row["analysis"] and row["analysis"]["status"] for row in answer.json()["chapters"]]
    assert states == [None, None, "completed", "pending"]
    assert OrmQ.objects.count() == queued + 1
    assert archive_of(api, copy) == data
    assert _without_ids(bible(api, copy)) == _without_ids(bible(api, novel))
    inbox = api.get(f"/api/projects/{copy.pk}/bible/inbox").json()
    assert inbox["warnings"] == []  # it was rejected
    in_transaction(lambda: bible_service.rebuild(copy.pk))
    assert archive_of(api, copy) == data
    texts = ChapterVersion.objects.filter(chapter__project=copy)
    assert list(texts.filter(chapter__chapter_number=1).values_list("name", flat=True)) == [
        "", "改过",
    ]  # fmt: skip
    assert WorkingCopy.objects.get(chapter__project=copy).content == "正在写"


@pytest.mark.sqlite_only
def test_an_archive_is_no_way_past_the_bounds_of_the_queue(
    api: JsonClient, novel: NovelProject, settings: Settings
) -> None:
    data, copy = archive_of(api, novel), make_project(novel.owner, "空")
    settings.ARBORIS_MAX_PENDING, settings.ARBORIS_MAX_PRIORITY = 1, 2
    refused = bring_in(api, copy, data)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_pending")
    assert refused.json()["detail"] == (
        "file: 其中将有 1 章等待分析；您最多可以有 1 个在等待，现在还能排入 0 个。 "
        "请等一些分析结束后再导入该存档。"
    )
    assert not Chapter.everything.filter(project=copy).exists()
    settings.ARBORIS_MAX_PENDING = 2
    assert bring_in(api, copy, data).status_code == 201
    waiting = PendingAnalysis.objects.get(project=copy, status="pending")
    assert waiting.priority == 2  # it was 3


@pytest.mark.sqlite_only
def test_a_step_that_has_to_run_again_changes_nothing(api: JsonClient, novel: NovelProject) -> None:
    data = archive_of(api, novel)
    copy = make_project(novel.owner, "空")
    failures = [OperationalError("database is locked")]

    def fail_once(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith('INSERT INTO "pending_analysis"') and failures:
            raise failures.pop()
        return execute(sql, *rest)

    with connection.execute_wrapper(fail_once):
        answer = bring_in(api, copy, data)
    assert answer.status_code == 201, answer.content
    assert failures == []
    assert archive_of(api, copy) == data


def _without_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_ids(item) for item in value]
    if isinstance(value, dict):
        return {k: _without_ids(v) for k, v in value.items() if k not in ROWS}
    return value


def test_into_a_novel_with_chapters_only_its_texts_go(api: JsonClient, novel: NovelProject) -> None:
    other = make_project(novel.owner, "另一部")
    make_chapter(other)
    answer = bring_in(api, other, archive_of(api, novel))
    assert [row["chapter_number"] for row in answer.json()["chapters"]] == [2, 3, 4, 5]
    assert other.chapters.get(chapter_number=4).current.content == "正在写"  # not yet a version
    other.refresh_from_db()
    assert other.title == "另一部"
    assert not Finding.objects.filter(project=other).exists()


def test_an_archive_is_of_the_whole_novel(api: JsonClient, novel: NovelProject) -> None:
    answer = api.get(f"/api/projects/{novel.pk}/export?format=archive&chapters=1")
    assert answer.status_code == 400
    assert "chapters" in answer.json()


def test_an_empty_novel_comes_back(api: JsonClient, novel: NovelProject) -> None:
    empty = make_project(novel.owner, "空城", synopsis="还没有写。", genre="武侠")
    Volume.objects.create(project=empty, title="第一卷", position=1)
    data = archive_of(api, empty)
    copy = make_project(novel.owner, "另一部")
    answer = bring_in(api, copy, data)
    assert (answer.status_code, answer.json()["chapters"]) == (201, [])
    assert archive_of(api, copy) == data
    assert bring_in(api, novel, data).status_code == 400  # there is nothing to add


@pytest.mark.sqlite_only
def test_an_archive_may_be_larger_than_another_file(
    api: JsonClient, novel: NovelProject, settings: Settings
) -> None:
    data = archive_of(api, novel)
    settings.ARBORIS_MAX_IMPORT_BYTES = 2_000
    copy = make_project(novel.owner, "空")
    settings.ARBORIS_MAX_ARCHIVE_BYTES = len(data) - 1
    assert bring_in(api, copy, data).status_code == 413
    settings.ARBORIS_MAX_ARCHIVE_BYTES = len(data)
    assert bring_in(api, copy, data).status_code == 201


def changed(data: bytes, name: str, change: Any) -> bytes:
    """The archive with one entry changed: ``change`` takes its JSON, or is its bytes or None."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w") as out:
        for info in source.infolist():
            content = source.read(info)
            if info.filename == name:
                if change is None:
                    continue
                content = change if isinstance(change, bytes) else _edited(content, change)
            out.writestr(info.filename, content)
    return target.getvalue()


def _edited(content: bytes, change: Any) -> bytes:
    plain = json.loads(content)
    change(plain)
    return json.dumps(plain).encode()


DECISIONS = "decisions.json"
CHAPTER = "chapters/00001/chapter.json"
FINDINGS = "chapters/00001/findings-2.json"


WRONG: list[tuple[str, Any, str]] = [
    ("manifest.json", None, "manifest.json"),
    ("manifest.json", b"{", "manifest.json"),
    ("manifest.json", b"[" * 100_000, "manifest.json"),
    ("manifest.json", lambda plain: plain.update(version=2), "manifest.json: version"),
    ("manifest.json", lambda plain: plain.update(chapters=5), "chapters/00005/chapter.json"),
    ("manifest.json", lambda plain: plain["novel"].update(title="x" * 201), "novel.title"),
    (CHAPTER, lambda plain: plain.update(number=0), f"{CHAPTER}: number"),
    (CHAPTER, lambda plain: plain.update(number=2), "chapters/00002/chapter.json: number"),
    (CHAPTER, lambda plain: plain.update(title="\ud800"), CHAPTER),
    (CHAPTER, lambda plain: plain.update(created_at="0001-01-01T00:00:00+14:00"), "created_at"),
    (CHAPTER, lambda plain: plain["versions"].reverse(), f"{CHAPTER}: versions"),
    (CHAPTER, lambda plain: plain.update(volume=2), f"{CHAPTER}: volume"),
    ("chapters/00001/version-1.md", None, "version-1.md"),
    ("chapters/00001/version-1.md", b"\xff", "version-1.md"),
    (FINDINGS, lambda plain: plain["findings"][0]["content"].pop("evidence"), FINDINGS),
    (FINDINGS, lambda plain: plain["findings"][0]["content"].update(type="x"), FINDINGS),
    (FINDINGS, lambda plain: plain["findings"][0].update(tier="writer"), FINDINGS),
    (FINDINGS, lambda plain: plain["findings"][0]["content"]["evidence"].update(end=2**40),
     FINDINGS),
    (DECISIONS, lambda plain: plain["decisions"][0].update(action="x"), DECISIONS),
    (DECISIONS, lambda plain: plain["decisions"][3].update(params={}), DECISIONS),
]  # fmt: skip


@pytest.mark.sqlite_only
def test_a_wrong_archive_is_refused_whole(
    api: JsonClient, novel: NovelProject, subtests: pytest.Subtests
) -> None:
    decisions(api, novel)
    copy = make_project(novel.owner, "空")
    good = archive_of(api, novel)
    for place, (name, change, named) in enumerate(WRONG):
        with subtests.test(place=place, name=name):
            answer = bring_in(api, copy, changed(good, name, change))
            assert answer.status_code == 400, answer.content
            assert named in answer.json()["file"][0]
            copy.refresh_from_db()
            assert copy.title == "空"
            assert not Chapter.everything.filter(project=copy).exists()
            assert not Decision.objects.filter(project=copy).exists()
            assert not PendingAnalysis.objects.filter(project=copy).exists()


@pytest.mark.parametrize("bomb", ["tight", "path", "password", "other"])
@pytest.mark.sqlite_only
def test_bombs_and_tricks_are_refused(api: JsonClient, project: NovelProject, bomb: str) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        if bomb == "tight":
            out.writestr("manifest.json", b" " * 9_000_000)
        elif bomb == "path":
            out.writestr("../manifest.json", b"{}")
        else:
            out.writestr("novel.txt" if bomb == "password" else "novel.png", b"text")
    data = target.getvalue()
    if bomb == "password":
        data = data.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    answer = bring_in(api, project, data)
    assert answer.status_code == 400
    assert answer.json()["file"]
