"""A language model for tests: a real HTTP server on the loopback with an OpenAI-compatible chat.

Its script says what the next answers are. The client under test is the real one.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.waiting import PATIENCE_SECONDS

HOLD_SECONDS = PATIENCE_SECONDS


@dataclass(slots=True)
class Script:
    """What the server answers; ``requests`` keeps what it was asked."""

    pieces: list[str] = field(default_factory=lambda: ["夜雨", "敲窗。"])
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    garbage: bool = False  # an answer that is no chat at all
    break_off_after: int | None = None  # pieces, after which the connection is cut
    hold_after: int | None = None  # pieces, after which ``go_on`` is waited for
    pace: float = 0.0  # seconds before each piece but the first
    finish: str = "stop"
    go_on: threading.Event = field(default_factory=threading.Event)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


class ModelServer(ThreadingHTTPServer):
    daemon_threads = True
    script: Script

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = Script()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: ModelServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the tests look at ``requests``."""

    def do_POST(self) -> None:
        script = self.server.script
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        script.requests.append(body)
        script.keys.append(self.headers.get("Authorization", ""))
        self.close_connection = True
        if self.path != "/v1/chat/completions":
            self._json(404, {"error": {"message": "no such path"}})
        elif script.status != 200:
            self._json(script.status, {"error": {"message": "refused", "type": "test"}})
        elif script.garbage:
            self._raw("text/event-stream", b"data: {this is no JSON\n\n")
        elif body.get("stream"):
            self._stream(script, body["model"])
        else:
            self._json(200, whole("".join(script.pieces), body["model"]))

    def _json(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "close")
        for name, value in self.server.script.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _raw(self, kind: str, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, script: Script, model: str) -> None:
        self._raw("text/event-stream", b"")
        self.wfile.flush()
        # The client may hang up in the middle: that is a case of its own, no fault of ours.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for number, piece in enumerate(script.pieces):
                if number == script.hold_after:
                    script.go_on.wait(HOLD_SECONDS)
                if number == script.break_off_after:
                    return
                if number and script.pace:
                    script.go_on.wait(script.pace)
                self._event(chunk(piece, model))
            self._event(chunk(None, model, script.finish))
            self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, body: dict[str, Any]) -> None:
        self.wfile.write(f"data: {json.dumps(body)}\n\n".encode())
        self.wfile.flush()


def chunk(piece: str | None, model: str, finish: str = "stop") -> dict[str, Any]:
    """One event of a streamed answer; None ends it."""
    choice = {
        "index": 0,
        "delta": {} if piece is None else {"content": piece},
        "finish_reason": finish if piece is None else None,
    }
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model}
    return head | {"choices": [choice]}


def whole(text: str, model: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
    }


@contextlib.contextmanager
def serving() -> Iterator[ModelServer]:
    # The client loads it at its first call, which may have a short time limit in a test.
    importlib.import_module("openai")
    with ModelServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.script.go_on.set()
            server.shutdown()
            thread.join()
