"""Asking for a generated chapter, against a real HTTP server that speaks like a language model."""

from __future__ import annotations

import json
from typing import Any

from asgiref.sync import async_to_sync
from django.test import AsyncClient

from arboris.novels.models import NovelProject
from tests.factories import JsonClient

PIECES = [f"第{n}夜，灯影摇晃，沈砚秋听见楼下有人低声说话。" for n in range(1, 16)]
Event = tuple[str, dict[str, Any]]


def generate(api: JsonClient, project: NovelProject, **body: Any) -> Any:
    return api.post(f"/api/projects/{project.pk}/chapters/generate", body)


def events(api: JsonClient, project: NovelProject, key: str = "", **body: Any) -> list[Event]:
    """The events of a streamed answer; ``key``: the Idempotency-Key."""

    async def call() -> bytes:
        response: Any = await AsyncClient().post(
            f"/api/projects/{project.pk}/chapters/generate",
            json.dumps(body),
            content_type="application/json",
            headers={
                "authorization": api.defaults["HTTP_AUTHORIZATION"],
                "accept": "text/event-stream",
                **({"idempotency-key": key} if key else {}),
            },
        )
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        if not response.streaming:  # a kept answer
            return bytes(response.content)
        assert response.headers["Cache-Control"] == "no-cache"
        return b"".join([part async for part in response.streaming_content])

    return parsed(async_to_sync(call)().decode())


def parsed(text: str) -> list[Event]:
    found = []
    for block in text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((lines["event"], json.loads(lines["data"])))
    return found
