"""Models and their endpoints say what no database takes; the analysis goes on without it."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from analysis import run_analysis
from analysis.analyzers.base import FeatureResult
from analysis.errors import AnalyzerFailed
from analysis.worker.steward import Steward
from arboris.bible.models import Character
from arboris.bible.types.findings import Appearance, Evidence
from arboris.novels.models import NovelProject
from tests.analyzers import Failing, ScriptedSession
from tests.factories import claim_next, queue_chapter

TALK = "「沈砚秋」说：雨停了再走。「顾长风」说：等不得。" * 12

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("scripted")]


def test_a_finding_loses_its_control_characters(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(session: ScriptedSession, feature: str, check: Any) -> FeatureResult:
        found = Appearance(
            name="沈\x00砚秋",
            aliases=["砚\x01秋"],
            evidence=Evidence(quote="「沈砚\x00秋」", start=0, end=6),
            confidence=0.9,
        )
        return FeatureResult([found] if feature == "character_tracking" else [], notes=["\x00"])

    monkeypatch.setattr(ScriptedSession, "run", run)
    task = queue_chapter(project, TALK)
    run_analysis.run(claim_next(), Steward())
    task.refresh_from_db()
    assert (task.status, task.error_message) == ("completed", "")
    assert Character.objects.get().name == "沈砚秋"


@pytest.mark.parametrize("said", ["有\x00空", "有\x1b空", "有\ud800空"])
def test_an_error_loses_them_too(project: NovelProject, settings: Settings, said: str) -> None:
    settings.ARBORIS_ANALYZER = "failing"
    Failing.error = AnalyzerFailed(said)
    task = queue_chapter(project, TALK)
    run_analysis.run(claim_next(), Steward())
    task.refresh_from_db()
    assert (task.status, task.error_message) == ("pending", "有空")
