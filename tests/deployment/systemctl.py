"""Stands in for systemctl where no systemd runs: the units are read, their programs are started.

What counts of a unit: Type, User, Group, Environment, EnvironmentFile, WorkingDirectory, UMask,
StateDirectory, RuntimeDirectory, LimitNOFILE, ExecStartPre, ExecStart, ExecReload, ExecStop,
KillSignal, PIDFile, TimeoutStopSec. Not its sandbox, its order, nor Restart: systemd-analyze
looks at those. What a service prints goes to /var/log/units/NAME.log.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import re
import resource
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

UNITS = [Path(place) for place in ("/etc/systemd/system", "/usr/lib/systemd/system")]
STATE = Path("/run/units")
LOGS = Path("/var/log/units")
START_WITHIN_SECONDS = 300
VERBS = {"start", "stop", "restart", "reload", "enable", "disable", "is-active", "daemon-reload"}


class Unit:
    """One service as its file describes it, with its instance put in."""

    def __init__(self, name: str) -> None:
        self.name = name.removesuffix(".service")
        template, at, self.instance = self.name.partition("@")
        self.settings: dict[str, list[str]] = defaultdict(list)
        text = _file_of(f"{template}{at}.service").read_text(encoding="utf-8")
        for line in re.sub(r"\\\n", " ", text).splitlines():
            key, equals, value = line.partition("=")
            if equals and not line.startswith(("#", ";")):
                value = value.strip().replace("%i", self.instance).replace("%I", self.instance)
                self.settings[key.strip()].append(value)

    def one(self, key: str, default: str = "") -> str:
        return self.settings[key][-1] if self.settings[key] else default

    @property
    def pid_file(self) -> Path:
        return STATE / f"{self.name}.pid"

    def pid(self) -> int | None:
        """The main process, while it runs."""
        try:
            pid = int(self.pid_file.read_text())
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, ValueError):
            return None
        return None if state == "Z" else pid

    def environment(self) -> dict[str, str]:
        env = {"PATH": os.environ["PATH"], "LANG": os.environ.get("LANG", "C.UTF-8")}
        for line in self.settings["Environment"]:
            env |= dict(piece.split("=", 1) for piece in shlex.split(line))
        for file in self.settings["EnvironmentFile"]:
            path = Path(file.removeprefix("-"))
            if path.exists() or not file.startswith("-"):
                for line in path.read_text(encoding="utf-8").splitlines():
                    name, equals, value = line.partition("=")
                    if equals and not line.startswith(("#", ";")):
                        env[name] = value.strip().strip("'\"")
        return env

    def command(self, line: str, env: dict[str, str]) -> tuple[list[str], bool, bool]:
        """Arguments, whether it may fail, and whether it runs as root."""
        prefix = re.match(r"[-@:+!]*", line)[0]  # type: ignore[index]
        words: list[str] = []
        for word in shlex.split(line[len(prefix) :]):
            if whole := re.fullmatch(r"\$(\w+)", word):
                words += env.get(whole[1], "").split()
            else:
                words.append(re.sub(r"\$\{(\w+)\}", lambda it: env.get(it[1], ""), word))
        return words, "-" in prefix, "+" in prefix or "!" in prefix

    def run(self, line: str, env: dict[str, str]) -> None:
        words, may_fail, as_root = self.command(line, env)
        code = self.spawn(words, env, as_root).wait()
        if code and not may_fail:
            sys.exit(f"systemctl: {self.name}: {words} ended with {code}")

    def spawn(
        self, words: list[str], env: dict[str, str], as_root: bool = False
    ) -> subprocess.Popen[bytes]:
        LOGS.mkdir(exist_ok=True)
        account = pwd.getpwnam("root" if as_root else self.one("User", "root"))
        group = account.pw_gid
        if self.one("Group") and not as_root:
            group = grp.getgrnam(self.one("Group")).gr_gid
        # Inherited, since the service's user may not raise it; in a container nor may root.
        if limit := int(self.one("LimitNOFILE", "0")):
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, hard), hard))
        with (LOGS / f"{self.name}.log").open("ab") as log:
            return subprocess.Popen(
                words, env=env, cwd=self.one("WorkingDirectory", "/"), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
                user=account.pw_uid, group=group, umask=int(self.one("UMask", "022"), 8),
                extra_groups=os.getgrouplist(account.pw_name, group),
            )  # fmt: skip

    def directories(self, env: dict[str, str]) -> None:
        for key, base in (("StateDirectory", "/var/lib"), ("RuntimeDirectory", "/run")):
            for name in self.one(key).split():
                place = Path(base, name)
                place.mkdir(parents=True, exist_ok=True)
                place.chmod(int(self.one(f"{key}Mode", "0755"), 8))
                account = pwd.getpwnam(self.one("User", "root"))
                os.chown(place, account.pw_uid, account.pw_gid)

    def start(self) -> None:
        if self.pid():
            return
        STATE.mkdir(exist_ok=True)
        env = self.environment()
        self.directories(env)
        for line in self.settings["ExecStartPre"]:
            self.run(line, env)
        (line,) = self.settings["ExecStart"]
        if self.one("Type") == "forking":
            self.run(line, env)
            main = int(Path(self.one("PIDFile")).read_text())
        else:
            main = self.start_main(line, env)
        self.pid_file.write_text(str(main))

    def start_main(self, line: str, env: dict[str, str]) -> int:
        words, _, as_root = self.command(line, env)
        if not self.one("Type").startswith("notify"):
            return self.spawn(words, env, as_root).pid
        address = STATE / f"{self.name}.notify"
        address.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.bind(str(address))
            address.chmod(0o777)
            told.settimeout(1)
            process = self.spawn(words, env | {"NOTIFY_SOCKET": str(address)}, as_root)
            deadline = time.monotonic() + START_WITHIN_SECONDS
            while True:
                try:
                    if b"READY=1" in told.recv(4096):
                        return process.pid
                except TimeoutError:
                    pass
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"systemctl: {self.name} did not start, see {LOGS}")

    def stop(self) -> None:
        pid = self.pid()
        if pid is None:
            print(f"systemctl: {self.name} was not running", file=sys.stderr)
            return
        for line in self.settings["ExecStop"]:
            self.run(line, self.environment())
        deadline = time.monotonic() + float(self.one("TimeoutStopSec") or 90)
        if self.pid():
            os.kill(pid, signal.Signals[self.one("KillSignal", "SIGTERM")])
        while self.pid() and time.monotonic() < deadline:
            time.sleep(0.02)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        self.pid_file.unlink()

    def reload(self) -> None:
        for line in self.settings["ExecReload"]:
            self.run(line, self.environment())


def _file_of(name: str) -> Path:
    for place in UNITS:
        if (place / name).exists():
            return place / name
    sys.exit(f"systemctl: Unit {name} not found.")


def main(arguments: list[str]) -> None:
    now = "--now" in arguments
    verb, *names = [word for word in arguments if not word.startswith("--")]
    if verb not in VERBS:
        sys.exit(f"systemctl: the stand-in knows no {verb}")
    units = [Unit(name) for name in names]
    for unit in units:
        if verb in {"stop", "restart"} or (verb == "disable" and now):
            unit.stop()
        if verb in {"start", "restart"} or (verb == "enable" and now):
            unit.start()
        if verb == "reload":
            unit.reload()
        if verb == "is-active" and unit.pid() is None:
            sys.exit(3)


if __name__ == "__main__":
    main(sys.argv[1:])
