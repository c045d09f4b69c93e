"""The operator's terminal: its language, columns that fit Chinese, progress on stderr, Ctrl-C,
and its end."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from django.conf import settings
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from arboris.stop_request import StopRequest

Advance = Callable[[int], None]
# End a command between two of its steps, so that it can say what was done.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What writing fails with where nobody reads any more: a closed pipe, a terminal that is gone.
NOBODY_READS = (errno.EPIPE, errno.EIO)


def language() -> str:
    """English where the terminal's locale says so, the project's language otherwise."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "en" if value.lower().startswith("en") else settings.LANGUAGE_CODE
    return settings.LANGUAGE_CODE


def columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    """One line of a table; a Chinese character takes two places. The last cell is left whole."""
    parts = [_fit(one_line(cell), width) for cell, width in zip(cells, widths, strict=False)]
    parts += [one_line(cell) for cell in cells[len(widths) :]]
    return "  ".join(parts).rstrip()


def one_line(text: str) -> str:
    """Without line breaks and control characters: what others wrote must not steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def _fit(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…"


def silence(stream: TextIO, error: OSError) -> None:
    """Nobody reads the stream any more: what is still to be written to it, also by Python at its
    end, goes nowhere. Raises ``error`` where it is another one."""
    if error.errno not in NOBODY_READS:
        raise error
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


@contextmanager
def progress(stderr: TextIO, description: str, total: int | None) -> Iterator[Advance]:
    """A progress bar on ``stderr`` where that is a terminal, nothing elsewhere."""
    if not stderr.isatty():
        yield lambda count: None
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(file=stderr),
        transient=True,
    )
    with bar:
        task = bar.add_task(description, total=total)
        yield lambda count: bar.advance(task, count)


@contextmanager
def asking(first: Callable[[], None]) -> Iterator[None]:
    """The first signal calls ``first``; the second is a KeyboardInterrupt at once."""
    asked = False

    def handle(number: int, frame: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        first()

    in_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, handle) for number in SIGNALS} if in_main else {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def between_steps() -> Iterator[StopRequest]:
    """It is set once somebody wants the command to stop."""
    stop = StopRequest()
    with asking(stop.set):
        yield stop
