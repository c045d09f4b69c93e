"""Writers who save chapters all the time, whatever happens to the system behind them."""

from __future__ import annotations

import logging
import random
import threading
import time
import uuid
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db import DatabaseError, InterfaceError, connection

from analysis.models import PendingAnalysis
from arboris.novels.models import NovelProject
from arboris.novels.services import ChapterText
from arboris.workspace.chapters import service as chapters
from arboris.workspace.chapters.analysis_options import AnalysisOptions
from tests.bench.chaos_analyzer import text_of

log = logging.getLogger(__name__)

IN_FLIGHT = 9
WRITERS = 3
CHAPTERS_PER_NOVEL = 20  # a novel's bible is folded with every one of them
CHANGED = 0.1  # of the chapters, right after they were saved: mostly while they are analysed
AWAY = (DatabaseError, InterfaceError)


@dataclass(frozen=True, slots=True)
class Saved:
    """A save that was answered: nothing may lose it any more."""

    mark: int
    chapter_id: int
    task_id: int


@dataclass
class Load:
    """Keeps IN_FLIGHT chapters waiting or under work, on a thread of its own."""

    seed: int
    saved: list[Saved] = field(default_factory=list)
    # Marks of saves that raised: the commit may have gone through unanswered.
    in_doubt: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._marks = 0
        self._novels: list[uuid.UUID] = []
        self._writers = [User.objects.create_user(f"writer{n}").pk for n in range(WRITERS)]
        self._stop = threading.Event()
        self._go = threading.Event()
        self._go.set()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def pause(self) -> None:
        self._go.clear()

    def resume(self) -> None:
        self._go.set()

    def stop(self) -> None:
        self._stop.set()
        self._go.set()
        self._thread.join(timeout=60)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._go.wait()
                try:
                    if self._is_full():
                        time.sleep(0.01)
                    else:
                        self._save()
                except AWAY as error:
                    log.info("load: %s", error)
                    connection.close()
                    time.sleep(0.1)
        finally:
            connection.close()

    def _is_full(self) -> bool:
        live = PendingAnalysis.objects.filter(active_chapter__isnull=False)
        return live.count() >= IN_FLIGHT

    def _save(self) -> None:
        if self._marks % CHAPTERS_PER_NOVEL == 0 or not self._novels:
            writer = self._random.choice(self._writers)
            novel = NovelProject.objects.create(owner_id=writer, title=f"novel {self._marks}")
            self._novels.append(novel.pk)
        # Two at a time are written, so that analyses of one novel end side by side.
        novel_id = self._random.choice(self._novels[-2:])
        mark, options = self._mark(), AnalysisOptions()
        new = chapters.NewChapter(ChapterText.of(text_of(mark)))
        (added,) = chapters.add(novel_id, [new], options)
        self._note(mark, added)
        if self._random.random() < CHANGED:
            mark, draft = self._mark(), ChapterText.of(text_of(self._marks))
            self._note(mark, chapters.change(added.chapter.pk, draft, None, options))

    def _mark(self) -> int:
        """A new mark, in doubt until its save is answered."""
        self._marks += 1
        self.in_doubt.append(self._marks)
        return self._marks

    def _note(self, mark: int, saved: chapters.SavedChapter) -> None:
        assert saved.task is not None
        self.saved.append(Saved(mark, saved.chapter.pk, saved.task.pk))
        self.in_doubt.remove(mark)
