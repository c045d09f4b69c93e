"""A client that does not read costs the server no memory, and gets everything once it reads."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection
from websockets.typing import Subprotocol

from tests.live import Site
from tests.live_rows import cursor
from tests.waiting import PATIENCE_SECONDS, wait_for

pytestmark = pytest.mark.django_db  # for the look into the live site's own database

ROWS = 2_000
PAGES = 20_000  # characters in each
V1 = [Subprotocol("arboris.v1")]


@pytest.fixture
def backlog(site: Site) -> Iterator[list[int]]:
    """Ids of many large notifications of the stranger, none of which was sent."""
    with site.client("stranger") as client:
        project = client.post("/api/projects", json={"title": "听雨楼"}).json()["id"]
        chapter = client.post(f"/api/projects/{project}/chapters", json={"content": "雨。"}).json()
    with cursor(site) as opened:
        opened.execute("SELECT id FROM auth_user WHERE username = 'stranger'")
        (user,) = opened.fetchone()
        row = [user, project.replace("-", ""), chapter["id"], json.dumps({"pages": "x" * PAGES})]
        opened.executemany(
            "INSERT INTO analysis_notifications (user_id, project_id, chapter_id, data,"
            " chapter_number, notification_type, title, message, is_read, created_at)"
            " VALUES (%s, %s, %s, %s, 1, 'completed', '', '', 0, '2026-01-01 00:00:00')",
            [row] * ROWS,
        )
        opened.execute(
            "SELECT id FROM analysis_notifications WHERE user_id = %s ORDER BY id", [user]
        )
        ids = [pk for (pk,) in opened.fetchall()]
    yield ids
    with cursor(site) as opened:
        opened.execute("DELETE FROM analysis_notifications WHERE user_id = %s", [user])


def resident(site: Site) -> int:
    """Bytes of memory that the web process holds."""
    status = Path(f"/proc/{site.processes['web'].pid}/statm").read_text()
    return int(status.split()[1]) * os.sysconf("SC_PAGE_SIZE")


def unread(socket: ClientConnection) -> int:
    """Bytes that wait in the kernel for the client."""
    answer = fcntl.ioctl(socket.socket, termios.FIONREAD, bytes(4))
    return int.from_bytes(answer, sys.byteorder)


def test_a_client_that_reads_late_gets_all_and_costs_little(site: Site, backlog: list[int]) -> None:
    before = resident(site)
    with site.socket(f"?since={backlog[0] - 1}", user="stranger", subprotocols=V1) as socket:
        # The client's library stops reading after a few frames; then the kernel's buffers fill.
        seen: list[int] = []

        def full() -> bool:
            seen.append(unread(socket))
            return len(seen) > 50 and seen[-1] == seen[-50] > 0

        wait_for(full, "nothing more is sent")
        # The backlog is 40 MB of text, and more than that as rows.
        assert resident(site) - before < 35_000_000
        ids: list[int] = []
        while len(ids) < len(backlog):
            frame = json.loads(socket.recv(timeout=PATIENCE_SECONDS))
            if frame["type"] == "notification":
                ids.append(frame["data"]["id"])
        assert ids == backlog
        # The server has not stopped listening in the meantime.
        socket.send(json.dumps({"type": "ping"}))
        while json.loads(socket.recv(timeout=PATIENCE_SECONDS))["type"] != "pong":
            pass


def test_a_client_that_never_reads_is_dropped(site: Site, backlog: list[int]) -> None:
    """Its pings are not read either then, and its memory is given back."""

    def open_sockets() -> float:
        with site.client() as client:
            lines = client.get("/metrics").text.splitlines()
        return next(float(x.split()[1]) for x in lines if x.startswith("arboris_open_sockets "))

    wait_for(lambda: open_sockets() == 0, "sockets of other tests are gone")
    with site.socket(f"?since={backlog[0] - 1}", user="stranger", ping_interval=None) as socket:
        wait_for(lambda: open_sockets() == 0, "the server gives it up")
        with pytest.raises(ConnectionClosed):  # after what the kernel holds
            while True:
                socket.recv(timeout=PATIENCE_SECONDS)
