"""The deployment page's steps, as printed, on a cheap root: see cheap.py for what is replaced."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkout import ROOT, copy_of_the_project
from tests.deployment import cheap, machine, page
from tests.waiting import PATIENCE_SECONDS

SITE = "arboris.example.org"
PASSWORD = "mit-der-wanduhr-47"
CERTIFICATE = "etc/ssl/arboris/fullchain.pem"
WHO = "import os; print('runs as', os.getuid(), os.getcwd())"


@pytest.mark.process
@pytest.mark.sqlite_only
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces and mounts")
def test_from_nothing_to_a_chapter_analysed_through_nginx(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    cheap.make(root)
    files = copy_of_the_project(tmp_path / "files")
    (files / ".venv").unlink()
    machine.source_repository(root / "srv" / "arboris.git", files)
    with machine.running(root, {"SITE": SITE, "SOURCE": "/srv/arboris.git"}) as host:
        cheap.finish(host.files)
        host.run(cheap.tables_of_mariadb())
        steps = page.steps("From nothing")
        for step in steps:
            asks = "createsuperuser" in step
            host.run(step, answers=[PASSWORD, PASSWORD] if asks else [])
        the_units_are_sound(host)
        a_command_runs_as_the_service(host)
        a_writer_is_served_by_every_process(host)


def the_units_are_sound(host: machine.Machine) -> None:
    assert host.run("systemd-analyze verify /etc/systemd/system/arboris-*.service") == ""


def a_command_runs_as_the_service(host: machine.Machine) -> None:
    said = host.run(
        f'test "$(arboris shell -v0 -c "{WHO}")" = "runs as $(id -u arboris) /opt/arboris"'
    )
    assert said == "arboris: mysql arboris@localhost/arboris\n"
    refused = host.run("! /opt/arboris/.venv/bin/python /opt/arboris/manage.py migrate")
    assert "sudo arboris" in refused
    host.run("test ! -e /opt/arboris/data/arboris.db")


def a_writer_is_served_by_every_process(host: machine.Machine) -> None:
    """Two sockets, one at each process; then one of the processes ends, and comes back."""
    command = [sys.executable, "-m", "tests.deployment.writer", SITE]
    with subprocess.Popen(
        host.beside(*command, str(host.files / CERTIFICATE), PASSWORD),
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as writer:  # fmt: skip
        try:
            assert writer.stdin is not None
            assert writer.stdout is not None
            assert writer.stdout.readline() == "told\n", host.journal()
            host.run("systemctl stop arboris-web@8001")
            print("go on", file=writer.stdin, flush=True)
            assert writer.stdout.readline() == "chapter 2 with 1 sockets\n", host.journal()
            host.run("systemctl start arboris-web@8001")
            writer.stdin.close()
            assert writer.wait(PATIENCE_SECONDS) == 0
        finally:
            writer.kill()
