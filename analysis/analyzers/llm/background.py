"""An event loop on its own thread, with one client, for as long as a chapter is analysed.

The pipeline is synchronous and must be able to stop at any moment. Only an event loop can wait for
a dozen calls to a model and cancel them.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from arboris.llm import client

if TYPE_CHECKING:  # see client.py
    import openai

Result = TypeVar("Result")
END_SECONDS = 5.0


class Background:
    """Starts at once. Raises the error that kept the client from being opened."""

    def __init__(self) -> None:
        self._ready: Future[tuple[asyncio.AbstractEventLoop, openai.AsyncOpenAI]] = Future()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._serve, name="llm", daemon=True)
        self._thread.start()
        self._loop, self._connection = self._ready.result()

    def submit(self, work: Callable[[openai.AsyncOpenAI], Awaitable[Result]]) -> Future[Result]:
        async def run() -> Result:
            return await work(self._connection)

        return asyncio.run_coroutine_threadsafe(run(), self._loop)

    def close(self) -> None:
        """Cancel the running calls and close their connections. Returns within END_SECONDS.

        A name look-up cannot be cancelled: one that hangs stays behind on the daemon thread.
        """
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(END_SECONDS)

    def _serve(self) -> None:
        try:
            asyncio.run(self._main())
        except Exception as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _main(self) -> None:
        async with client.connect() as connection:
            self._ready.set_result((asyncio.get_running_loop(), connection))
            await self._stop.wait()
            under_way = asyncio.all_tasks() - {asyncio.current_task()}
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
