"""A root directory that runs as a machine of its own: mount, pid and network namespaces."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import contained

INIT = Path(__file__).with_name("init.py")
SYSTEMCTL = Path(__file__).with_name("systemctl.py")
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
}


class StepFailed(AssertionError):
    """A step of the page ended with another code than 0; the message has what it printed."""


@dataclass(frozen=True)
class Machine:
    """``init`` is its first process; ``environment`` what every step is given."""

    root: Path
    init: int
    environment: Mapping[str, str]

    @property
    def files(self) -> Path:
        """Its root, with its own mounts, as this process sees it."""
        return Path(f"/proc/{self.init}/root")

    def mount(self, script: str) -> None:
        """Run shell commands of this host among the machine's mounts, at ``root``."""
        subprocess.run([*self._enter("--mount", "--pid"), "sh", "-ec", script], check=True)

    def _enter(self, *what: str) -> list[str]:
        return ["nsenter", f"--target={self.init}", *what]

    def inside(self, *command: str) -> list[str]:
        """The command line that runs ``command`` there."""
        clean = [
            "env",
            "--chdir=/",
            "-i",
            *(f"{name}={value}" for name, value in self.environment.items()),
        ]
        return [*self._enter("--mount", "--pid", "--net", "--root"), *clean, *command]

    def beside(self, *command: str) -> list[str]:
        """The command line that runs ``command`` of this host in the machine's network."""
        return [*self._enter("--net"), *command]

    def run(self, script: str, answers: Sequence[str] = ()) -> str:
        """What bash prints that runs a step; it stops at the first command that fails.

        Where it asks at its terminal, it gets one of ``answers`` after the other.
        """
        command = self.inside("bash", "-euo", "pipefail", "-c", script)
        primary, secondary = os.openpty()
        with os.fdopen(primary, "rb", buffering=0) as terminal:
            process = subprocess.Popen(
                command, stdin=secondary, stdout=secondary, stderr=secondary,
                start_new_session=True, preexec_fn=_take_the_terminal,
            )  # fmt: skip
            os.close(secondary)
            printed = _converse(terminal.fileno(), answers)
            code = process.wait()
        if code:
            raise StepFailed(f"{script}\nended with {code}:\n{printed[-6000:]}\n{self.journal()}")
        return printed

    def journal(self) -> str:
        """The ends of what the services have printed."""
        logs = sorted(self.files.glob("var/log/units/*.log"))
        return "\n".join(
            f"── {log.stem}\n{log.read_text(errors='replace')[-1500:]}" for log in logs
        )


def _take_the_terminal() -> None:
    """Its questions for a password go to the controlling terminal."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _converse(terminal: int, answers: Sequence[str]) -> str:
    printed = b""
    waiting = list(answers)
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # EIO: nobody has it open any more
            break
        printed += piece
        if waiting and printed.endswith((b": ", "：".encode(), "： ".encode())):
            os.write(terminal, f"{waiting.pop(0)}\n".encode())
    if waiting:
        raise AssertionError(f"it asked too little:\n{printed.decode(errors='replace')}")
    return printed.decode(errors="replace").replace("\r\n", "\n")


@contextlib.contextmanager
def running(root: Path, environment: Mapping[str, str]) -> Iterator[Machine]:
    """A machine with an empty root in memory at that directory, as only it sees it; nothing of it
    outlives the block, nor us."""
    command = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child"]
    command += [sys.executable, "-I", str(INIT), str(root)]
    unshare = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        start_new_session=True, preexec_fn=lambda: contained.end_with_parent(signal.SIGKILL),
    )  # fmt: skip
    try:
        assert unshare.stdout is not None
        if unshare.stdout.readline() != "ready\n":
            raise AssertionError("the machine did not start")
        children = Path(f"/proc/{unshare.pid}/task/{unshare.pid}/children").read_text()
        yield Machine(root, int(children), ENVIRONMENT | dict(environment))
    finally:
        unshare.kill()  # its child, the first process there, dies with it
        unshare.communicate()


def put(root: Path, name: str, text: str, mode: int = 0o644) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def put_systemctl(root: Path, python: str) -> None:
    """The stand-in for systemd, which cannot run in a namespace of this kind."""
    text = SYSTEMCTL.read_text(encoding="utf-8")
    put(root, "usr/local/bin/systemctl", f"#!{python}\n{text}", 0o755)


def mount(*arguments: str | Path) -> str:
    """A line of shell that mounts; the last argument is the place, which is made."""
    return shlex.join(["mount", "-o", "X-mount.mkdir", *map(str, arguments)]) + "\n"


def source_repository(host: Machine, name: str, files: Path) -> None:
    """A git repository there that has the files of a directory here, on its branch main."""
    git = "git -c user.name=test -c user.email=test@example.org"
    host.mount(
        f"cp -a {files} {host.root}{name}; cd {host.root}{name}; git init -q -b main; git add -A; "
        f"{git} commit -qm 'A release'"
    )
