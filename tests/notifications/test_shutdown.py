"""A web process that is stopped tells its sockets to come back."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from arboris.workspace.demo.system import running_system
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.process


def test_sockets_are_closed_with_4012_before_the_server_stops(tmp_path: Path) -> None:
    with contextlib.ExitStack() as opened:
        system = opened.enter_context(running_system(tmp_path))
        writer = opened.enter_context(contextlib.closing(system.writer("en")))
        headers = {"Authorization": f"Token {writer.token}"}
        sockets = [
            opened.enter_context(
                connect(
                    system.socket_url,
                    additional_headers=headers,
                    proxy=None,
                    open_timeout=PATIENCE_SECONDS,
                )
            )
            for _ in range(3)
        ]
        web = system.services["web"].process
        web.terminate()
        for socket in sockets:
            with pytest.raises(ConnectionClosed):
                socket.recv(timeout=PATIENCE_SECONDS)
            assert socket.close_code == 4012
        assert web.wait(PATIENCE_SECONDS) == 0
