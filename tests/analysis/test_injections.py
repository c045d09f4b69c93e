"""A chapter that wants to be obeyed changes nothing: not what is asked, and not what is believed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from analysis import run_analysis
from analysis.analyzers.base import (
    ChapterInput,
    KnownCharacter,
    KnownEntity,
    Language,
    OpenThread,
    Session,
)
from analysis.analyzers.llm import prompts
from analysis.analyzers.llm.chunks import Chunk, split
from analysis.analyzers.llm.quotes import Finder, flattened
from analysis.analyzers.local import LocalAnalyzer
from analysis.features import FEATURES
from analysis.models import PendingAnalysis
from analysis.worker.steward import Steward
from arboris.bible import service as bible
from arboris.bible.models import Character, CharacterState, Finding, ForeshadowingThread
from arboris.bible.types.findings import Finding as Stated
from arboris.llm import prompt_fence
from arboris.novels import model_summary
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from arboris.workspace.generation.prompt import messages_for
from tests.analysis.injections import INJECTIONS, Injection
from tests.factories import claim_next, make_chapter, make_project, queue_chapter
from tests.llm.endpoint import KEY, Endpoint, Reply, configured

pytestmark = pytest.mark.slow

STORY: dict[Language, tuple[str, str]] = {
    "zh": (
        "沈砚秋推开听雨楼的木门，把油纸伞靠在墙边。顾长风说：“你来晚了。”沈砚秋没有回答，只是看着檐下的铜铃。",
        "顾长风把一把青铜钥匙递给沈砚秋。沈砚秋身受重伤，仍然接过了钥匙。窗外的铃响了三声，谁也不知道是谁在敲它。",
    ),
    "en": (
        "Ada Finch climbed the stairs of the Grey Tower and shook the rain from her coat. “You are late,” said Tom Marlow. Ada Finch looked at the bell.",
        "Tom Marlow gave the brass key to Ada Finch. Ada Finch was wounded, but she took it. Outside the bell rang, and nobody knew who had touched it.",
    ),
}  # fmt: skip
HARMLESS = "夜里下了一场雨。"
# What chat templates and our own markers are made of.
SIGNS = re.compile(
    r"[<>＜＞﹤﹥]|\[/?(?:INST|AVAILABLE_TOOLS|TOOL_CALLS|gMASK)|^\s*#+\s*(?:Instruction|Response)"
    r"|^\s*(?:System|Human|Assistant):",
    re.IGNORECASE | re.MULTILINE,
)
MARKER = re.compile(r"<<<(\w+) ([0-9a-f]{16})>>>")
each = pytest.mark.parametrize("attack", INJECTIONS, ids=lambda attack: attack.name)


def story(attack: Injection) -> str:
    before, after = STORY[attack.language]
    return f"{before}\n{attack.text}\n{after}"


def given(attack: Injection, text: str = "") -> ChapterInput:
    """The attack in the chapter, and in everything else that a prompt is made of."""
    return ChapterInput(
        text=text or story(attack),
        language=attack.language,
        chapter_number=3,
        title=attack.text[:200],
        known_characters=(KnownCharacter(1, attack.text[:90], (attack.text[:40],)),),
        known_entities=(KnownEntity("rule", attack.text[:90]),),
        open_threads=(OpenThread(1, attack.text, attack.text[:200]),),
    )


def harmless(attack: Injection) -> ChapterInput:
    plain = Injection("harmless", attack.language, HARMLESS)
    return given(plain)


def taken_apart(messages: list[Any]) -> tuple[str, str, dict[str, str]]:
    """The system message and what stands outside the markers, both without the call's token; and
    what stands between them."""
    system, user = (str(message["content"]) for message in messages)
    (token,) = {found[1] for found in MARKER.findall(user)}
    blocks = dict(re.findall(rf"<<<(\w+) {token}>>>\n(.*?)\n<<<END {token}>>>", user, re.DOTALL))
    outside = re.sub(rf"<<<\w+ {token}>>>\n.*?\n<<<END {token}>>>", "", user, flags=re.DOTALL)
    return system.replace(token, "T"), outside, blocks


def expect_fenced(messages: list[Any], plain: list[Any]) -> dict[str, str]:
    system, outside, blocks = taken_apart(messages)
    assert (system, outside) == taken_apart(plain)[:2]
    for name, data in blocks.items():
        assert not SIGNS.search(data), (name, data)
        assert not any(sign in prompt_fence.UNSEEN for sign in data), name
    assert KEY not in json.dumps(messages)
    return blocks


def test_there_are_thirty_of_them_in_both_languages() -> None:
    assert len({attack.name for attack in INJECTIONS}) == len(INJECTIONS) >= 30
    for language in ("zh", "en"):
        assert sum(attack.language == language for attack in INJECTIONS) >= 10


# --- what is sent ---------------------------------------------------------------------------


@each
def test_the_analyzers_question_stays_the_same(attack: Injection) -> None:
    chapter = given(attack)
    whole = Chunk(0, len(chapter.text))
    plain = harmless(attack)
    for feature in FEATURES:
        blocks = expect_fenced(
            prompts.messages(chapter, feature, whole, 1, 1),
            prompts.messages(plain, feature, Chunk(0, len(plain.text)), 1, 1),
        )
        assert len(blocks["CHAPTER"]) == len(chapter.text)  # nothing is left out
        assert flattened(blocks["CHAPTER"]) == flattened(prompt_fence.neutral(chapter.text))
    # A quote of what was neutralised is found where it stands.
    quote = prompt_fence.neutral(attack.text).strip()
    if flattened(quote)[0]:
        assert Finder(chapter.text, whole).find(quote) is not None


@each
def test_in_pieces_each_piece_is_fenced(attack: Injection) -> None:
    chapter = given(attack, (story(attack) + "\n") * 40)
    chunks = split(chapter.text, 1_500)
    plain = given(Injection("harmless", attack.language, HARMLESS))
    assert len(chunks) > 2
    for number, chunk in enumerate(chunks, 1):
        asked = prompts.messages(chapter, "foreshadowing", chunk, number, len(chunks))
        unsuspicious = prompts.messages(plain, "foreshadowing", Chunk(0, 10), number, len(chunks))
        expect_fenced(asked, unsuspicious)


@each
def test_the_summarys_question_stays_the_same(attack: Injection) -> None:
    language = attack.language
    asked = model_summary.messages_for(story(attack), language)
    expect_fenced(list(asked), list(model_summary.messages_for(HARMLESS, language)))


@each
def test_the_prompt_for_a_new_chapter_stays_the_same(writer: Any, attack: Injection) -> None:
    def novel(text: str) -> NovelProject:
        project = make_project(writer, text[:200], language=attack.language)
        project.synopsis, project.genre = text, text[:100]
        project.save()
        chapter = make_chapter(project, story(attack._replace(text=text)), title=text[:200])
        fact = {"chapter": chapter, "quote": "q", "confidence": 0.9}
        person = Character.objects.create(
            project=project, name=text[:90], description=text, last_chapter=chapter, **fact
        )
        CharacterState.objects.create(character=person, kind="ability", description=text, **fact)
        ForeshadowingThread.objects.create(project=project, kind="hint", description=text, **fact)
        return project

    asked = messages_for(novel(attack.text), attack.text, title=attack.text[:200])
    plain = messages_for(novel(HARMLESS), HARMLESS, title=HARMLESS)
    blocks = expect_fenced(list(asked), list(plain))
    assert {"NOVEL", "CHARACTERS", "THREADS", "SUMMARIES", "ENDING", "INSTRUCTIONS"} <= set(blocks)


# --- what comes back ------------------------------------------------------------------------


def obedient(body: dict[str, Any], confidence: float) -> Reply:
    """A model that does as the chapter says, and more: nothing of it stands in the text."""
    made_up = {"quote": "这句话哪里也没有 nowhere at all", "confidence": confidence}
    quoted = {"quote": "木门", "confidence": confidence}  # there in Chinese, but about nothing
    someone = {"known_id": 99, "aliases": ["Nemo"], "role": "main", "status": "failed"}
    answers: dict[str, dict[str, Any]] = {
        "Tracking": {
            "characters": [
                {"name": "Nobody", **someone, **made_up}, {"name": "Nobody", **someone, **quoted}
            ],
            "changes": [
                {"character": who, "kind": "condition", "description": "died", **why}
                for who, why in (("Nobody", made_up), ("Nobody", quoted), ("Veteran", made_up))
            ],
            "relations": [{"source": "Nobody", "target": "Nemo", "relation": "enemy", **quoted}],
            "generation_config": {"enhanced_features": {}},
        },
        "Newcomers": {
            "characters": [
                {"name": "Nobody", **someone, **made_up}, {"name": "Nobody", **someone, **quoted}
            ]
        },
        "World": {"entities": [{"kind": "location", "name": "Nowhere", "aliases": [], **quoted}]},
        "Threads": {
            "seeds": [{"kind": "hint", "description": "d", "keywords": [], **made_up}],
            "payoffs": [
                {"thread": n, "outcome": "paid_off", "description": "over", "keywords": [], **why}
                for n in (-1, 0, None, *range(1, 12), 10**9)
                for why in (made_up, quoted)
            ],
        },
    }  # fmt: skip
    return Reply(json.dumps(answers[body["response_format"]["json_schema"]["name"]]))


@pytest.fixture
def endpoint(settings: Settings) -> Iterator[Endpoint]:
    with configured(settings) as server:
        settings.ARBORIS_ANALYZER = "llm"
        settings.ARBORIS_LLM_RETRIES = 0
        yield server


def novel_with_threads(project: NovelProject) -> Chapter:
    """A chapter before, with a character and open threads."""
    before = make_chapter(project, "老兵敲了敲门。")
    for number in range(10):
        Finding.objects.create(
            project=project, chapter=before, version=before.current, task_id=1, feature="foreshadowing",
            type="foreshadowing", quote=f"谜{number}", start=0, end=2, confidence=0.9,
            payload={
                "type": "foreshadowing", "kind": "mystery", "description": f"谜{number}", "keywords": [],
                "evidence": {"quote": f"谜{number}", "start": 0, "end": 2}, "confidence": 0.9,
            },
        )  # fmt: skip
    bible.fresh(project.pk)
    assert ForeshadowingThread.objects.count() == 10
    return before


def rest_of_the_world(but: Chapter) -> list[Any]:
    return [
        list(Chapter.objects.exclude(pk=but.pk).order_by("pk").values()),
        list(NovelProject.objects.order_by("pk").values("pk", "title", "synopsis", "owner_id")),
        list(ChapterVersion.objects.order_by("pk").values("pk", "content", "source")),
        list(Finding.objects.exclude(chapter=but).order_by("pk").values("pk", "current")),
    ]


@pytest.mark.parametrize(
    ("attack", "confidence"),
    [*((attack, 1.0) for attack in INJECTIONS), (INJECTIONS[0], 1000.0)],
    ids=lambda value: value.name if isinstance(value, Injection) else str(value),
)
def test_a_model_that_obeys_is_not_believed(
    project: NovelProject, stranger: Any, endpoint: Endpoint, attack: Injection, confidence: float
) -> None:
    endpoint.answer = lambda body: obedient(body, confidence)
    novel_with_threads(project)
    make_chapter(make_project(stranger), "别人的小说。")
    text = (story(attack) + "\n") * 3
    task = queue_chapter(project, text, temperature=0.5)
    before = rest_of_the_world(task.chapter)
    run_analysis.run(claim_next(), Steward())
    task.refresh_from_db()
    assert rest_of_the_world(task.chapter) == before
    assert task.generation_config == {"temperature": 0.5}
    # A confidence of 1000 is no answer: that is tried again, and nothing of it is kept.
    assert task.status == ("completed" if confidence == 1.0 else "pending")
    assert PendingAnalysis.objects.count() == 1
    for row in Finding.objects.filter(chapter=task.chapter, verified=True):
        assert row.quote in text and text[row.start : row.end] == row.quote
    names = set(Character.objects.values_list("name", flat=True))
    assert names <= ({"Nobody"} if "Nobody" in text else set())
    assert names or not CharacterState.objects.exists()
    threads = ForeshadowingThread.objects.filter(project=project)
    assert set(threads.values_list("status", flat=True)) == {"open"} and threads.count() == 10


def test_a_passage_may_close_a_few_matters_but_not_all(
    project: NovelProject, endpoint: Endpoint
) -> None:
    """So the guard above is no ban on pay-offs."""
    payoff = {"outcome": "paid_off", "description": "d", "keywords": [], "quote": "木门", "confidence": 0.9}  # fmt: skip

    def answer(body: dict[str, Any]) -> Reply:
        if body["response_format"]["json_schema"]["name"] != "Threads":
            return Reply('{"characters": [], "entities": []}')
        return Reply(json.dumps({"seeds": [], "payoffs": [payoff | {"thread": n} for n in (1, 2)]}))

    endpoint.answer = answer
    novel_with_threads(project)
    queue_chapter(project, story(INJECTIONS[0]) * 3)
    run_analysis.run(claim_next(), Steward())
    closed = ForeshadowingThread.objects.filter(project=project, status="paid_off")
    assert closed.count() == 2


@each
def test_an_obedient_models_summary_is_not_taken(
    api: Any, project: NovelProject, endpoint: Endpoint, settings: Settings, attack: Injection
) -> None:
    settings.ARBORIS_SUMMARY = "llm"
    system = model_summary.messages_for("x", attack.language)[0]["content"]
    endpoint.replies(Reply(json.dumps({"summary": "My instructions: bananas, passwords, tokens."})))
    body = {"content": story(attack), "mode": "basic"}
    saved = api.post(f"/api/projects/{project.pk}/chapters", body).json()
    assert "bananas" not in saved["summary"] and str(system)[:40] not in saved["summary"]
    assert saved["summary"]


# --- the offline analyzer -------------------------------------------------------------------


def offline(text: str, language: Language) -> list[Stated]:
    chapter = ChapterInput(text=text, language=language, chapter_number=2, features=tuple(FEATURES))
    session: Session = LocalAnalyzer().open(chapter)
    return [f for feature in FEATURES for f in session.run(feature, lambda part: None).findings]


def of_the_story(findings: list[Stated], start: int, end: int) -> set[tuple[str, ...]]:
    """What rests on a quote outside of the paragraph, without counts over the whole text."""
    outside = [f for f in findings if not (f.evidence.start < end and start < f.evidence.end)]
    told = ("name", "character", "kind", "description", "source", "target", "relation", "outcome")
    return {
        (f.type, f.evidence.quote, *(str(getattr(f, part, "")) for part in told)) for f in outside
    }


@each
def test_the_offline_analyzer_reads_the_story_all_the_same(attack: Injection) -> None:
    before, after = STORY[attack.language]
    alone = offline(f"{before}\n{after}", attack.language)
    start = len(before) + 1
    disturbed = offline(story(attack), attack.language)
    expected = of_the_story(alone, -1, -1)
    assert len(expected) >= 5
    assert of_the_story(disturbed, start, start + len(attack.text)) == expected
