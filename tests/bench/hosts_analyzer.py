"""An analyzer that asks an endpoint which takes its time, always the same; and that endpoint."""

from __future__ import annotations

import os
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PORT = 8000


class Slow(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        # What is measured is how many are asked meanwhile. No sleep: see tests.clock_settings.
        threading.Event().wait(float(sys.argv[1]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None: ...


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100


if __name__ == "__main__":
    Server(("", PORT), Slow).serve_forever()
else:
    from analysis.analyzers.base import ChapterInput, Check, FeatureResult, Session
    from analysis.features import FEATURES, FeatureKey
    from tests.bench.chaos_analyzer import Brief, BriefSession

    class Far(Brief):
        name = "far"

        def open(self, chapter: ChapterInput) -> Session:
            return FarSession(chapter.text)

    class FarSession(BriefSession):
        def __init__(self, text: str) -> None:
            super().__init__(text)
            self.pause = 0.0

        def run(self, feature: FeatureKey, check: Check) -> FeatureResult:
            if feature == next(iter(FEATURES)):
                urllib.request.urlopen(os.environ["HOSTS_ENDPOINT"], timeout=60).close()
            return super().run(feature, check)
