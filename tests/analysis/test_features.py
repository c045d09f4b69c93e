"""A feature is an entry in ``FEATURES``, and a part in each analyzer, the fold and the page.

A toy feature is registered the same way and goes end to end; no file of the program knows it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pydantic import BaseModel
from pytest_django import Settings

from analysis import run_analysis
from analysis.analyzers.llm.prompts.wording import EN, ZH
from analysis.analyzers.llm.reading import Reader
from analysis.analyzers.llm.tasks import TASKS, Task
from analysis.analyzers.local.session import FINDERS
from analysis.features import FEATURES, Feature
from analysis.models import PendingAnalysis
from analysis.worker.steward import Steward
from arboris.bible.fold import fold
from arboris.bible.types import findings
from arboris.bible.types.findings import Aliases, BaseFinding, Evidence, Name, Text
from arboris.novels.models import Chapter, NovelProject
from arboris.workspace.bible import content as bible
from tests.factories import LONG_ENOUGH, JsonClient, claim_next
from tests.llm.endpoint import Endpoint, Reply, configured

SIGN = "檐下的铜铃响了三声"


class Omen(BaseFinding):
    type: Literal["omen"] = "omen"
    name: Name
    aliases: Aliases
    description: Text
    mentions: int = 1


class Sign(BaseModel):
    quote: str
    name: str


class Omens(BaseModel):
    omens: list[Sign]


def omen(quote: Evidence, name: str) -> Any:
    return Omen(name=name, aliases=[], description="凶兆", evidence=quote, confidence=0.9)


def read_omens(reader: Reader, answer: Omens) -> Iterator[Any]:
    return reader.each(answer.omens, lambda entry, quote: omen(quote, entry.name))


def find_omens(session: Any, reading: Any, progress: Any) -> Iterator[Any]:
    start = LONG_ENOUGH.index(SIGN)
    yield omen(Evidence(quote=SIGN, start=start, end=start + len(SIGN)), "铜铃")


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Feature:
    feature = Feature("omens", "Reading the omens", "the omens", {"omen": "Omen"})
    task = Task(Omens, read_omens)
    for registry, key, value in (
        (FEATURES, "omens", feature),
        (TASKS, "omens", task),
        (ZH.tasks, "omens", "TASK: OMENS"),
        (EN.tasks, "omens", "TASK: OMENS"),
        (FINDERS, "omens", find_omens),
        (findings.TYPES, "omen", Omen),
        (fold.ADD, "omen", fold.Fold.add_thing),
        (bible.SECTIONS, "omens", bible.Section("Omens", bible.entries_of("omen"))),
    ):
        registered: Any = registry
        monkeypatch.setitem(registered, key, value)
    return feature


@pytest.fixture
def endpoint(settings: Settings) -> Iterator[Endpoint]:
    """A model that finds the omen and nothing else."""
    found = {"omens": [{"quote": SIGN, "name": "铜铃"}]}
    empty: dict[str, Any] = {"characters": [], "entities": [], "seeds": []}
    with configured(settings) as server:
        settings.ARBORIS_SUMMARY = "extractive"
        server.answer = lambda body: Reply(json.dumps(empty | found, ensure_ascii=False))
        yield server


def post(api: JsonClient, project: NovelProject, switches: dict[str, Any]) -> Any:
    body = {"content": LONG_ENOUGH, "generation_config": {"enhanced_features": switches}}
    return api.post(f"/api/projects/{project.pk}/chapters", body)


def english(api: JsonClient, url: str) -> Any:
    return api.get(url, headers={"accept-language": "en"}).json()


@pytest.mark.parametrize("analyzer", ["local", "llm"])
def test_a_toy_feature_goes_end_to_end(
    api: JsonClient,
    project: NovelProject,
    toy: Feature,
    endpoint: Endpoint,
    settings: Settings,
    analyzer: str,
) -> None:
    settings.ARBORIS_ANALYZER = analyzer
    saved = post(api, project, dict.fromkeys(FEATURES, False) | {"omens": True}).json()
    run_analysis.run(claim_next(), Steward())

    task = api.get(f"/api/async-analysis/tasks/{saved['analysis']['id']}").json()
    assert task["status"] == "completed", task["error_message"]
    assert task["result"]["features"] == ["omens"]
    assert task["result"]["by_type"] == {"omen": 1}
    (told,) = english(api, "/api/async-analysis/notifications")
    assert (told["data"]["features"], told["message"]) == (["omens"], "Updated: the omens")
    (found,) = api.get(f"/api/chapters/{saved['id']}/findings").json()
    assert (found["type"], found["label"], found["applied"]) == ("omen", "铜铃", True)
    known = api.get(f"/api/projects/{project.pk}/bible").json()
    assert [one["name"] for one in known["omens"]] == ["铜铃"]
    assert known["world"] == {"locations": [], "factions": [], "items": [], "rules": []}
    markdown = api.get(f"/api/projects/{project.pk}/bible/export.md").content.decode()
    assert "## Omens" in markdown and "铜铃" in markdown


def test_its_switch_is_on_by_default_and_checked(
    api: JsonClient, project: NovelProject, toy: Feature
) -> None:
    (message,) = post(api, project, {"omens": "yes"}).json()["generation_config"]
    assert message.startswith("enhanced_features.omens:")
    only = post(api, project, dict.fromkeys(set(FEATURES) - {"omens"}, False)).json()
    assert only["analysis"] is not None
    assert PendingAnalysis.objects.count() == 1


def test_pages_show_it(client: Client, writer: User, project: NovelProject, toy: Feature) -> None:
    client.force_login(writer)
    page = client.get(f"/projects/{project.pk}/bible").content.decode()
    assert 'id="tab-omens"' in page and 'data-part="omens"' in page
    assert '"feature_omens": "Reading the omens"' in page and '"type_omen": "Omen"' in page
    chapter = Chapter.objects.create(project=project, chapter_number=1)
    shown = client.get(f"/chapters/{chapter.pk}").content.decode()
    assert '"payoff", "contradiction", "omen"]' in shown  # the types of findings in their order


@pytest.mark.parametrize("key", FEATURES)
def test_every_feature_has_all_its_parts(key: str) -> None:
    parts: list[Any] = [TASKS, ZH.tasks, EN.tasks, FINDERS]
    assert [key in part for part in parts] == [True] * len(parts)
    assert set(FEATURES[key].finding_types) <= set(findings.TYPES)
    assert len(key) <= 30


def test_every_type_of_finding_is_named_by_one_feature_and_folded() -> None:
    named = [name for feature in FEATURES.values() for name in feature.finding_types]
    assert sorted(named) == sorted(findings.TYPES)
    in_their_order = {"appearance", "character", "description", "payoff", "contradiction"}
    assert in_their_order | set(fold.ADD) == set(findings.TYPES)
