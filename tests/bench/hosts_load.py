"""Writers on several hosts: they save over HTTP until it is answered, and hear on sockets."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.bench.chaos_analyzer import text_of
from tests.bench.chaos_load import Saved

ANSWER_SECONDS = 15.0
PAUSE_SECONDS = 0.5
CHAPTERS_PER_NOVEL = 10
PROTOCOL = Subprotocol("arboris.v1")
logging.getLogger("websockets").setLevel(logging.CRITICAL)  # that lines break is the point


@dataclass
class Writer:
    """One at each web host: saves a chapter now and then, on a thread of its own, and listens."""

    address: str
    token: str
    first_mark: int
    saved: list[Saved] = field(default_factory=list)
    told: set[int] = field(default_factory=set)  # tasks, by a frame

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._marks, self._novel = self.first_mark, ""
        self._errors: list[Exception] = []
        self._threads = [
            threading.Thread(target=self._run, args=(work,), daemon=True)
            for work in (self._save_on, self._listen)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Raises what one of its threads has met."""
        self._stop.set()
        for thread in self._threads:
            thread.join(ANSWER_SECONDS * 8)
        if self._errors:
            raise self._errors[0]

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  # raised by stop
            self._errors.append(error)

    def _save_on(self) -> None:
        while not self._stop.wait(PAUSE_SECONDS):
            if self._marks % CHAPTERS_PER_NOVEL == 0 or not self._novel:
                self._novel = str(self._post("/api/projects", {"title": "雾海听钟"})["id"])
            self._marks += 1
            self.saved.append(self.save(self._novel, self._marks))

    def save(self, novel: str, mark: int) -> Saved:
        made = self._post(f"/api/projects/{novel}/chapters", {"content": text_of(mark)})
        return Saved(mark, 0, int(made["analysis"]["id"]))

    def probe(self, mark: int) -> Saved:
        """A chapter of a novel of its own, which waits for no other."""
        saved = self.save(str(self._post("/api/projects", {"title": "探针"})["id"]), mark)
        self.saved.append(saved)
        return saved

    def _post(self, path: str, body: dict[str, str]) -> dict[str, Any]:
        """Again and again with the same key, until it is answered."""
        key = {"Idempotency-Key": str(uuid.uuid4()), "Authorization": f"Token {self.token}"}
        while True:
            with contextlib.suppress(httpx2.HTTPError):
                answer = httpx2.post(
                    f"http://{self.address}{path}", json=body, headers=key,
                    timeout=ANSWER_SECONDS, trust_env=False,
                )  # fmt: skip
                if answer.status_code == 201:
                    made: dict[str, Any] = answer.json()
                    return made
                # 409: the first one is under way still, or its process has died with the key.
                if answer.status_code not in (409, 429, 500, 502, 503):
                    raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:300]}")
            time.sleep(PAUSE_SECONDS)

    def _listen(self) -> None:
        url = f"ws://{self.address}/ws/notifications"
        while not self._stop.is_set():
            with (
                contextlib.suppress(OSError, TimeoutError, WebSocketException),
                connect(
                    url, subprotocols=[PROTOCOL], proxy=None, open_timeout=5,
                    additional_headers={"Authorization": f"Token {self.token}"},
                    ping_interval=5, ping_timeout=5, close_timeout=1,
                ) as socket,
            ):  # fmt: skip
                while not self._stop.is_set():
                    with contextlib.suppress(TimeoutError):
                        self._hear(json.loads(socket.recv(timeout=1)))
            self._stop.wait(PAUSE_SECONDS)

    def _hear(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "notification":
            self.told.add(frame["data"]["pending_analysis_id"])
