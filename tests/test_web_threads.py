"""The bounded threads of a web process: who has a turn, who waits, who steps aside."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings

from arboris import web_threads
from arboris.web_threads import Lane, Overloaded, Threads, aside
from tests.waiting import PATIENCE_SECONDS, wait_for


class Step:
    """A piece of work that tells when it has begun, and ends when it is told to."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.may_end.wait(PATIENCE_SECONDS)
        return threading.current_thread().name


@pytest.fixture
def steps() -> Iterator[Callable[[], Step]]:
    made: list[Step] = []

    def make() -> Step:
        made.append(Step())
        return made[-1]

    yield make
    for step in made:
        step.may_end.set()


async def submit(threads: Threads, caller: str, *calls: Callable[[], Any]) -> list[Future[Any]]:
    return [Lane(threads, caller).submit(call) for call in calls]


def test_the_callers_have_turns_and_none_has_all_threads(steps: Callable[[], Step]) -> None:
    async def run() -> None:
        threads, order = Threads(2, share=1), []
        first = steps()
        crowd = await submit(threads, "crowd", first, *(lambda: order.append("crowd"),) * 3)
        await asyncio.to_thread(first.begun.wait, PATIENCE_SECONDS)
        # One thread is left for others, however much waits.
        (one,) = await submit(threads, "one", lambda: order.append("one"))
        await asyncio.wrap_future(one)
        assert order == ["one"]
        # Both threads are busy; what waits begins in turns.
        second = steps()
        (two,) = await submit(threads, "two", second)
        await asyncio.to_thread(second.begun.wait, PATIENCE_SECONDS)
        (three,) = await submit(threads, "three", lambda: order.append("three"))
        second.may_end.set()
        await asyncio.gather(*map(asyncio.wrap_future, (two, three)))
        assert order == ["one", "three"]
        first.may_end.set()
        await asyncio.gather(*map(asyncio.wrap_future, crowd))
        assert order == ["one", "three", "crowd", "crowd", "crowd"]

    asyncio.run(run())


def test_a_thread_that_waits_for_something_else_gives_its_place(steps: Callable[[], Step]) -> None:
    async def run() -> None:
        threads, model, other = Threads(1, share=1), steps(), steps()
        back = threading.Event()

        def asks_a_model() -> None:
            with aside():
                model()
            back.set()

        (asking,) = await submit(threads, "writer", asks_a_model)
        await asyncio.to_thread(model.begun.wait, PATIENCE_SECONDS)
        (serving,) = await submit(threads, "writer", other)
        await asyncio.to_thread(other.begun.wait, PATIENCE_SECONDS)
        model.may_end.set()
        # It waits for a place: there is one thread at work.
        await asyncio.to_thread(wait_for, lambda: threads._returning, "it comes back")
        assert not back.is_set()
        other.may_end.set()
        await asyncio.gather(*map(asyncio.wrap_future, (asking, serving)))
        assert back.is_set()
        (last,) = await submit(threads, "writer", lambda: "still at work")
        assert await asyncio.wrap_future(last) == "still at work"
        assert threads._places + threads._idle <= 1

    asyncio.run(run())


def test_who_steps_aside_leaves_the_callers_share_too(steps: Callable[[], Step]) -> None:
    async def run() -> None:
        threads, before, model = Threads(2, share=1), steps(), steps()

        def asks_a_model() -> None:
            before()
            with aside():
                model()

        (asking,) = await submit(threads, "writer", asks_a_model)
        await asyncio.to_thread(before.begun.wait, PATIENCE_SECONDS)
        (next_one,) = await submit(threads, "writer", lambda: "served meanwhile")
        # A second thread has looked, and found that the writer has as many as may be.
        await asyncio.to_thread(wait_for, lambda: threads._idle, "it waits for work")
        before.may_end.set()
        await asyncio.wait_for(asyncio.wrap_future(next_one), PATIENCE_SECONDS)
        assert not asking.done()
        model.may_end.set()
        await asyncio.wrap_future(asking)

    asyncio.run(run())


def test_what_never_gets_a_turn_is_refused_and_what_has_begun_is_not(
    steps: Callable[[], Step], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ARBORIS_WEB_WAIT = 0.01
    monkeypatch.setattr(web_threads, "EXPIRY_SECONDS", 0.02)

    async def run() -> None:
        threads, busy = Threads(1, share=1), steps()
        lane = Lane(threads, "writer")
        running = lane.submit(busy)
        await asyncio.to_thread(busy.begun.wait, PATIENCE_SECONDS)
        its_end = lane.submit(lambda: "its end")
        (late,) = await submit(threads, "other", lambda: "never")
        with pytest.raises(Overloaded):
            await asyncio.wrap_future(late)
        busy.may_end.set()
        await asyncio.wrap_future(running)
        assert await asyncio.wrap_future(its_end) == "its end"

    asyncio.run(run())


def test_where_no_thread_can_be_started_what_waits_is_refused_in_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ARBORIS_WEB_WAIT = 0.01
    monkeypatch.setattr(web_threads, "EXPIRY_SECONDS", 0.02)

    def none_left(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def run() -> None:
        threads = Threads(1, share=1)
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", none_left)
            (refused,) = await submit(threads, "writer", lambda: "never")
            with pytest.raises(Overloaded):
                await asyncio.wrap_future(refused)
            settings.ARBORIS_WEB_WAIT = PATIENCE_SECONDS
            (waiting,) = await submit(threads, "writer", lambda: "once there is one")
        assert await asyncio.wait_for(asyncio.wrap_future(waiting), PATIENCE_SECONDS)

    asyncio.run(run())


def test_a_connection_that_cannot_be_closed_ends_no_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken() -> None:
        raise OperationalError("gone away")

    monkeypatch.setattr(web_threads, "close_old_connections", broken)

    async def run() -> None:
        threads = Threads(1, share=1)
        for number in range(2):
            (one,) = await submit(threads, "writer", partial(str, number))
            assert await asyncio.wait_for(asyncio.wrap_future(one), PATIENCE_SECONDS) == str(number)

    asyncio.run(run())


def test_who_has_gone_is_not_worked_for(steps: Callable[[], Step]) -> None:
    async def run() -> None:
        threads, busy, done = Threads(1, share=1), steps(), []
        running, gone, after = await submit(
            threads, "writer", busy, lambda: done.append("gone"), lambda: done.append("after")
        )
        await asyncio.to_thread(busy.begun.wait, PATIENCE_SECONDS)
        assert gone.cancel()
        busy.may_end.set()
        await asyncio.gather(*map(asyncio.wrap_future, (running, after)))
        assert done == ["after"]

    asyncio.run(run())
