"""Whatever order analyses, edits and decisions came in: the same bible, byte for byte."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arboris.bible import models, service
from arboris.bible.decisions import record as made
from arboris.bible.decisions.base import SCOPES, Refused
from arboris.bible.storage.database import TABLES
from arboris.bible.types.findings import Finding, StateChange, WorldFact
from arboris.db import in_transaction
from arboris.novels.models import Chapter, NovelProject
from arboris.novels.order import Part
from arboris.workspace.bible import export, questions
from arboris.workspace.bible import service as decisions
from arboris.workspace.book import service as book
from arboris.workspace.trash import service as trash
from tests.bible.test_fold import NAMES, findings, names, of
from tests.bible.test_service import record
from tests.factories import make_chapter, make_project, make_user

pytestmark = [pytest.mark.slow, pytest.mark.postgresql]
CHAPTERS = 5
# What is folded is the same on all databases; on the servers, that it is stored and read.
EXAMPLES = 25 if connection.vendor == "sqlite" else 5
TYPES = ["character", "location", "item", "foreshadowing", "relationship"]
ITEMS = ["断水剑", "玉佩"]
# Beside those of the fold's own tests: who dies, comes back, has world_entries and loses them.
more = st.one_of(
    of(StateChange, character=names, kind=st.just("condition"),
       description=st.sampled_from(["战死", "死里逃生，还活着"])),
    of(StateChange, character=names, kind=st.just("possession"),
       description=st.sampled_from(["得到断水剑", "失去断水剑", "夺得玉佩"])),
    of(WorldFact, type=st.just("item"), name=st.sampled_from(ITEMS), aliases=st.just([])),
    findings,
)  # fmt: skip
texts = st.lists(more, max_size=6)
steps = st.one_of(
    st.tuples(st.just("record"), st.integers(0, CHAPTERS - 1), texts),
    st.tuples(st.just("record"), st.integers(0, CHAPTERS - 1), texts),
    st.tuples(st.just("record"), st.integers(0, CHAPTERS - 1), texts),
    st.tuples(st.just("forget"), st.integers(0, CHAPTERS - 1), st.none()),
    st.tuples(st.just("trash"), st.integers(0, CHAPTERS - 1), st.none()),
    st.tuples(st.just("trash"), st.integers(0, CHAPTERS - 1), st.none()),
    st.tuples(st.just("move"), st.integers(0, CHAPTERS - 1), st.integers(0, CHAPTERS - 1)),
    st.tuples(st.just("undo"), st.integers(0, 3), st.none()),
    st.tuples(
        st.sampled_from(["merge", "rename", "split", "reject", "edit", "add", "settle"]),
        st.integers(0, 5),
        st.tuples(st.sampled_from(TYPES), st.integers(0, 5), st.sampled_from([*NAMES, "新名"])),
    ),
)
_numbers = itertools.count(1)


class Novel:
    def __init__(self) -> None:
        self.project: NovelProject = make_project(make_user(f"folder{next(_numbers)}"))
        self.chapters: list[Chapter] = [make_chapter(self.project) for _ in range(CHAPTERS)]
        self.last: dict[int, list[Finding]] = {}
        self.away: set[int] = set()

    def take(self, kind: str, number: int, more: Any) -> None:
        if kind == "trash":
            self._there_or_back(number)
        elif kind == "move":
            ids = list(self.project.chapters.values_list("pk", flat=True))
            if ids:
                ids.insert(more, ids.pop(number % len(ids)))
            book.arrange(self.project.pk, [Part("", tuple(ids))])
        elif number in self.away and kind in ("record", "forget"):
            return  # it is not analysed
        elif kind == "record":
            record(self.chapters[number], *more)
            self.last[number] = more
        elif kind == "forget":
            chapter = self.chapters[number]
            in_transaction(lambda: service.forget(self.project.pk, chapter.pk))
            self.last.pop(number, None)
        else:
            with contextlib.suppress(Refused):  # about what is not there, or no more
                self._decide(kind, number, more)

    def _there_or_back(self, number: int) -> None:
        chapter = self.chapters[number]
        if number in self.away:
            trash.restore_chapter(self.project.owner_id, chapter.pk)
        else:
            trash.discard_chapter(chapter.pk)
        self.away ^= {number}

    def _decide(self, kind: str, number: int, more: Any) -> None:
        if kind == "undo":
            rows = list(made.active_decisions(self.project.pk))
            if rows:
                decisions.undo(self.project.pk, rows[number % len(rows)].pk)
        elif kind == "settle":
            self._settle(number)
        elif asked := self._asked(kind, number, *more):
            decisions.decide(self.project.pk, self.project.owner_id, asked)

    def _settle(self, number: int) -> None:
        """Accept or reject something that the bible asks or shows."""
        content = questions.as_dict(self.project)
        refs = [one["ref"] for part in content.values() for one in part]
        refs += list(
            models.CharacterState.objects.filter(character__project=self.project)
            .order_by("ref")
            .values_list("ref", flat=True)
        )
        if refs:
            action = "accept" if number % 2 else "reject"
            asked = {"action": action, "ref": refs[number % len(refs)]}
            decisions.decide(self.project.pk, self.project.owner_id, asked)

    def _asked(self, kind: str, number: int, of_type: str, other: int, name: str) -> Any:
        if kind == "add":
            fields: dict[str, Any] = {"name": name, "description": "作者所写"}
            if of_type == "foreshadowing":
                fields = {
                    "kind": "hint",
                    "description": name,
                    "keywords": ["铜铃"],
                    "chapter_number": 1,
                }
            elif of_type == "relationship":
                fields = {"source": "沈砚秋", "target": name, "relation": "师徒"}
            return {"action": kind, "type": of_type, "fields": fields}
        rows = list(TABLES[SCOPES[of_type]]._default_manager.filter(
            project_id=self.project.pk).order_by("natural_key"))  # fmt: skip
        if of_type in ("location", "item"):
            rows = [row for row in rows if row.kind == of_type]  # type: ignore[attr-defined]
        named = of_type in ("character", "location", "item")
        if not rows or (kind in ("merge", "rename", "split") and not named):
            return None
        row: Any = rows[number % len(rows)]
        asked: dict[str, Any] = {"action": kind, "type": of_type, "id": row.pk}
        if kind == "merge":
            return asked | {"into": rows[other % len(rows)].pk}
        if kind == "edit":
            fields = {"description": name}
            if of_type == "foreshadowing":
                fields["status"] = ["open", "abandoned", "paid_off"][other % 3]
                fields["kind"] = ["hint", "prophecy"][other % 2]
            return None if of_type == "relationship" else asked | {"fields": fields}
        return asked | {"name": name, "alias": name}

    def shown(self) -> str:
        service.fresh(self.project.pk)
        asked = questions.as_dict(self.project)
        for part in asked.values():
            part.sort(key=str)
            for one in part:
                one.pop("thread", None)  # a row's id
        return export.as_json(self.project)[0] + str(asked)

    def wipe(self) -> None:
        models.Finding.objects.filter(project=self.project).delete()
        in_transaction(lambda: service.rebuild(self.project.pk))


@pytest.mark.django_db(transaction=True)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(steps, min_size=3, max_size=14), st.permutations(range(CHAPTERS)))
def test_the_bible_depends_on_what_was_found_and_decided_alone(
    given: list[tuple[str, int, Any]], order: list[int]
) -> None:
    novel = Novel()
    for step in given:
        novel.take(*step)
    shown = novel.shown()
    rebuild(novel)
    assert novel.shown() == shown
    novel.wipe()
    for number in order:
        if number in novel.last and number not in novel.away:
            record(novel.chapters[number], *novel.last[number])
    assert novel.shown() == shown


def rebuild(novel: Novel) -> None:
    in_transaction(lambda: service.rebuild(novel.project.pk))


@pytest.fixture
def always_incremental(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chapter too far back outdates the bible however short the novel is."""
    monkeypatch.setattr(service, "SHORT", 0)
    monkeypatch.setattr(service, "JOURNALS", 3)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("always_incremental")
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(st.tuples(st.integers(0, CHAPTERS - 1), texts, st.booleans()), min_size=3, max_size=10)
)
def test_chapters_that_come_out_of_order_are_folded_where_they_belong(
    given: list[tuple[int, list[Finding], bool]],
) -> None:
    novel = Novel()
    rebuild(novel)
    for number, found, read in given:
        novel.take("record", number, found)
        if read:
            novel.shown()
    shown = novel.shown()
    rebuild(novel)
    assert novel.shown() == shown
