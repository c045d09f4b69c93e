"""A chat endpoint for tests that decides on every request anew, over real HTTP on the loopback.

A test gives it a function from the request's body to a ``Reply``; ``tests.llm_server`` is its
simpler variant that answers everything alike.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pytest_django import Settings

from tests.waiting import PATIENCE_SECONDS

KEY = "sk-very-secret-0123456789"
HOLD_SECONDS = PATIENCE_SECONDS


@dataclass(slots=True)
class Reply:
    """One answer: streamed text, or an error with a status."""

    text: str = ""
    status: int = 200
    error: Any = field(default_factory=dict)
    refusal: Any = None  # the whole body of an error, in place of {"error": …}
    headers: dict[str, str] = field(default_factory=dict)
    finish: str | None = "stop"
    usage: tuple[int, int] | None = (10, 5)  # prompt, completion; None: never told
    delta: dict[str, Any] = field(default_factory=dict)  # besides the text
    event: dict[str, Any] | None = None  # sent after the text, instead of an end
    raw: bytes | None = None  # sent as it is, instead of an event stream
    wait: float = 0.0  # seconds before anything is sent
    beside: int = 0  # so many calls have to be under way at one time before anything is sent
    hold: bool = False  # nothing more is sent after the text, and the line stays open
    endless: bool = False  # the text is sent again and again


Answer = Callable[[dict[str, Any]], Reply]


def found_nothing(body: dict[str, Any]) -> Reply:
    """The analyzer's question, of whichever feature, answered with an empty list."""
    empty: dict[str, object] = {
        "Tracking": {"characters": []},
        "Newcomers": {"characters": []},
        "World": {"entities": []},
        "Threads": {"seeds": []},
        "Contradictions": {"contradictions": []},
    }
    return Reply(json.dumps(empty[body["response_format"]["json_schema"]["name"]]))


class Endpoint(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer: Answer = lambda body: Reply("{}")
        self.requests: list[dict[str, Any]] = []
        self.hung_up = threading.Event()  # a client left in the middle of an answer
        self.closing = threading.Event()
        self.busy = threading.Condition()
        self.calls = self.most_calls = 0  # under way: now, and at one time

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def count(self, by: int) -> None:
        with self.busy:
            self.calls += by
            self.most_calls = max(self.most_calls, self.calls)
            self.busy.notify_all()

    def wait_for_calls(self, number: int) -> None:
        """Until so many are under way."""
        with self.busy:
            assert self.busy.wait_for(lambda: self.calls == number, PATIENCE_SECONDS), self.calls

    def wait_for_most(self, number: int) -> None:
        """Until so many have been under way at one time."""
        with self.busy:
            self.busy.wait_for(lambda: self.most_calls >= number, PATIENCE_SECONDS)

    def replies(self, *replies: Reply) -> None:
        """Answer with these, in order; the last one from then on."""
        left = list(replies)
        self.answer = lambda body: left.pop(0) if len(left) > 1 else left[0]


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(body)
        reply = self.server.answer(body)
        self.close_connection = True
        self.under_way = True
        self.server.count(1)
        try:
            self.server.wait_for_most(reply.beside)
            self.server.closing.wait(reply.wait)
            self._send(reply, body)
        except (BrokenPipeError, ConnectionResetError):
            self.server.hung_up.set()
        finally:
            self._over()

    def _over(self) -> None:
        """Before the last byte is sent: the client may be making its next call by then."""
        if self.under_way:
            self.under_way = False
            self.server.count(-1)

    def _send(self, reply: Reply, body: dict[str, Any]) -> None:
        self.send_response(reply.status)
        kind = "text/event-stream" if reply.status == 200 else "application/json"
        for name, value in {"Content-Type": kind, "Connection": "close", **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if reply.status != 200:
            self._over()
            self.wfile.write(json.dumps(reply.refusal or {"error": reply.error}).encode())
        elif reply.raw is not None:
            self.wfile.write(reply.raw)
            while reply.endless:
                self.wfile.write(reply.raw)
        else:
            self._stream(reply, body)

    def _stream(self, reply: Reply, body: dict[str, Any]) -> None:
        # Two pieces, so that nothing relies on a piece being the whole.
        middle = len(reply.text) // 2
        for piece in (reply.text[:middle], reply.text[middle:]):
            self._event(_chunk({**reply.delta, "content": piece}))
        while reply.endless:
            self._event(_chunk({"content": reply.text}))
        if reply.hold:
            self._hold()
        elif reply.event is not None:
            self._event(reply.event)
        else:
            if reply.finish:
                self._event(_chunk({}, reply.finish))
            if reply.usage and "stream_options" in body:
                self._event(_chunk(None) | {"usage": _usage(*reply.usage)})
            self._over()
            self.wfile.write(b"data: [DONE]\n\n")

    def _hold(self) -> None:
        """Wait until the client has hung up (or the test is over)."""
        self.connection.settimeout(HOLD_SECONDS)
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            if not self.rfile.read(1):
                self.server.hung_up.set()

    def _event(self, body: dict[str, Any]) -> None:
        self.wfile.write(f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode())
        self.wfile.flush()


def _chunk(delta: dict[str, Any] | None, finish: str | None = None) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": choices,
    }


def at_once(text: str) -> bytes:
    """A whole answer to a stream, for ``Reply.raw``: nobody waits between its pieces."""
    events = [*(_chunk({"content": piece}) for piece in text), _chunk({}, "stop")]
    lines = [json.dumps(event, ensure_ascii=False) for event in events]
    return "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"]).encode()


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


@contextlib.contextmanager
def serving() -> Iterator[Endpoint]:
    # The client loads it at its first call, which may have a short time limit in a test.
    importlib.import_module("openai")
    with Endpoint() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def configured(settings: Settings) -> Iterator[Endpoint]:
    """An endpoint that the settings lead to, of which nothing is remembered."""
    from arboris.llm import endpoint_profile  # needs settings, which a benchmark has not

    with serving() as server:
        settings.ARBORIS_LLM_BASE_URL = server.base_url
        settings.ARBORIS_LLM_MODEL = "test-model"
        settings.ARBORIS_LLM_API_KEY = KEY
        settings.ARBORIS_LLM_RETRIES = 0
        endpoint_profile.forget()
        yield server
