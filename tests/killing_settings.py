"""The live site's settings, but whoever sends a statement that the test has named is killed there.

The file ARBORIS_TEST_KILL names it: ``number:beginning``. It is used once, and in the statement's
transaction, so that all of that is lost.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db.backends.signals import connection_created

from tests.slow_settings import *  # noqa: F403

ORDER = Path(os.environ["ARBORIS_TEST_KILL"])


def run(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    result = execute(sql, params, many, context)
    number, _, beginning = ORDER.read_text().partition(":") if ORDER.exists() else ("", "", "")
    if number and sql.startswith(beginning):
        if int(number) == 1:
            ORDER.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        ORDER.write_text(f"{int(number) - 1}:{beginning}")
    return result


def watch(connection: Any, **_: Any) -> None:
    connection.execute_wrappers.append(run)


connection_created.connect(watch)
