"""The peers' virtual environment, ``.venv-peers``: Arboris' own packages and the peers' beside
them.

Apart from ``.venv``, so that nobody who only uses or tests Arboris has to install its peers.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PLACE = ROOT / ".venv-peers"
LOCKS = (ROOT / "requirements.txt", Path(__file__).with_name("requirements.txt"))


def python() -> Path:
    """The interpreter of the environment, which is made first where it is missing or out of
    date."""
    interpreter, stamp = PLACE / "bin" / "python", PLACE / ".stamp"
    wanted = _fingerprint()
    if not stamp.is_file() or stamp.read_text() != wanted:
        _make(interpreter)
        # Last of all: an installation that was broken off starts anew.
        stamp.write_text(wanted)
    return interpreter


def _make(interpreter: Path) -> None:
    print(f"installing {PLACE.name} (a first time takes some minutes)", file=sys.stderr)
    venv.create(PLACE, clear=True, with_pip=True)
    command: list[str | Path] = [interpreter, "-m", "pip", "install", "-qq", "--require-hashes"]
    for lock in LOCKS:
        command += ["-r", lock]
    # Standard output is the benchmark's alone. mysqlclient is compiled here, as deploy/setup.sh
    # does.
    subprocess.run(command, check=True, cwd=ROOT, stdout=sys.stderr)


def _fingerprint() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for lock in LOCKS:
        digest.update(lock.read_bytes())
    return digest.hexdigest()
