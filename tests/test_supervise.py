"""Services: stopping one takes along whatever it has left running."""

from __future__ import annotations

import os
import select
import subprocess
import sys

import pytest

from arboris.supervise import Service
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.process

# Its child writes a word and waits; the child holds standard output open for as long as it lives.
LEADER = """
import os, subprocess, sys, time
child = "import os, time; os.write(1, b'up'); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", child])
{then}
"""


def start(then: str) -> tuple[Service, int]:
    """The service and the end of a pipe that is closed when all of its processes are gone."""
    ours, theirs = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", LEADER.format(then=then)], stdout=theirs, start_new_session=True
    )
    os.close(theirs)
    service = Service("leader", process)
    try:
        assert os.read(ours, 100) == b"up"
    except BaseException:
        os.close(ours)
        service.stop(0)
        raise
    return service, ours


def is_closed(end: int) -> bool:
    ready, _, _ = select.select([end], [], [], PATIENCE_SECONDS)
    return bool(ready) and os.read(end, 100) == b""


@pytest.mark.parametrize("then", ["time.sleep(600)", "os._exit(1)"])
def test_orphans_go_with_their_group(then: str) -> None:
    service, end = start(then)
    try:
        if "exit" in then:
            service.process.wait(PATIENCE_SECONDS)
        service.stop(grace=PATIENCE_SECONDS)
        assert is_closed(end)
        service.stop(grace=1)  # nobody is left: that is no error
    finally:
        os.close(end)
