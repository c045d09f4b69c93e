"""``manage.py rebuild_bible``: the tables come again as they were."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from analysis.models import OperatorAction
from arboris.bible import models as bible
from arboris.novels.models import NovelProject
from tests.bible.test_service import FIRST, record, without_ids
from tests.factories import make_chapter, make_project, make_user

pytestmark = [pytest.mark.databases, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def damaged(project: NovelProject) -> dict[str, Any]:
    """A bible whose tables have lost something; returns what it was before."""
    record(make_chapter(project), *FIRST)
    before = without_ids()
    bible.Character.objects.filter(name="顾长风").delete()
    bible.SearchKey.objects.all().delete()
    bible.WorldEntity.objects.update(description="wrong")
    return before


def rebuild(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    call_command("rebuild_bible", *arguments, "--noinput", "--json")
    return json.loads(capsys.readouterr().out)


def test_it_mends_what_was_damaged(
    project: NovelProject, damaged: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    told = rebuild(capsys, "--project", str(project.pk), "--reason", "restored a backup")
    assert (told["selected"], told["done"], told["novels"][0]["title"]) == (1, 1, "听雨楼")
    assert without_ids() == damaged
    action = OperatorAction.objects.get()
    assert (action.action, action.reason, action.count) == ("rebuild_bible", "restored a backup", 1)


def test_a_dry_run_changes_nothing(
    damaged: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert rebuild(capsys, "--all", "--dry-run")["done"] == 1
    assert without_ids() != damaged
    assert not OperatorAction.objects.exists()


def test_one_writers_novels_alone(
    project: NovelProject, damaged: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    make_project(make_user("other"))
    assert rebuild(capsys, "--user", "other")["selected"] == 1
    assert without_ids() != damaged


@pytest.mark.parametrize("arguments", [[], ["--user", "nobody"], ["--project", "x"]])
def test_a_wrong_call_is_exit_2(arguments: list[str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("rebuild_bible", *arguments, "--noinput")
    assert refused.value.returncode == 2
