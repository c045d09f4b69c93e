"""Serve the site and its workers on this machine: what ``make run`` does."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation
from django.utils.translation import gettext as _

from analysis.management import terminal
from arboris import supervise
from arboris.stop_request import StopRequest
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
        static = _collect_static_files()
        stop = StopRequest()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        commands = {"web": supervise.web(port), "workers": supervise.manage("qcluster")}
        with supervise.services(commands, {"ARBORIS_STATIC_ROOT": str(static)}) as running:
            url = f"http://127.0.0.1:{port}"
            self.stdout.write(_("Arboris serves %(url)s (Ctrl-C stops it)") % {"url": url})
            try:
                while not stop.wait(0.5):
                    supervise.check_alive(running)
            except supervise.ServiceDied as error:
                raise CommandError(str(error)) from error
            self.stdout.write(_("Stopping…"))
        self.stdout.write(_("Stopped."))


def _collect_static_files() -> Path:
    """Collect the static files where that was not done since they have changed; their directory.

    ARBORIS_STATIC_ROOT, or beside the data.
    """
    given = os.environ.get("ARBORIS_STATIC_ROOT")
    root = Path(given) if given else settings.DATA_DIR / "static"
    manifest = root / "staticfiles.json"
    sources = [supervise.ROOT / "requirements.txt"]
    for directory in settings.STATICFILES_DIRS:
        sources += directory.rglob("*")
    newest = max(path.stat().st_mtime for path in sources)
    if not manifest.exists() or manifest.stat().st_mtime < newest:
        env = {"ARBORIS_STATIC_ROOT": str(root)}
        supervise.run_managed(env, "collectstatic", "--noinput", "--clear", "--verbosity=0")
    return root
