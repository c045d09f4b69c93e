"""Whether every .po is what the .mo beside it holds: ``python -m tests.catalogues``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("arboris", "analysis", "notifications")


def main() -> int:
    stale = [path for path in catalogues() if not is_compiled(path)]
    for path in stale:
        print(f"{path.relative_to(ROOT)} is not what its .mo holds: run make messages")
    return 1 if stale else 0


def catalogues() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("locale/*/LC_MESSAGES/*.po"))


def is_compiled(source: Path) -> bool:
    """Whether the .mo beside a .po holds its texts; their order and layout do not matter."""
    with tempfile.NamedTemporaryFile(suffix=".mo") as fresh:
        compile_it = ["msgfmt", "--check-format", "-o", fresh.name, str(source)]
        if subprocess.run(compile_it, check=False).returncode:
            return False
        expected, found = (
            subprocess.run(["msgunfmt", path], capture_output=True, check=False).stdout
            for path in (fresh.name, source.with_suffix(".mo"))
        )
    return expected == found


if __name__ == "__main__":
    sys.exit(main())
