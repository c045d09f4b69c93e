"""As slow_settings, on a disk that a test can declare full: SQLite then takes no further page.

``ARBORIS_TEST_PAGES`` names a file that holds the number of pages that there is room for; without
that file there is room enough.
"""

import os
from pathlib import Path
from typing import Any

from django.db.backends.signals import connection_created

from tests.slow_settings import *  # noqa: F403

ENOUGH = "1073741823"


class Disk:
    """Looked at before every statement: a worker keeps its connection for long."""

    def __init__(self) -> None:
        self._file = Path(os.environ["ARBORIS_TEST_PAGES"])
        self._pages = ENOUGH

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        try:
            pages = self._file.read_text() or ENOUGH
        except FileNotFoundError:
            pages = ENOUGH
        if pages != self._pages:
            self._pages = pages
            context["connection"].connection.execute(f"PRAGMA max_page_count = {pages}")
        return execute(sql, params, many, context)


def _watch(connection: Any, **_: Any) -> None:
    connection.execute_wrappers[:] = [Disk()]


connection_created.connect(_watch)
