"""A web process that is stopped tells its sockets to come back."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from arboris import supervise
from arboris.workspace.demo.client import Writer, is_ready

pytestmark = [pytest.mark.nodb]


def test_sockets_are_closed_with_4012_before_the_server_stops(tmp_path: Path) -> None:
    env = {"ARBORIS_DATA_DIR": str(tmp_path), "DATABASE_URL": "", "REDIS_URL": ""}
    supervise.run_managed(env, "migrate", "--verbosity=0")
    password = json.loads(supervise.run_managed(env, "demo_accounts"))["writer"]
    port = supervise.free_port()
    commands = {"workers": supervise.manage("qcluster"), "web": supervise.web(port)}
    with (tmp_path / "log").open("wb") as log:
        with supervise.services(commands, env, output=log) as running:
            url = f"http://127.0.0.1:{port}"
            supervise.wait_until(lambda: is_ready(url), running, 60)
            with contextlib.closing(Writer(url, "writer", password, "en")) as writer:
                headers = {"Authorization": f"Token {writer.token}"}
            address = f"ws://127.0.0.1:{port}/ws/notifications"
            with contextlib.ExitStack() as opened:
                sockets = [
                    opened.enter_context(connect(address, additional_headers=headers, proxy=None))
                    for _ in range(3)
                ]
                running[1].process.terminate()
                for socket in sockets:
                    with pytest.raises(ConnectionClosed):
                        socket.recv(timeout=10)
                    assert socket.close_code == 4012
            assert running[1].process.wait(10) == 0
