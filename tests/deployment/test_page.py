"""The deployment page's steps, as printed, on a cheap root: see cheap.py for what is replaced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.checkout import copy_of_the_project
from tests.deployment import cheap, installed, machine


@pytest.mark.process
@pytest.mark.sqlite_only
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces and mounts")
def test_from_nothing_to_a_chapter_analysed_through_nginx(tmp_path: Path) -> None:
    files = copy_of_the_project(tmp_path / "files")
    (files / ".venv").unlink()
    (tmp_path / "root").mkdir()
    settings = {"SITE": installed.SITE, "SOURCE": "/srv/arboris.git"}
    with machine.running(tmp_path / "root", settings) as host:
        cheap.furnish(host)
        machine.source_repository(host, settings["SOURCE"], files)
        installed.follow(host, "From nothing")
        installed.the_units_are_sound(host)
        installed.a_command_runs_as_the_service(host)
        installed.a_writer_is_served_by_every_process(host)
