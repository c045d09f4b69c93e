"""One chapter and the model: all features and pieces are asked for at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from django.conf import settings
from pydantic import BaseModel

from analysis.analyzers.base import ChapterInput, Check, FeatureResult, Session
from analysis.analyzers.llm import prompts
from analysis.analyzers.llm.background import Background
from analysis.analyzers.llm.chunks import Chunk, halves, split
from analysis.analyzers.llm.merge import merge
from analysis.analyzers.llm.quotes import Finder
from analysis.analyzers.llm.reading import Part, Reader
from analysis.analyzers.llm.tasks import TASKS
from analysis.features import FeatureKey
from arboris.bible.types.findings import Finding
from arboris.llm import errors, structured
from arboris.llm.accounting.admission import Usage
from arboris.llm.client import Call

if TYPE_CHECKING:  # see client.py
    import openai

POLL_SECONDS = 0.2  # between two checks while waiting
MOST_HALVED = 16  # parts of one piece, because of answers that were cut off
USUAL_ANSWER = 1_500  # characters

CUT_OFF = "The model's answer was cut off; what was complete in it is kept."
DROPPED = "Entries without a quote, or with a name that the text does not hold, were left out: {}."


@dataclass(slots=True)
class Work:
    """A feature that is being asked for; ``usage`` grows with every call.

    ``answered``: how much of the answer about each piece of the chapter is there, 0.0 to 1.0.
    """

    answered: list[float]
    delivered: bool = False
    usage: Usage = field(default_factory=Usage)
    future: Future[list[Part]] | None = None

    @property
    def fraction(self) -> float:
        return sum(self.answered) / len(self.answered)

    def heard(self, piece: int, characters: int) -> None:
        """Nobody knows how long an answer will be: each piece takes it nearer to its end."""
        left = 1.0 - self.answered[piece]
        self.answered[piece] += left * characters / (characters + USUAL_ANSWER)


@dataclass(frozen=True, slots=True)
class Place:
    """A piece of the chapter, which is number ``number`` of ``total``."""

    chunk: Chunk
    number: int
    total: int

    def halves(self, text: str) -> list[Place]:
        first = 2 * self.number - 1
        found = enumerate(halves(text, self.chunk), first)
        return [Place(chunk, number, 2 * self.total) for number, chunk in found]


Ask: TypeAlias = Callable[[Place], Awaitable[structured.Answer[BaseModel]]]


class LLMSession(Session):
    """Starts all features of ``chapter.features`` when the first is asked for."""

    def __init__(self, chapter: ChapterInput) -> None:
        self._chapter = chapter
        self._chunks = split(chapter.text, settings.ARBORIS_LLM_CHUNK_CHARS)
        self._finders = [Finder(chapter.text, chunk) for chunk in self._chunks]
        whole = len(self._chunks) > 1
        self._whole = (
            Finder(chapter.text, Chunk(0, len(chapter.text))) if whole else self._finders[0]
        )
        self._slots = asyncio.Semaphore(settings.ARBORIS_LLM_CONCURRENCY)
        self._background: Background | None = None
        self._works: dict[FeatureKey, Work] = {}
        # The feature that is asked for first, and about which pieces its answer has begun: then the
        # endpoint has what the other questions about the piece have in common with it, and may
        # charge less for that.
        self._first: FeatureKey | None = None
        self._begun = [asyncio.Event() for _ in self._chunks]

    def run(self, feature: FeatureKey, check: Check) -> FeatureResult:
        work = self._start(feature)
        parts = self._wait(work, check)
        work.delivered = True
        findings = merge(self._chapter, (f for part in parts for f in part.findings))
        return FeatureResult(
            findings,
            tokens=work.usage.as_dict(),
            notes=_notes(parts),
            came=sum(part.came for part in parts),
            dropped=sum(part.dropped for part in parts),
            prompt=prompts.version(self._chapter, feature),
        )

    def close(self) -> dict[str, int]:
        if self._background is not None:
            self._background.close()
        spent = Usage()
        for work in self._works.values():
            if not work.delivered:
                spent.add(work.usage)
        return spent.as_dict()

    def _start(self, wanted: FeatureKey) -> Work:
        if self._background is None:
            self._background = Background()
        for feature in dict.fromkeys((wanted, *self._chapter.features)):
            if feature not in self._works:
                self._first = self._first or feature
                work = self._works[feature] = Work([0.0] * len(self._chunks))
                work.future = self._background.submit(partial(self._all, feature, work))
        for finder in self._finders:  # while the model thinks
            finder.prepare()
        return self._works[wanted]

    def _wait(self, work: Work, check: Check) -> list[Part]:
        assert work.future is not None
        while not wait([work.future], timeout=POLL_SECONDS).done:
            # All are asked for at the same time, and the first may well be the last to end.
            check(sum(one.fraction for one in self._works.values() if not one.delivered))
        return work.future.result()

    async def _all(
        self, feature: FeatureKey, work: Work, connection: openai.AsyncOpenAI
    ) -> list[Part]:
        """Every piece of the chapter; the first that fails ends the others."""
        try:
            return await self._pieces(feature, work, connection)
        finally:
            if feature == self._first:
                for begun in self._begun:
                    begun.set()

    async def _pieces(
        self, feature: FeatureKey, work: Work, connection: openai.AsyncOpenAI
    ) -> list[Part]:
        # In order: each piece is told of whom and what this question has found in those before it.
        parts: list[Part] = []
        for number in range(1, len(self._chunks) + 1):
            await self._one(connection, feature, work, number, parts)
        return parts

    async def _one(
        self,
        connection: openai.AsyncOpenAI,
        feature: FeatureKey,
        work: Work,
        number: int,
        parts: list[Part],
    ) -> None:
        """Ask about a piece, and add what came of it to the ``parts`` of those before it."""
        place = Place(self._chunks[number - 1], number, len(self._chunks))
        if feature != self._first and settings.ARBORIS_LLM_CACHE_WAIT:
            with suppress(TimeoutError):
                async with asyncio.timeout(settings.ARBORIS_LLM_CACHE_WAIT):
                    await self._begun[number - 1].wait()

        def heard(characters: int) -> None:
            self._begun[number - 1].set()
            work.heard(number - 1, characters)

        async def ask(place: Place) -> structured.Answer[BaseModel]:
            found = [finding for part in parts for finding in part.findings]
            call = self._call(feature, place, found)
            async with self._slots:
                return await structured.ask(
                    connection, call, TASKS[feature].form, work.usage, heard
                )

        await self._parts(feature, place, ask, parts)
        work.answered[number - 1] = 1.0

    def _call(self, feature: FeatureKey, place: Place, found: list[Finding]) -> Call:
        piece = (place.chunk, place.number, place.total)
        return Call(
            prompts.messages(self._chapter, feature, *piece, found),
            temperature=self._chapter.temperature,
            payer=replace(self._chapter.payer, purpose=feature),
            ends=self._chapter.ends,
            route=self._chapter.routes.get(feature),
            prompt=prompts.version(self._chapter, feature),
        )

    async def _parts(self, feature: FeatureKey, place: Place, ask: Ask, parts: list[Part]) -> None:
        """One piece; where it or its answer is too long for the model, its halves."""
        halves = place.halves(self._chapter.text)
        try:
            answer = await ask(place)
        except (errors.Truncated, errors.PromptTooLong) as error:
            # A model whose answer does not end will not end in a smaller piece either.
            endless = place.total >= MOST_HALVED * len(self._chunks)
            if not halves or (endless and isinstance(error, errors.Truncated)):
                raise
            for half in halves:
                await self._parts(feature, half, ask, parts)
            return
        part = self._read(feature, place, answer)
        before = len(parts)
        if answer.truncated and halves:
            try:
                for half in halves:
                    await self._parts(feature, half, ask, parts)
                return
            except errors.BadAnswer:
                del parts[before:]
        parts.append(part)  # what was complete is more than nothing

    def _read(
        self, feature: FeatureKey, place: Place, answer: structured.Answer[BaseModel]
    ) -> Part:
        at = place.number - 1
        of_piece = place.total == len(self._chunks)
        finder = self._finders[at] if of_piece else Finder(self._chapter.text, place.chunk)
        reader = Reader(self._chapter, finder, self._whole)
        findings = TASKS[feature].read(reader, answer.value)
        return reader.part(findings, unread=answer.dropped, truncated=answer.truncated)


def _notes(parts: list[Part]) -> list[str]:
    dropped = sum(part.dropped for part in parts)
    notes = [CUT_OFF] if any(part.truncated for part in parts) else []
    return notes + ([DROPPED.format(dropped)] if dropped else [])
