"""Commands of manage.py in forks of one process that has Django loaded: a start takes a second.

``python -m tests.forking`` is that process. Each line that it reads is a command line, quoted as
for a shell: assignments to the environment, the files for stdout and stderr, manage.py's arguments.
It writes the exit code of each, less than 0 where a signal ended it.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.checkout import ROOT


@dataclass(frozen=True)
class Forking:
    process: subprocess.Popen[str]

    def manage(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """``env`` comes too late for the settings, which are loaded."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with tempfile.TemporaryDirectory() as directory:
            out, err = Path(directory, "stdout"), Path(directory, "stderr")
            values = [f"{name}={value}" for name, value in env.items()]
            line = shlex.join([*values, str(out), str(err), *arguments])
            print(line, file=self.process.stdin, flush=True)
            code = int(self.process.stdout.readline())
            return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())


@contextlib.contextmanager
def forking(env: Mapping[str, str]) -> Iterator[Forking]:
    """With the settings of that environment."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.forking"],
        cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield Forking(process)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arboris.settings")
    import django

    from arboris.collector import collect_less_often, keep_what_is_loaded

    collect_less_often()
    django.setup()
    import arboris.urls  # noqa: F401 - the checks of some commands load all pages

    keep_what_is_loaded()
    for line in sys.stdin:
        if not (child := os.fork()):
            _become(shlex.split(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _become(words: list[str]) -> None:
    import manage

    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        os.environ[name] = value
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in enumerate(words[:2], 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    sys.argv = ["manage.py", *words[2:]]
    manage.main()
    sys.exit()


if __name__ == "__main__":
    main()
