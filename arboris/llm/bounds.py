"""How much of an answer is taken in: counted where it enters, whatever it may contain."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

import httpx2  # the HTTP library of the client library

from arboris.llm import errors

MAX_REPLY_CHARACTERS = 1_000_000
# On the wire every token comes with some 300 bytes of wrapping.
MAX_WIRE_BYTES = 32 * 1024 * 1024


class Counted(httpx2.AsyncByteStream):
    """A response body that ends in ``TooLarge`` instead of in an exhausted memory."""

    def __init__(self, body: httpx2.AsyncByteStream, encoding: str) -> None:
        self._body = body
        self._encoding = encoding
        self._reading: AsyncGenerator[bytes, None] | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._reading = self._read()
        return self._reading

    async def _read(self) -> AsyncGenerator[bytes, None]:
        if self._encoding != "identity":
            # We ask for none; a few packed kilobytes may hold gigabytes.
            raise errors.BadAnswer("the endpoint sends a compressed answer")
        taken = 0
        async for piece in self._body:
            taken += len(piece)
            if taken > MAX_WIRE_BYTES:
                raise errors.TooLarge(f"the answer is larger than {MAX_WIRE_BYTES} bytes")
            yield piece

    async def aclose(self) -> None:
        # Whoever is done with it has let go of our iterator without closing it. Left to the garbage
        # collector it would be ended on whatever thread that runs, and not on the loop's.
        if self._reading is not None:
            await self._reading.aclose()
        await self._body.aclose()


async def count(response: httpx2.Response) -> None:
    """A response hook: from here on the body is counted."""
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    response.stream = Counted(response.stream, encoding)
