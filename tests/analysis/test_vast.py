"""A chapter of 200,000 characters: read to its end by both analyzers, and nothing is cut off."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from analysis import run_analysis
from analysis.analyzers.base import ChapterInput, KnownCharacter, Language
from analysis.analyzers.llm.chunks import OVERLAP
from analysis.analyzers.local import LocalAnalyzer
from analysis.features import usual
from analysis.worker.steward import Steward
from arboris.bible.models import Character, Finding
from arboris.bible.types.findings import NewCharacter
from arboris.novels.models import NovelProject
from tests.factories import JsonClient, claim_next
from tests.llm.endpoint import Endpoint, Reply, configured

pytestmark = pytest.mark.slow

CHARACTERS = 200_000
CHUNK = 12_000
EMPTY: dict[str, list[Any]] = {"characters": [], "entities": [], "seeds": []}


def numbered(line: str) -> str:
    """Lines with a number each, together of just 200,000 characters or a little more."""
    lines: list[str] = []
    length = 0
    for number in itertools.count(1):
        if length >= CHARACTERS:
            return "\n".join(lines)
        lines.append(line.format(n=number))
        length += len(lines[-1]) + 1
    raise AssertionError("unreachable")


ZH = numbered("第{n}夜，沈砚秋在听雨楼写下第{n}封信，等着顾长风的回音，窗外雨声不断。")
EN = numbered(
    "On night {n} Ada Finch wrote letter {n} in the Grey Tower, and Tom Marlow did not come."
)


@pytest.fixture
def endpoint(settings: Settings) -> Iterator[Endpoint]:
    with configured(settings) as server:
        settings.ARBORIS_ANALYZER = "llm"
        settings.ARBORIS_SUMMARY = "extractive"
        settings.ARBORIS_LLM_CHUNK_CHARS = CHUNK
        server.answer = answer
        yield server


def piece_of(body: dict[str, Any]) -> str:
    user = body["messages"][1]["content"]
    (found,) = re.findall(r"<<<CHAPTER (\w+)>>>\n(.*?)\n<<<END \1>>>", user, re.DOTALL)
    return str(found[1])


def answer(body: dict[str, Any]) -> Reply:
    """Each piece's first and last line as appearances, and every tenth of the chapter as a change:
    lines in an overlap come twice."""
    if body["response_format"]["json_schema"]["name"] != "Tracking":
        return Reply(json.dumps(EMPTY))
    lines = piece_of(body).strip().split("\n")
    first, last = lines[0], lines[-1]
    people: list[dict[str, Any]] = [
        {"name": "沈砚秋", "known_id": None, "aliases": [], "quote": first, "confidence": 0.8},
        {"name": "顾长风", "known_id": None, "aliases": [], "quote": last, "confidence": 0.7},
    ]
    changes = [
        {
            "character": "沈砚秋",
            "kind": "knowledge",
            "description": line,
            "quote": line,
            "confidence": 0.9,
        }
        for line in lines
        if "0夜" in line
    ]
    return Reply(json.dumps({"characters": people, "changes": changes}))


def test_a_model_reads_all_of_it(
    api: JsonClient, project: NovelProject, endpoint: Endpoint
) -> None:
    body = {"content": ZH}
    saved = api.post(f"/api/projects/{project.pk}/chapters", body)
    assert saved.status_code == 201, saved.content
    run_analysis.run(claim_next(), Steward())
    task = api.get(f"/api/async-analysis/tasks/{saved.json()['analysis']['id']}").json()
    assert task["status"] == "completed", task["error_message"]
    assert task["result"]["notes"] == [] and task["result"]["features"] == usual()

    asked = [
        b for b in endpoint.requests if b["response_format"]["json_schema"]["name"] == "Tracking"
    ]
    pieces = sorted((piece_of(body) for body in asked), key=ZH.index)
    assert len(endpoint.requests) == len(usual()) * len(pieces)
    assert all(len(piece) <= CHUNK for piece in pieces)
    ends = 0
    for piece in pieces:  # no gap between two, and neighbours repeat a little
        start = ZH.index(piece)
        assert start <= ends and ends - start <= OVERLAP
        ends = start + len(piece)
    assert ends == len(ZH)
    assert all(len(piece) >= CHUNK // 2 for piece in pieces[:-1])

    # Every line that was told is there once, at its place, whichever pieces it stood in.
    states = Finding.objects.filter(type="state", verified=True).order_by("start")
    lines = ZH.split("\n")
    assert [row.quote for row in states] == [line for line in lines if "0夜" in line]
    assert all(ZH[row.start : row.end] == row.quote for row in states)
    people = dict(Character.objects.values_list("name", "mentions"))
    assert people == {"沈砚秋": len(lines), "顾长风": len(lines)}
    assert Finding.objects.filter(type="appearance").count() == 2


@pytest.mark.parametrize(
    ("text", "language", "names"),
    [(ZH, "zh", ("沈砚秋", "顾长风")), (EN, "en", ("Ada Finch", "Tom Marlow"))],
)
def test_the_offline_analyzer_reads_all_of_it(
    text: str, language: Language, names: tuple[str, ...]
) -> None:
    """What stands in the last lines alone is found as well."""
    late = {
        "zh": "\n陆清河推门进来，身受重伤。陆清河说：“沈砚秋，跟我走。”陆清河倒下了。"
        "\n“走吧。”顾长风说道。",
        "en": "\nRuth Carver came in. Ruth Carver was wounded. “Come,” said Ruth Carver.",
    }[language]
    known = (KnownCharacter(1, names[0]),)
    whole = ChapterInput(text + late, language, 3, known_characters=known, features=tuple(usual()))
    fractions: list[float] = []
    session = LocalAnalyzer().open(whole)
    findings = [f for feature in usual() for f in session.run(feature, fractions.append).findings]
    assert all(whole.text[f.evidence.start : f.evidence.end] == f.evidence.quote for f in findings)
    new = {f.name: f for f in findings if isinstance(f, NewCharacter)}
    newcomer = {"zh": "陆清河", "en": "Ruth Carver"}[language]
    assert new[newcomer].mentions == 3 and new[newcomer].evidence.start > CHARACTERS
    assert new[names[1]].mentions == whole.text.count(names[1])
    assert any(f.type == "state" and f.evidence.start > CHARACTERS for f in findings)
    assert len(fractions) > 100  # it can be stopped all along


def test_a_vast_chapter_through_the_offline_queue(api: JsonClient, project: NovelProject) -> None:
    """In English, which is read ten times as fast."""
    project.language = "en"
    project.save()
    saved = api.post(f"/api/projects/{project.pk}/chapters", {"content": EN}).json()
    run_analysis.run(claim_next(), Steward())
    detail = api.get(f"/api/async-analysis/tasks/{saved['analysis']['id']}").json()
    assert detail["status"] == "completed", detail["error_message"]
    assert Character.objects.get(name="Ada Finch").mentions == EN.count("Ada Finch")
    assert not Finding.objects.filter(verified=False).exists()
