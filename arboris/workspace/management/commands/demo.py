"""``make demo``: the main job on the embedded default, with real processes and a real novel."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
from django.core.management.base import BaseCommand, CommandError
from django.utils import translation
from django.utils.translation import gettext as _
from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from analysis.management import terminal
from arboris import supervise
from arboris.workspace.demo import tables
from arboris.workspace.demo.client import Answer, PushListener, Writer
from arboris.workspace.demo.figures import Journey
from arboris.workspace.demo.system import running_system

SAMPLES = Path(__file__).resolve().parents[3] / "novels" / "sample"
TIMED_CHAPTERS, TIMED_LENGTH = 12, 3_000
PATIENCE_SECONDS = 120.0

Task = dict[str, Any]


class Command(BaseCommand):
    help = "Import the sample novel through web, workers and socket; show what happens and when."

    def handle(self, *args: Any, **options: Any) -> None:
        self.console = Console(width=None if self.stdout.isatty() else 120, soft_wrap=False)
        with translation.override(terminal.language()), tempfile.TemporaryDirectory() as place:
            try:
                self._demonstrate(Path(place))
            except (
                supervise.ServiceDied, RuntimeError, TimeoutError, httpx2.HTTPError,
                subprocess.CalledProcessError,
            ) as error:  # fmt: skip
                log = Path(place) / "log"
                if log.exists():
                    self.stderr.write(log.read_text(errors="replace")[-4000:])
                raise CommandError(str(error)) from error

    def _demonstrate(self, place: Path) -> None:
        began = time.monotonic()
        self._say(_("Starting web and workers on an empty SQLite database…"))
        with running_system(place) as system:
            language = translation.get_language() or "zh-hans"
            with closing(system.writer(language)) as writer:
                listener = PushListener(system.socket_url, writer.token)
                listener.start()
                self._show(writer, listener)
                listener.close()
        seconds = time.monotonic() - began
        self._say(_("Everything is stopped. It took %(seconds).0f s.") % {"seconds": seconds})

    def _show(self, writer: Writer, listener: PushListener) -> None:
        projects = {}
        for code in ("zh", "en"):
            file = SAMPLES / f"{code}.md"
            title = file.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
            projects[code] = writer.new_project(title, code)
            answer = writer.import_novel(projects[code], file)
            chapters = answer.body["chapters"]
            self._say(
                _("“%(title)s”: %(count)d chapters saved and shown after %(ms).0f ms")
                % {"title": title, "count": len(chapters), "ms": answer.seconds * 1000}
            )
            rows = self._follow(writer, listener, chapters, answer)
            self._print(tables.journeys(title, rows))
        timed = self._write_on(writer, listener)
        for code in ("zh", "en"):
            for table in tables.bible(writer.get(f"/api/projects/{projects[code]}/bible")):
                self._print(table)
        self._print(tables.figures(timed))

    def _follow(
        self, writer: Writer, listener: PushListener, chapters: Sequence[Task], answer: Answer
    ) -> list[Journey]:
        """Watch the analyses until each one's notification has come over the socket."""
        titles = {chapter["analysis"]["id"]: chapter["title"] for chapter in chapters}
        waiting = set(titles)
        rows: list[Journey] = []
        ends = time.monotonic() + PATIENCE_SECONDS
        progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
        )  # fmt: skip
        bar = progress.add_task(_("Analysing behind"), total=len(waiting))
        with Live(
            progress, console=self.console, transient=True, auto_refresh=self.stdout.isatty()
        ):
            while waiting:
                if time.monotonic() >= ends:
                    raise TimeoutError(f"analyses {sorted(waiting)} did not end")
                listener.wait_any(0.2)
                for task_id in sorted(waiting):
                    push = listener.push_of(task_id)
                    if push is not None:
                        task = _ended(writer, task_id)
                        rows.append(Journey.of(task, push, answer, titles[task_id]))
                        waiting.remove(task_id)
                        progress.advance(bar)
        return rows

    def _write_on(self, writer: Writer, listener: PushListener) -> list[Journey]:
        """Save chapters one at a time on the now idle system: the figures come from these."""
        text = "\n\n".join((SAMPLES / "zh.md").read_text(encoding="utf-8").split("\n\n")[1:])
        project = writer.new_project(_("Timing"), "zh")
        self._say(
            _("Saving %(count)d chapters of %(length)d characters, one at a time…")
            % {"count": TIMED_CHAPTERS, "length": TIMED_LENGTH}
        )
        rows = []
        for number in range(TIMED_CHAPTERS):
            start = number * 800 % max(1, len(text) - TIMED_LENGTH)
            answer = writer.add_chapter(project, text[start : start + TIMED_LENGTH])
            task_id = answer.body["analysis"]["id"]
            push = listener.wait_for(task_id, PATIENCE_SECONDS)
            rows.append(Journey.of(_ended(writer, task_id), push, answer))
        return rows

    def _say(self, line: str) -> None:
        self.console.print(line, highlight=False)

    def _print(self, renderable: RenderableType) -> None:
        self.console.print()
        self.console.print(renderable)


def _ended(writer: Writer, task_id: int) -> Task:
    """The task after its notification; anything but completed ends the demo as failed."""
    task: Task = writer.get(f"/api/async-analysis/tasks/{task_id}")
    if task["status"] != "completed":
        raise RuntimeError(f"analysis {task_id} is {task['status']}: {task['error_message']}")
    return task
