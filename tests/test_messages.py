"""Whatever is shown to people is there in Chinese: no message missing, none doubtful."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from django.utils import translation

from tests.checkout import copy_of_the_project

CATALOGUE = Path("arboris/locale/zh_Hans/LC_MESSAGES/django.po")


def attributes(catalogue: Path, *choice: str) -> str:
    done = subprocess.run(
        ["msgattrib", *choice, "--no-obsolete", str(catalogue)],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


@pytest.mark.process
def test_every_message_is_translated(tmp_path: Path) -> None:
    place = copy_of_the_project(tmp_path / "arboris")
    subprocess.run(["make", "messages"], cwd=place, check=True, capture_output=True)
    assert attributes(place / CATALOGUE, "--untranslated") == ""
    assert attributes(place / CATALOGUE, "--only-fuzzy") == ""


def test_the_compiled_catalogue_is_that_of_the_messages() -> None:
    with translation.override("zh-hans"):
        told = translation.gettext("The task is back in the queue")
    assert told == "任务已重新加入队列"
