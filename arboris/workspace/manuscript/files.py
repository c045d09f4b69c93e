"""A file that was made for a download, on its way to the browser."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from typing import IO
from urllib.parse import quote

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

IN_MEMORY = 4 * 1024 * 1024  # bytes; larger files are on the disk until they are sent
CHUNK = 64 * 1024
# What some system takes in no file name.
_UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff]+')
NAME_CHARS = 80
NO_NAME = "novel"


def download(
    request: HttpRequest, name: str, content_type: str, write: Callable[[IO[bytes]], None]
) -> StreamingHttpResponse:
    """Make the file as a whole, so that an error is still an error, and send it in pieces."""
    # Closed by whoever sends it.
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
    try:
        write(file)
        size = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    # Django reads the one kind of iterator to its end on a server of the other kind.
    pieces = _AsyncPieces(file) if isinstance(request, ASGIRequest) else _Pieces(file)
    response = StreamingHttpResponse(pieces, content_type=content_type)
    response["Content-Length"] = size
    response["Content-Disposition"] = attachment(name)
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


class _Pieces:
    """Django closes it, also where the browser has gone before the end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._file.read(CHUNK):
            yield piece

    def close(self) -> None:
        self._file.close()


class _AsyncPieces:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await asyncio.to_thread(self._file.read, CHUNK):
            yield piece

    def close(self) -> None:
        self._file.close()


def file_name(title: str, suffix: str) -> str:
    bare = " ".join(_UNFIT.sub(" ", title).split()).strip(". ")[:NAME_CHARS].rstrip(". ")
    return f"{bare or NO_NAME}.{suffix}"


def attachment(name: str) -> str:
    """Content-Disposition by RFC 6266: the name as UTF-8, and one of ASCII for old clients."""
    stem, _dot, suffix = name.rpartition(".")
    plain = "".join(char for char in stem if char.isascii() and char not in '"\\%').strip()
    old = f'filename="{plain or NO_NAME}.{suffix}"'
    return f"attachment; {old}; filename*=UTF-8''{quote(name, safe='')}"
