"""The demo's writer: a real HTTP client and a real WebSocket client."""

from __future__ import annotations

import json
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


@dataclass(frozen=True, slots=True)
class Push:
    arrived: datetime
    notification: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call gave, how many seconds it took, and when it was there to be shown."""

    body: Any
    seconds: float
    arrived: datetime


class PushListener(threading.Thread):
    """Listens on the original's plain protocol and keeps when each notification came."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(name="push-listener", daemon=True)
        headers = {"Authorization": f"Token {token}"}
        self._open = ExitStack()
        self._socket = self._open.enter_context(
            connect(url, additional_headers=headers, proxy=None, open_timeout=60)
        )
        self._arrival = threading.Condition()
        self._by_task: dict[int, Push] = {}

    def run(self) -> None:
        try:
            for frame in self._socket:
                push = Push(datetime.now(UTC), json.loads(frame))
                with self._arrival:
                    self._by_task[push.notification["pending_analysis_id"]] = push
                    self._arrival.notify_all()
        except ConnectionClosed:
            return  # the server went away; whoever waits notices by the time-out

    def push_of(self, task_id: int) -> Push | None:
        with self._arrival:
            return self._by_task.get(task_id)

    def wait_for(self, task_id: int, seconds: float) -> Push:
        with self._arrival:
            if not self._arrival.wait_for(lambda: task_id in self._by_task, seconds):
                raise TimeoutError(f"no notification of analysis {task_id} within {seconds:g} s")
            return self._by_task[task_id]

    def wait_any(self, seconds: float) -> None:
        with self._arrival:
            self._arrival.wait(seconds)

    def close(self) -> None:
        self._open.close()
        self.join(timeout=5)


def is_ready(base_url: str) -> bool:
    """Whether web, database and workers are all there."""
    try:
        return httpx2.get(f"{base_url}/readyz", trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


class Writer:
    """Signs in and works over HTTP; every call's answer is checked."""

    def __init__(self, base_url: str, name: str, password: str, language: str) -> None:
        self.http = httpx2.Client(
            base_url=base_url, timeout=60, headers={"Accept-Language": language}, trust_env=False
        )
        answer = self._call(
            "POST", "/api/auth/token", json={"username": name, "password": password}
        )
        self.token: str = answer["token"]
        self.http.headers["Authorization"] = f"Token {self.token}"

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        response = self.http.request(method, path, **arguments)
        if response.is_error:
            raise RuntimeError(
                f"{method} {path}: HTTP {response.status_code}: {response.text[:500]}"
            )
        return response.json() if response.content else None

    def close(self) -> None:
        self.http.close()

    def get(self, path: str) -> Any:
        return self._call("GET", path)

    def new_project(self, title: str, language: str) -> str:
        body = {"title": title, "language": language}
        return str(self._call("POST", "/api/projects", json=body)["id"])

    def import_novel(self, project_id: str, file: Path) -> Answer:
        upload = {"file": (file.name, file.read_bytes(), "text/markdown")}
        return self._timed(f"/api/projects/{project_id}/import", files=upload)

    def add_chapter(self, project_id: str, content: str) -> Answer:
        return self._timed(f"/api/projects/{project_id}/chapters", json={"content": content})

    def _timed(self, path: str, **arguments: Any) -> Answer:
        started = time.perf_counter()
        body = self._call("POST", path, **arguments)
        return Answer(body, time.perf_counter() - started, datetime.now(UTC))
