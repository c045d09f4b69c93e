"""What a writer sees of an installation, through nginx and TLS, in the machine's network:
``python -m tests.deployment.writer SITE CERTIFICATE PASSWORD``. Ends with 0, or a traceback.

One line on stdout says what was reached; then it keeps its sockets open, and saves one more chapter
for each line on stdin.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import sys
from collections.abc import Iterator
from typing import Any

import httpx2
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.waiting import PATIENCE_SECONDS, wait_for

TEXT = "沈砚秋推开听雨楼的木门，檐下的铜铃响了三声。他对顾长风说：“听雨楼不留生人。”" * 12
SOCKETS = re.compile(r"^arboris_open_sockets(?:{[^}]*})? (\d+)", re.MULTILINE)


class Site:
    """The site under its own name at this machine's port 443; its certificate is checked."""

    def __init__(self, name: str, certificate: str) -> None:
        self.name = name
        self.tls = ssl.create_default_context(cafile=certificate)
        self.http = httpx2.Client(
            base_url="https://127.0.0.1", verify=self.tls, trust_env=False, headers={"Host": name},
            timeout=PATIENCE_SECONDS,
        )  # fmt: skip

    def call(self, method: str, path: str, expected: int, **arguments: Any) -> Any:
        """The answer's JSON, or its text where it is none."""
        extensions = {"sni_hostname": self.name}
        answer = self.http.request(method, path, extensions=extensions, **arguments)
        assert answer.status_code == expected, (method, path, answer.status_code, answer.text)
        with contextlib.suppress(json.JSONDecodeError):
            return answer.json()
        return answer.text

    def sign_in(self, name: str, password: str) -> None:
        body = {"username": name, "password": password}
        token = self.call("POST", "/api/auth/token", 200, json=body)["token"]
        self.http.headers["Authorization"] = f"Token {token}"

    def socket(self) -> ClientConnection:
        """An open socket for notifications, as the original's client opens it."""
        return connect(
            f"wss://{self.name}/ws/notifications",
            sock=socket.create_connection(("127.0.0.1", 443)), ssl=self.tls, proxy=None,
            server_hostname=self.name, open_timeout=PATIENCE_SECONDS,
            additional_headers={"Authorization": self.http.headers["Authorization"]},
        )  # fmt: skip


def save_and_be_told(site: Site, project: str, sockets: list[ClientConnection]) -> int:
    """Save a chapter and await its notification on every socket; returns its number."""
    saved = site.call("POST", f"/api/projects/{project}/chapters", 201, json={"content": TEXT})
    for each in sockets:
        completed = False
        while not completed:
            told = json.loads(each.recv(PATIENCE_SECONDS))
            completed = told["pending_analysis_id"] == saved["analysis"]["id"]
        assert told["notification_type"] == "completed", told
    return int(saved["chapter_number"])


def the_outside_is_bounded(site: Site) -> None:
    assert site.call("GET", "/healthz", 200)
    assert "reasons" not in site.call("GET", "/readyz", 200)
    site.call("GET", "/metrics", 404)
    for path, size in (("/api/auth/token", 70_000), ("/api/projects", 17 * 2**20 + 1)):
        too_large = site.call("POST", path, 413, content=b"x" * size)
        # By nginx: the web process would name its own limit.
        assert too_large == {"code": "too_large", "detail": "The request is too large."}
    plain = httpx2.get("http://127.0.0.1/login", headers={"Host": site.name}, trust_env=False)
    assert (plain.status_code, plain.headers["location"]) == (301, f"https://{site.name}/login")


def open_sockets(port: int) -> int:
    """How many a web process has, which only it can tell."""
    found = SOCKETS.search(httpx2.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text)
    assert found, "no such figure"
    return int(found[1])


def main(name: str, certificate: str, password: str) -> None:
    site = Site(name, certificate)
    the_outside_is_bounded(site)
    site.sign_in("admin", password)
    project = site.call("POST", "/api/projects", 201, json={"title": "雾海听钟"})["id"]
    with contextlib.ExitStack() as opened:
        sockets = [opened.enter_context(site.socket()) for _ in range(2)]
        # nginx gives each process one of them.
        wait_for(lambda: [open_sockets(port) for port in (8000, 8001)] == [1, 1], "both serve")
        save_and_be_told(site, project, sockets)
        people = site.call("GET", f"/api/projects/{project}/bible", 200)["characters"]
        assert people, "the analysis has found nobody"
        print("told", flush=True)
        for _ in commands():
            sockets = [each for each in sockets if alive(each)]
            for _ in range(10):  # whichever process nginx would have taken
                site.call("GET", f"/api/projects/{project}/chapters", 200)
            number = save_and_be_told(site, project, sockets)
            print(f"chapter {number} with {len(sockets)} sockets", flush=True)


def alive(each: ClientConnection) -> bool:
    """Whether its process is there; one that ends says that the client shall come back."""
    try:
        each.ping().wait(PATIENCE_SECONDS)
    except ConnectionClosed as closed:
        assert closed.rcvd is not None
        assert closed.rcvd.code == 4012, closed
        return False
    return True


def commands() -> Iterator[str]:
    yield from iter(sys.stdin.readline, "")


if __name__ == "__main__":
    main(*sys.argv[1:])
