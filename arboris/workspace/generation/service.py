"""One chapter from the first piece that the model writes to its being saved, whatever happens.

What has arrived is kept as a draft every ARBORIS_DRAFT_SECONDS: a web process that is killed loses
no more than that.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.conf import settings

from arboris import logs
from arboris.db import release_connection
from arboris.idempotency.claims import Claim
from arboris.llm import client, continuing, route_table
from arboris.llm.accounting.admission import Payer
from arboris.llm.errors import CutOff, Empty
from arboris.llm.request_body import Effort
from arboris.llm.routes import GENERATION
from arboris.novels.models import ChapterVersion, NovelProject
from arboris.novels.services import ChapterText
from arboris.storable import storable
from arboris.workspace.chapters.analysis_options import AnalysisOptions
from arboris.workspace.chapters.service import SavedChapter, summary_of
from arboris.workspace.generation.draft import GenerationDraft, OnSaved
from arboris.workspace.generation.prompt import messages_for, rules_for
from arboris.workspace.generation.prose import Prose

log = logging.getLogger(__name__)

T = TypeVar("T")


class Generation:
    """Call ``pieces`` once, then ``finish``; where either raises or is left, ``rescue``."""

    def __init__(
        self,
        project: NovelProject,
        options: AnalysisOptions,
        *,
        instructions: str,
        title: str,
        number: int | None,
        claim: Claim | None = None,
        on_saved: OnSaved = lambda *_: None,
    ) -> None:
        """``claim``: of the request's Idempotency-Key, which is settled with the generation."""
        self._project = project
        self._options = options
        rules = rules_for(project)
        self._prompt = rules.version
        self._messages = messages_for(
            project, instructions, number=number, title=title, rules=rules.text
        )
        chosen = (options.config or {}).get("model_name") or project.writing_model
        self._route = route_table.for_purpose(GENERATION).choosing(chosen)
        self._draft = GenerationDraft(project.pk, title, number, on_saved)
        self._claim = claim
        self._request_id = logs.request_id()
        self._title = title
        self._prose: Prose | None = Prose(title)
        self._text = ""
        # What came before the answer was cut off, with which the present one goes on.
        self._before = ""
        self._seam = continuing.Seam("")
        self._in_fence = False
        self._effort: Effort | None = None
        self._kept = time.monotonic()
        self._keeping: asyncio.Task[SavedChapter] | None = None
        self._finishing: asyncio.Task[SavedChapter] | None = None

    @property
    def number_note(self) -> str:
        """Say that the chapter did not get the number that was asked for; else empty."""
        return self._draft.number_note

    async def pieces(self) -> AsyncGenerator[str | None, None]:
        """Yield the text as it arrives; None: all before was thoughts, the text starts anew.

        Where the endpoint cuts it off by its length, the model is asked to go on.
        Raises LLMError; Empty where no text came.
        """
        until = time.monotonic() + settings.ARBORIS_LLM_TOTAL_TIMEOUT
        for left in range(continuing.MOST, -1, -1):
            try:
                async with aclosing(self._stream(until)) as stream:
                    async for piece in stream:
                        for part in self._cleaned(storable(piece)):
                            yield part
                        self._keep_now_and_then()
                break
            except CutOff as cut:
                for part in self._rest(broken=True):
                    yield part
                if not left or not self._goes_on(cut):
                    raise
        for part in self._rest():
            yield part
        if not self._text.strip():
            raise Empty

    def _stream(self, until: float) -> AsyncGenerator[str, None]:
        config = self._options.config or {}
        return client.stream(
            continuing.continued(self._messages, self._before) if self._before else self._messages,
            temperature=config.get("temperature"),
            payer=Payer("generation", project_id=self._project.pk, user_id=self._project.owner_id),
            route=self._route,
            prompt=self._prompt,
            effort=self._effort,
            until=until,
        )

    def _goes_on(self, cut: CutOff) -> bool:
        """Whether another request may bring more: the rest, or a text where thinking took it all.

        It is another one each time: the same would be cut off at the same place.
        """
        if not self._text.strip():
            if not cut.thinks:
                return False
            self._effort = "none"
        elif self._text == self._before:
            return False
        self._before = self._text
        self._prose = Prose(self._title, in_fence=self._in_fence)
        self._seam = continuing.Seam(self._before)
        return True

    def _cleaned(self, piece: str) -> Iterator[str | None]:
        """Add what is text of a piece that arrived, and yield it."""
        assert self._prose is not None
        restarts = self._prose.restarts
        text = self._prose.feed(piece)
        if self._prose.restarts != restarts:
            self._text = self._before
            self._seam = continuing.Seam(self._before)
            yield None
            if self._before:
                yield self._before
        text = self._seam.feed(text)
        self._text += text
        if text:
            yield text

    def _rest(self, *, broken: bool = False) -> Iterator[str]:
        """Add what was held back until it was certain, once, and yield it."""
        if self._prose is None:
            return
        text = self._seam.feed(self._prose.finish(broken=broken)) + self._seam.finish()
        self._in_fence, self._prose = self._prose.in_fence, None
        self._text += text
        if text:
            yield text

    def _keep_now_and_then(self) -> None:
        """Save the draft beside the stream, which does not wait. A failed try is made again."""
        if self._keeping is not None and not self._keeping.done():
            return
        due = self._kept + settings.ARBORIS_DRAFT_SECONDS
        if time.monotonic() < due or not self._text.strip():
            return
        self._kept = time.monotonic()
        text = self._text
        self._keeping = asyncio.create_task(_in_thread(lambda: self._draft.keep(text)))
        self._keeping.add_done_callback(_log_failure)

    async def finish(self) -> SavedChapter:
        """Save the whole text; whoever waits for it may leave without stopping that."""
        self._finishing = asyncio.create_task(self._finish())
        return await asyncio.shield(self._finishing)

    async def _finish(self) -> SavedChapter:
        await self._last_keep()
        source, options = ChapterVersion.Source.GENERATED, self._options
        summary = await summary_of(self._text, options, self._project, generated=True)
        text = ChapterText.of(self._text, source, summary)
        with logs.bound(request=self._request_id):  # a stream goes on when its request has ended
            return await _in_thread(lambda: self._draft.finish(text, options))

    async def rescue(self, *, left: bool = False) -> SavedChapter | None:
        """Save what had arrived as a draft, or wait for ``finish`` if that had begun.

        None where nothing had arrived. ``left``: the request is over.
        """
        if self._finishing is not None:
            return await asyncio.shield(self._finishing)
        for _part in self._rest(broken=True):
            pass  # nobody is there to be shown it
        await self._last_keep()
        if not self._text.strip():
            await _in_thread(self._discard, left=left)  # what was kept were thoughts
            return None
        keeping = _in_thread(self._keep_last, left=left)
        return await asyncio.shield(asyncio.create_task(keeping))

    def _discard(self) -> None:
        self._draft.discard()
        if self._claim is not None:
            self._claim.release()

    def _keep_last(self) -> SavedChapter:
        saved = self._draft.keep(self._text)
        if self._claim is not None:
            self._claim.settle()
        return saved

    async def _last_keep(self) -> None:
        """Wait: one thread at a time writes the draft."""
        if self._keeping is not None:
            await asyncio.wait([self._keeping])


async def _in_thread(work: Callable[[], T], *, left: bool = False) -> T:
    """Run it in the request's thread, or in one of its own where that may be gone already."""

    def run() -> T:
        try:
            return work()
        finally:
            release_connection()  # until the next draft is due

    return await sync_to_async(run, thread_sensitive=not left)()


def _log_failure(keeping: asyncio.Task[SavedChapter]) -> None:
    if not keeping.cancelled() and (error := keeping.exception()):
        log.warning("What has arrived of a chapter could not be kept yet: %s", error)
