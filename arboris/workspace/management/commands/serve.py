"""Serve the site and its workers on this machine: what ``make run`` does."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation
from django.utils.translation import gettext as _

from analysis.management import terminal
from arboris import supervise
from arboris.workspace.management.commands.demo_accounts import create_accounts


class Command(BaseCommand):
    help = "Migrate, make the demo accounts, then run web and workers until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        with translation.override(terminal.language()):
            self._serve(port)

    def _serve(self, port: int) -> None:
        call_command("migrate", verbosity=0)
        for name, password in create_accounts().items():
            line = _("Account %(name)s, password %(password)s (shown this once)")
            self.stdout.write(line % {"name": name, "password": password})
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        commands = {"web": supervise.web(port), "workers": supervise.manage("qcluster")}
        with supervise.services(commands, {}) as running:
            url = f"http://127.0.0.1:{port}"
            self.stdout.write(_("Arboris serves %(url)s (Ctrl-C stops it)") % {"url": url})
            try:
                while not stop.wait(0.5):
                    supervise.check_alive(running)
            except supervise.ServiceDied as error:
                raise CommandError(str(error)) from error
            self.stdout.write(_("Stopping…"))
        self.stdout.write(_("Stopped."))
