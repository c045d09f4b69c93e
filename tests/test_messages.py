"""Whatever is shown to people is there in Chinese: no message missing, none doubtful."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkout import copy_of_the_project

pytestmark = pytest.mark.process

CATALOGUE = Path("arboris/locale/zh_Hans/LC_MESSAGES/django.po")


def attributes(catalogue: Path, *choice: str) -> str:
    done = subprocess.run(
        ["msgattrib", *choice, "--no-obsolete", str(catalogue)],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_every_message_is_translated(tmp_path: Path) -> None:
    place = copy_of_the_project(tmp_path / "arboris")
    subprocess.run(["make", "messages"], cwd=place, check=True, capture_output=True)
    assert attributes(place / CATALOGUE, "--untranslated") == ""
    assert attributes(place / CATALOGUE, "--only-fuzzy") == ""


def test_the_compiled_catalogue_is_that_of_the_messages() -> None:
    code = """
from django.utils import translation
translation.activate("zh-hans")
print(translation.gettext("The task is back in the queue"))
"""
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "任务已重新加入队列"
