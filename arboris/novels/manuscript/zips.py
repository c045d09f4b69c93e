"""Zip archives whose bytes depend on what is in them alone: fixed dates, modes and order."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from typing import IO

_DATE = (1980, 1, 1, 0, 0, 0)


class FixedZip:
    """Writes entries one after another; used as a context manager."""

    def __init__(self, target: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED)

    def __enter__(self) -> FixedZip:
        return self

    def __exit__(self, *_error: object) -> None:
        self._zip.close()

    def add(self, name: str, data: str | bytes, *, stored: bool = False) -> None:
        self.stream(name, [data], stored=stored)

    def stream(self, name: str, pieces: Iterable[str | bytes], *, stored: bool = False) -> None:
        info = zipfile.ZipInfo(name, _DATE)
        info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
        info.create_system = 3  # the same on every system
        info.external_attr = 0o644 << 16
        with self._zip.open(info, "w") as entry:
            for piece in pieces:
                entry.write(piece.encode() if isinstance(piece, str) else piece)
