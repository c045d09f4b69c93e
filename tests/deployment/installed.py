"""What has to hold on a machine on which the page's steps have been taken."""

from __future__ import annotations

import subprocess
import sys

from tests.checkout import ROOT
from tests.deployment import page
from tests.deployment.machine import Machine
from tests.waiting import PATIENCE_SECONDS

SITE = "arboris.example.org"
PASSWORD = "mit-der-wanduhr-47"
CERTIFICATE = "etc/ssl/arboris/fullchain.pem"
WHO = "import os; print('runs as', os.getuid(), os.getcwd())"


def follow(host: Machine, heading: str) -> None:
    """Take the steps that the page prints below a heading."""
    for step in page.steps(heading):
        asks = "createsuperuser" in step
        host.run(step, answers=[PASSWORD, PASSWORD] if asks else [])


def the_units_are_sound(host: Machine) -> None:
    assert host.run("systemd-analyze verify /etc/systemd/system/arboris-*.service") == ""


def a_command_runs_as_the_service(host: Machine) -> None:
    said = host.run(
        f'test "$(arboris shell -v0 -c "{WHO}")" = "runs as $(id -u arboris) /opt/arboris"'
    )
    assert said == "arboris: mysql arboris@localhost/arboris\n"
    refused = host.run("! /opt/arboris/.venv/bin/python /opt/arboris/manage.py migrate")
    assert "sudo arboris" in refused
    host.run("test ! -e /opt/arboris/data/arboris.db")


def a_writer_is_served_by_every_process(host: Machine) -> None:
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
            assert host.run("systemctl stop arboris-web@8001") == ""
            print("go on", file=writer.stdin, flush=True)
            assert writer.stdout.readline() == "chapter 2 with 1 sockets\n", host.journal()
            host.run("systemctl start arboris-web@8001")
            writer.stdin.close()
            assert writer.wait(PATIENCE_SECONDS) == 0
        finally:
            writer.kill()
