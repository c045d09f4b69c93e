"""A process that calls a model: ``python -m tests.llm.caller``, with its orders on stdin.

Makes ``calls`` calls side by side and writes the outcome of each to stdout, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]


def start(base_url: str, calls: int, lease: float, **settings: Any) -> subprocess.Popen[str]:
    """On this process's test database."""
    from django.db import connection

    database = {"NAME": ""} | connection.settings_dict
    orders = {
        "database": str(database["NAME"]),
        "calls": calls,
        "lease": lease,
        "settings": {
            "ARBORIS_LLM_BASE_URL": base_url,
            "ARBORIS_LLM_MODEL": "test-model",
            "ARBORIS_LLM_RETRIES": 0,
            **settings,
        },
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.llm.caller"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(orders))
    process.stdin.close()
    process.stdin = None
    return process


def outcomes(process: subprocess.Popen[str]) -> list[str]:
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, err[-4000:]
    found: list[str] = json.loads(out)
    return found


async def call_all(calls: int) -> list[str]:
    from arboris.llm import client, errors

    async def call() -> str:
        try:
            found = client.stream([{"role": "user", "content": "Go on."}])
            return "".join([piece async for piece in found])
        except errors.LLMError as error:
            return error.code

    return await asyncio.gather(*[call() for _ in range(calls)])


def main() -> None:
    orders = json.load(sys.stdin)
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = orders["database"]
    for name, value in orders["settings"].items():
        setattr(settings, name, value)
    django.setup()
    from arboris.llm.accounting import call_slots

    call_slots.LEASE_SECONDS = orders["lease"]
    json.dump(asyncio.run(call_all(orders["calls"])), sys.stdout)


if __name__ == "__main__":
    main()
