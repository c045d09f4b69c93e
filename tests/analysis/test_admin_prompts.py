"""The words of the prompts in the hands of staff."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from analysis.models import OperatorAction
from arboris.bible.models import Finding
from arboris.llm import prompt_texts
from arboris.llm.models import ModelCall, PromptVersion
from arboris.novels.models import NovelProject
from tests.analysis.llm_answers import says, someone
from tests.analysis.test_admin import member, signed_in
from tests.analysis.test_llm_tasks import run_task
from tests.factories import make_user
from tests.llm.endpoint import Endpoint

pytestmark = pytest.mark.django_db(transaction=True)
PROMPTS = "/admin/llm/promptversion/"
TRACKING = f"{PROMPTS}text/character_tracking/zh/"
ENGLISH = {"accept-language": "en"}


@pytest.fixture
def staff() -> Client:
    return signed_in(make_user("boss", is_staff=True, is_superuser=True))


def page(staff: Client, url: str = TRACKING) -> Any:
    response = staff.get(url, headers=ENGLISH)
    assert response.status_code == 200
    return response


def put(staff: Client, text: str, url: str = TRACKING, **more: str) -> Any:
    since = page(staff, url).context_data["now"].version
    return staff.post(url, {"since": since, "text": text, "note": "", **more}, headers=ENGLISH)


def errors_of(response: Any) -> str:
    assert response.status_code == 200
    return str(response.context_data["form"].errors)


def test_every_shipped_text_is_shown_and_would_pass() -> None:
    prompts = prompt_texts.every()
    keys = {key for key, _language in prompts}
    assert {"analysis", "character_tracking", "foreshadowing", "summary", "generation"} <= keys
    assert {language for _key, language in prompts} == {"zh", "en"}
    for prompt in prompts.values():
        assert prompt.faults(prompt.shipped) == [], prompt.key


def test_all_texts_can_be_read(staff: Client) -> None:
    shown = page(staff, PROMPTS).content.decode()
    for (key, language), prompt in prompt_texts.every().items():
        url = f"{PROMPTS}text/{key}/{language}/"
        assert url in shown
        read = page(staff, url).context_data
        assert read["form"].initial["text"] == prompt.shipped
        assert read["now"].version == prompt.words.version
    assert staff.get(f"{PROMPTS}text/nothing/zh/").status_code == 404


def test_a_changed_text_is_asked_and_its_version_kept(
    project: NovelProject, settings: Settings, staff: Client, endpoint: Endpoint
) -> None:
    endpoint.answer = says(
        character_tracking={"characters": [someone("沈砚秋", "沈砚秋推开听雨楼的门")]}
    )
    shipped = prompt_texts.every()[("character_tracking", "zh")].shipped
    run_task(project, settings)
    before = Finding.objects.get(current=True).prompt
    text = shipped + "\n只写主要人物。"
    assert put(staff, text.replace("\n", "\r\n"), note="fewer people").status_code == 302
    row = PromptVersion.objects.get()
    assert (row.text, row.created_by, row.note) == (text, "boss", "fewer people")
    recorded = OperatorAction.objects.get()
    assert (recorded.actor, recorded.action) == ("boss", "change_prompt")
    endpoint.requests.clear()
    task = run_task(project, settings)
    tasks = [body["messages"][1]["content"] for body in endpoint.requests]
    assert sum("只写主要人物。" in asked for asked in tasks) == 1
    rules = before.split("/")[0]
    kept = f"{rules}/#{row.pk}"
    assert Finding.objects.get(current=True, task_id=task.pk).prompt == kept
    assert task.result is not None
    assert task.result["prompts"]["character_tracking"] == kept
    assert ModelCall.objects.get(task_id=task.pk, purpose="character_tracking").prompt == kept
    for url in (
        f"/admin/bible/finding/{Finding.objects.get(task_id=task.pk).pk}/change/",
        f"/admin/analysis/pendinganalysis/{task.pk}/change/",
    ):
        assert f"{PROMPTS}{row.pk}/change/" in page(staff, url).content.decode()
    # Back to the shipped one, which has its version again.
    assert put(staff, "", restore="restore").status_code == 302
    task = run_task(project, settings)
    assert Finding.objects.get(task_id=task.pk).prompt == before
    history = page(staff).context_data["history"]
    assert [change.row.text for change in history] == ["", text]
    assert history[1].diff.endswith("+只写主要人物。")
    assert history[0].diff.endswith("-只写主要人物。")
    taken_up = page(staff, f"{TRACKING}?from={row.pk}").context_data["form"].initial["text"]
    assert taken_up == text


def test_what_must_stand_in_a_text_does(staff: Client) -> None:
    shipped = prompt_texts.every()[("character_tracking", "zh")].shipped
    for text, told in (
        ("", "The text is empty."),
        (shipped.replace("changes", "novelties"), "These words have to stand in it: changes."),
        (f"{shipped}\n<<<END 0123>>>", "could pass for a marker"),
        (f"{shipped}\n[INST]", "could pass for a marker"),
        (shipped + "长" * 20_000, "more than 20000 characters"),
    ):
        assert told in errors_of(put(staff, text)), text[-40:]
    assert not PromptVersion.objects.exists()


def test_nothing_is_overwritten_unseen(staff: Client) -> None:
    shipped = prompt_texts.every()[("character_tracking", "zh")].shipped
    put(staff, shipped + "\n甲。")
    late = {"since": prompt_texts.shipped_words(shipped).version, "text": shipped + "\n乙。"}
    assert "meanwhile" in errors_of(staff.post(TRACKING, late, headers=ENGLISH))
    assert PromptVersion.objects.count() == 1
    put(staff, shipped + "\n甲。")  # as it is: no new version
    assert PromptVersion.objects.count() == 1


def test_who_may_look_may_not_change() -> None:
    looker = member("view_promptversion")
    assert "<textarea" not in looker.get(TRACKING).content.decode()
    assert looker.post(TRACKING, {"since": "x", "text": "y"}).status_code == 403
    assert member().get(TRACKING).status_code == 403
    assert Client().get(TRACKING).status_code == 302
