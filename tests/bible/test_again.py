"""Analysing a chapter again leaves the bible as it was: what is known is what others say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import Settings

from analysis import queue, run_analysis
from analysis.analyzers.base import Analyzer, ChapterInput, Check, FeatureResult, Session
from analysis.analyzers.llm.names import Cast
from analysis.models import PendingAnalysis, Status
from analysis.worker.steward import Steward
from arboris.bible.types.findings import (
    Finding,
    NewCharacter,
    Payoff,
)
from arboris.db import in_transaction
from arboris.novels import services as novels
from arboris.novels.models import Chapter, NovelProject
from arboris.workspace.bible import export
from tests.analysis.llm_answers import says
from tests.bible.test_fold import QUOTES, findings
from tests.factories import (
    LONG_ENOUGH,
    JsonClient,
    claim_next,
    make_chapter,
    make_project,
    make_user,
)
from tests.llm.endpoint import Answer, Reply, configured

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).resolve().parents[2] / "arboris" / "novels" / "sample"
ADDED = {"zh": "\n\n天色渐渐暗了下来。", "en": "\n\nIt began to rain."}
CHAPTERS = 4


def analyse(chapter: Chapter, added: str = "") -> None:
    """Analyse the chapter's text, or that with something added at its end, and apply what is
    found."""

    def work() -> None:
        novels.lock_project(chapter.project_id)
        chapter.refresh_from_db()
        version = chapter.current
        if added:
            changed = novels.change_text(chapter, novels.ChapterText.of(version.content + added))
            assert changed is not None
            version = changed
        queue.enqueue(chapter, version, config={})

    in_transaction(work)
    claim = claim_next()
    run_analysis.run(claim, Steward())
    assert PendingAnalysis.objects.get(pk=claim.task_id).status == Status.COMPLETED


def exported(project: NovelProject) -> str:
    return export.as_json(project)[0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_sample_read_again_stays_as_it_was(
    api: JsonClient, project: NovelProject, settings: Settings, language: str
) -> None:
    settings.ARBORIS_ANALYZER = "local"
    novel = SimpleUploadedFile("novel.md", (SAMPLES / f"{language}.md").read_bytes())
    url = f"/api/projects/{project.pk}/import"
    assert api.post(url, {"file": novel}, format="multipart").status_code == 201
    while claim := queue.claim("host:1"):
        run_analysis.run(claim, Steward())
    before = exported(project)
    assert any(one["description"] for one in json.loads(before)["characters"])
    for chapter in project.chapters.order_by("chapter_number"):
        analyse(chapter)
        assert exported(project) == before, chapter.chapter_number
        analyse(chapter, ADDED[language])
        assert exported(project) == before, chapter.chapter_number


# --- the same answers -------------------------------------------------------------------------
class Answering(Analyzer):
    """Says what ``answers`` has for the chapter's number, as a language model's answers are read:
    what is new of somebody who is known is a description, and a pay-off names a seed that it was
    told of, or is left out."""

    name = "answering"
    answers: ClassVar[dict[int, list[Finding]]] = {}

    def open(self, chapter: ChapterInput) -> Session:
        return AnsweringSession(chapter)


class AnsweringSession(Session):
    def __init__(self, chapter: ChapterInput) -> None:
        self._chapter = chapter
        self._cast = Cast(chapter)
        self._seeds = {thread.quote for thread in chapter.open_threads}

    def run(self, feature: str, check: Check) -> FeatureResult:
        if feature != "character_tracking":
            return FeatureResult([])
        return FeatureResult(list(self._said(Answering.answers[self._chapter.chapter_number])))

    def _said(self, answers: Iterable[Finding]) -> Iterable[Finding]:
        for one in answers:
            is_odd = isinstance(one, Payoff) and one.seed_quote not in {"", *self._seeds}
            if isinstance(one, NewCharacter) and self._cast.known(one.name):
                yield one.model_copy(update={"type": "description"})
            elif not is_odd:
                yield one


@pytest.mark.django_db(transaction=True)
@examples(
    max_examples=10,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],  # a smaller example costs minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(st.lists(findings, max_size=6), min_size=CHAPTERS, max_size=CHAPTERS),
    st.one_of(st.just(list(range(CHAPTERS))), st.permutations(range(CHAPTERS))),
    st.permutations(range(CHAPTERS)),
)
def test_the_same_answers_again_leave_the_bible_as_it_was(
    settings: Settings, answers: list[list[Finding]], first: list[int], again: list[int]
) -> None:
    settings.ARBORIS_ANALYZERS = {"answering": "tests.bible.test_again.Answering"}
    settings.ARBORIS_ANALYZER = "answering"
    project = make_project(make_user())
    text = LONG_ENOUGH + "。".join(QUOTES)
    chapters = [make_chapter(project, text) for _ in range(CHAPTERS)]
    if first != sorted(first):  # a chapter that is read before others cannot heed what they say
        answers = [[one for one in said if not _heeds(one)] for said in answers]
    Answering.answers = dict(enumerate(answers, 1))
    for number in first:
        analyse(chapters[number])
    before = exported(project)
    for number in again:
        analyse(chapters[number])
        assert exported(project) == before


def _heeds(one: Finding) -> bool:
    """Whether it is stated or not by what is known (test_at_rest: then it is read again)."""
    return isinstance(one, NewCharacter) or bool(getattr(one, "seed_quote", ""))


# --- a language model that heeds what it is told ----------------------------------------------
PEOPLE = {  # by chapter: name, description, goal; some are described again, and otherwise
    1: [("沈砚秋", "听雨楼的楼主", ""), ("阿秋", "", "找到铜铃")],
    2: [("顾长风", "剑客", "报仇"), ("沈砚秋", "断了左臂的楼主", "重建听雨楼")],
    3: [("岑望山", "药农", ""), ("长风", "顾家的独子", "")],
    4: [("阿秋", "沈砚秋的妹妹", ""), ("岑望山", "退隐的神医", "")],
}
CHANGED = "灯影晃了一下。"


def told_of(body: dict[str, Any], block: str) -> str:
    """What stands between the markers of a block of the prompt."""
    said = body["messages"][1]["content"]
    found = re.search(rf"<<<{block} \w+>>>\n(.*?)\n?<<<END", said, re.DOTALL)
    return found[1] if found else ""


def heeding(body: dict[str, Any]) -> Reply:
    """Names nobody as new who is known, and pays off only what it was told of."""
    number = int(re.search(r"第(\d)回", told_of(body, "CHAPTER"))[1])  # type: ignore[index]
    known, threads = told_of(body, "KNOWN"), told_of(body, "THREADS")
    seen: list[dict[str, Any]] = [
        {
            "name": name,
            "quote": f"{name}来了",
            "confidence": 0.9,
            "description": said,
            "goals": aim,
        }
        for name, said, aim in PEOPLE[number]
    ]
    planted = re.findall(r"(\d+)\. \[第 (\d) 章\]", threads)
    payoffs = [
        {"thread": int(at), "outcome": "advanced", "description": f"应了第{of}回",
         "quote": f"第{number}回", "confidence": 0.9}
        for at, of in planted
        if int(of) == number - 2
    ]  # fmt: skip
    seed = {"kind": "hint", "description": f"第{number}回的铃", "quote": f"第{number}回"}
    answer: Answer = says(
        character_tracking={"characters": seen},
        new_character_detection={"characters": [one for one in seen if one["name"] not in known]},
        world_expansion={
            "entities": [{"kind": "location", "name": "听雨楼", "description": f"其{number}",
                          "quote": "听雨楼", "confidence": 0.9}] * ("听雨楼" not in known),
        },
        foreshadowing={"seeds": [seed | {"confidence": 0.9}], "payoffs": payoffs},
    )  # fmt: skip
    return answer(body)


@pytest.mark.django_db(transaction=True)
def test_a_model_that_heeds_what_is_known_leaves_the_bible_as_it_was(
    project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_ANALYZER = "llm"
    with configured(settings) as endpoint:
        endpoint.answer = heeding
        chapters = [
            make_chapter(
                project,
                f"第{number}回。听雨楼外，" + "。".join(f"{name}来了" for name, _, _ in said)
                + LONG_ENOUGH,
            )
            for number, said in PEOPLE.items()
        ]  # fmt: skip
        for chapter in chapters:
            analyse(chapter)
        before = exported(project)
        people = {one["name"]: one for one in json.loads(before)["characters"]}
        assert (people["沈砚秋"]["description"], people["岑望山"]["description"]) == (
            "听雨楼的楼主",
            "药农",
        )
        assert json.loads(before)["foreshadowings"][0]["events"]
        for number in (0, 3, 1, 0, 2):
            analyse(chapters[number], CHANGED)
            assert exported(project) == before, number
