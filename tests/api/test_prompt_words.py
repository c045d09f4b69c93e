"""Changed words of the summary and of writing are what the model is asked with."""

from __future__ import annotations

import json

import pytest
from pytest_django import Settings

from arboris.llm.models import ModelCall, PromptVersion
from arboris.novels.models import NovelProject
from tests.analysis.llm_answers import TEXT
from tests.factories import JsonClient
from tests.llm.endpoint import Endpoint, Reply, configured

pytestmark = pytest.mark.django_db(transaction=True)


def changed(key: str, text: str) -> str:
    row = PromptVersion.objects.create(key=key, language="zh", text=text, created_by="boss")
    return f"#{row.pk}"


def system_of(endpoint: Endpoint, number: int) -> list[str]:
    """The parts of a request's system message."""
    message = endpoint.requests[number]["messages"][0]
    assert message["role"] == "system"
    return str(message["content"]).split("\n\n")


def test_they_stand_where_the_shipped_ones_stood(
    api: JsonClient, project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_SUMMARY = "llm"
    written = TEXT * 3

    def answer(body: dict[str, object]) -> Reply:
        return Reply(json.dumps({"summary": TEXT[:40]}) if "response_format" in body else written)

    url = f"/api/projects/{project.pk}/chapters/generate"
    with configured(settings) as endpoint:
        endpoint.answer = answer
        assert api.post(url, {"mode": "basic"}).status_code == 201
        versions = [
            changed("generation", "【写法】\n写得短。"),
            changed("summary", "summary 写一句。"),
        ]
        assert api.post(url, {"mode": "basic"}).status_code == 201
        # The first two asked with the shipped words, the others with the changed ones.
        writing, summary = ([system_of(endpoint, at) for at in pair] for pair in ((0, 2), (1, 3)))
    assert writing[1][-1] == "【写法】\n写得短。"
    assert summary[1][-1] == "summary 写一句。"
    for before, after in (writing, summary):
        assert before[-1] != after[-1]
        assert (before[0], len(before)) == (after[0], len(after))  # who speaks
        assert "<<<END" in after[1]  # where the material begins and ends
    kept = list(ModelCall.objects.order_by("pk").values_list("prompt", flat=True))
    assert kept[2:] == versions
    assert all(len(version) == 8 for version in kept[:2])
