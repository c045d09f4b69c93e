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
from django.utils.translation import gettext as _

from arboris.db import let_go
from arboris.llm.accounting.payer import Payer
from arboris.llm.errors import Empty
from arboris.llm.prose import Prose
from arboris.novels import services as novels
from arboris.novels.models import ChapterVersion, NovelProject
from arboris.workspace import drafting, generation
from arboris.workspace.chapters import NewChapter, Saved, Wish
from arboris.workspace.unfinished import Unfinished

log = logging.getLogger(__name__)

T = TypeVar("T")


class Generation:
    """``pieces`` once, then ``finish``; where either raises or is left, ``rescue``."""

    def __init__(
        self,
        project: NovelProject,
        wish: Wish,
        *,
        instructions: str,
        title: str,
        number: int | None,
    ) -> None:
        self._project = project
        self._wish = wish
        self._messages = generation.messages_for(project, instructions, number=number, title=title)
        empty = novels.Draft("", "", 0)
        self._unfinished = Unfinished(project, NewChapter(empty, title, number))
        self._prose: Prose | None = Prose(title)
        self._text = ""
        self._kept = time.monotonic()
        self._keeping: asyncio.Task[Saved] | None = None
        self._finishing: asyncio.Task[Saved] | None = None

    @property
    def moved(self) -> str:
        """That the chapter did not get the number that was wished for; else empty."""
        return self._unfinished.moved

    async def pieces(self) -> AsyncGenerator[str | None, None]:
        """The text as it arrives; None: all before was thoughts, the text starts anew.

        Raises LLMError; Empty where no text came.
        """
        payer = Payer("generation", project_id=self._project.pk, user_id=self._project.owner_id)
        written = generation.write(self._messages, self._wish.config or {}, payer)
        async with aclosing(written):
            async for piece in written:
                for part in self._cleaned(piece):
                    yield part
                self._keep_now_and_then()
        for part in self._rest():
            yield part
        if not self._text.strip():
            raise Empty(_("The language model gave an empty answer."))

    def _cleaned(self, piece: str) -> Iterator[str | None]:
        """Add what is text of a piece that arrived, and yield it."""
        assert self._prose is not None
        restarts = self._prose.restarts
        text = self._prose.feed(piece)
        if self._prose.restarts != restarts:
            self._text = ""
            yield None
        self._text += text
        if text:
            yield text

    def _rest(self, *, broken: bool = False) -> Iterator[str]:
        """Add what was held back until it was certain, once, and yield it."""
        if self._prose is None:
            return
        text = self._prose.finish(broken=broken)
        self._prose = None
        self._text += text
        if text:
            yield text

    def _keep_now_and_then(self) -> None:
        """Beside the stream, which does not wait; a try that fails is followed by the next."""
        if self._keeping is not None and not self._keeping.done():
            return
        due = self._kept + settings.ARBORIS_DRAFT_SECONDS
        if time.monotonic() < due or not self._text.strip():
            return
        self._kept = time.monotonic()
        text = self._text
        self._keeping = asyncio.create_task(_in_thread(lambda: self._unfinished.keep(text)))
        self._keeping.add_done_callback(_say_what_failed)

    async def finish(self) -> Saved:
        """Save the whole text; whoever waits for it may leave without stopping that."""
        self._finishing = asyncio.create_task(self._finish())
        return await asyncio.shield(self._finishing)

    async def _finish(self) -> Saved:
        await self._kept_last()
        source = ChapterVersion.Source.GENERATED
        summary = await drafting.summary_of(self._text, self._wish, self._project, generated=True)
        return await _in_thread(
            lambda: self._unfinished.finish(
                novels.Draft.of(self._text, source, summary), self._wish
            )
        )

    async def rescue(self, *, left: bool = False) -> Saved | None:
        """What had arrived as the chapter's draft, or as the whole chapter if that was being saved
        already; None where there is nothing. ``left``: the request is over."""
        if self._finishing is not None:
            return await asyncio.shield(self._finishing)
        list(self._rest(broken=True))
        await self._kept_last()
        if not self._text.strip():
            return None
        keeping = _in_thread(lambda: self._unfinished.keep(self._text), left=left)
        return await asyncio.shield(asyncio.create_task(keeping))

    async def _kept_last(self) -> None:
        """The draft is written by one thread at a time."""
        if self._keeping is not None:
            await asyncio.wait([self._keeping])


async def _in_thread(work: Callable[[], T], *, left: bool = False) -> T:
    """In the request's thread; in one of its own where that may be gone already."""

    def run() -> T:
        try:
            return work()
        finally:
            let_go()  # until the next draft is due

    return await sync_to_async(run, thread_sensitive=not left)()


def _say_what_failed(keeping: asyncio.Task[Saved]) -> None:
    if not keeping.cancelled() and (error := keeping.exception()):
        log.warning("What has arrived of a chapter could not be kept yet: %s", error)
