"""A web process that is stopped tells its sockets to come back."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests import live
from tests.waiting import PATIENCE_SECONDS

# The mark is for the site's database beside that of the suite.
pytestmark = [pytest.mark.process, pytest.mark.django_db]


def test_sockets_are_closed_with_4012_before_the_server_stops(tmp_path: Path) -> None:
    with contextlib.ExitStack() as opened:
        site = opened.enter_context(live.running(tmp_path, {}, workers=False))
        sockets = [opened.enter_context(site.socket()) for _ in range(3)]
        web = site.processes["web"]
        web.terminate()
        for socket in sockets:
            with pytest.raises(ConnectionClosed):
                while True:  # it begins with what there is
                    socket.recv(timeout=PATIENCE_SECONDS)
            assert socket.close_code == 4012
        assert web.wait(PATIENCE_SECONDS) == 0
