"""A kind of decision is one file and a line in the list: a toy kind proves it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from arboris.bible.decisions import kinds, lookup
from arboris.bible.decisions.base import Asked, DecisionKind, Inputs, Params, name_field
from arboris.bible.decisions.rules import Decision, Rules
from arboris.novels.models import Chapter, NovelProject
from tests.bible.test_fold import person
from tests.bible.test_service import record
from tests.factories import JsonClient, make_chapter


class Praise(DecisionKind):
    """A character is described by one word of praise."""

    action = "praise"
    needs = ("type", "id", "word")

    def inputs(self) -> Inputs:
        return {**super().inputs(), "word": name_field(required=False)}

    def check(self, project_id: uuid.UUID, asked: Asked) -> Params:
        entry = lookup.entry(project_id, asked, "id")
        return {**lookup.where(asked), "key": entry.natural_key, "word": asked["word"]}

    def rule(self, rules: Rules, decision: Decision, number: int) -> None:
        place = (decision["scope"], decision["key"])
        rules.edits.setdefault(place, []).append((number, {"description": decision["word"]}))


@pytest.fixture
def told(project: NovelProject, monkeypatch: pytest.MonkeyPatch) -> Chapter:
    monkeypatch.setattr(kinds, "KINDS", [*kinds.KINDS, Praise()])
    chapter = make_chapter(project)
    record(chapter, person("沈砚秋"))
    return chapter


def test_a_toy_kind_is_taken_checked_folded_and_undone(api: JsonClient, told: Chapter) -> None:
    url = f"/api/projects/{told.project_id}/bible"

    def shown() -> Any:
        (one,) = api.get(url).json()["characters"]
        return one

    asked = {"action": "praise", "type": "character", "id": shown()["id"]}
    assert "word" in api.post(f"{url}/decisions", asked).json()
    made = api.post(f"{url}/decisions", asked | {"word": "义士"})
    assert made.status_code == 201, made.content
    assert shown()["description"] == "义士"
    record(told, person("沈砚秋"))  # it holds for every later analysis
    assert shown()["description"] == "义士"
    api.post(f"{url}/decisions/{made.json()['id']}/undo")
    assert shown()["description"] == ""


def test_an_action_that_is_not_listed_is_refused(api: JsonClient, project: NovelProject) -> None:
    answer = api.post(f"/api/projects/{project.pk}/bible/decisions", {"action": "praise"})
    assert answer.status_code == 400
    assert "action" in answer.json()
