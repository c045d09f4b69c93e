"""How much of an answer is accepted. It is counted where it arrives, whatever it contains."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

import httpx2  # the HTTP library of the client library

from arboris.llm import errors

MAX_REPLY_CHARACTERS = 1_000_000
MOST_BLANKS = 2_000  # characters of white space at the end
# Every token comes with some 300 bytes of wrapping.
MAX_WIRE_BYTES = 32 * 1024 * 1024
MOST_UNPACKED = 32  # bytes for one, of what is an answer; a bomb has a thousand


class LimitedBody(httpx2.AsyncByteStream):
    """A response body that raises TooLarge before it can fill the memory."""

    def __init__(self, body: httpx2.AsyncByteStream, encoding: str) -> None:
        self._body = body
        self._encoding = encoding
        self._reading: AsyncGenerator[bytes, None] | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._reading = self._read()
        return self._reading

    async def _read(self) -> AsyncGenerator[bytes, None]:
        # We ask for no compression: a few kilobytes could unpack to gigabytes. What comes
        # compressed all the same is counted as if it were that much.
        times = 1 if self._encoding == "identity" else MOST_UNPACKED
        if self._encoding not in ("identity", "gzip", "x-gzip", "deflate"):
            raise errors.BadAnswer("the endpoint sends a compressed answer")
        received = 0
        async for piece in self._body:
            received += len(piece) * times
            if received > MAX_WIRE_BYTES:
                raise errors.TooLarge(f"the answer is larger than {MAX_WIRE_BYTES} bytes")
            yield piece

    async def aclose(self) -> None:
        # Our reader abandons the iterator without closing it. The garbage collector would close it
        # on whichever thread it runs, not on the loop's.
        if self._reading is not None:
            await self._reading.aclose()
        await self._body.aclose()


async def limit_body(response: httpx2.Response) -> None:
    """Limit the body of a response. A hook for the HTTP library."""
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    response.stream = LimitedBody(response.stream, encoding)


def ends_in_blanks(text: str) -> bool:
    """Whether nothing but white space comes any more: a model that is held to a grammar, and has no
    word left that it allows, writes blanks up to its greatest length."""
    return len(text) > MOST_BLANKS and text[-MOST_BLANKS:].isspace()
