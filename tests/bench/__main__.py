"""``python -m tests.bench [name …]``: every figure that the documentation names, one after the
other.

Each is a module of its own with options of its own: ``python -m tests.bench.drain --help``. Nothing
else should run meanwhile. What the machine lacks is said, and ends the whole with 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# By name: what it measures, and its module with options; in the order in which they are run.
BENCHES = {
    "chapter": ("a chapter from its saving to the toast", ["chapter"]),
    "prompts": ("tokens of the questions about a chapter, by a model", ["prompts"]),
    "reading": ("a chapter read by a model and offline, and a worker's memory", ["reading"]),
    "typing": ("a key on the desk, at 100,000 characters", ["typing"]),
    "fold": ("one more chapter in the bible of a long novel", ["fold"]),
    "novel": ("the next chapter of a long novel", ["novel"]),
    "pickup": ("from commit to start, idle cost and memory", ["pickup"]),
    "poll": ("from commit to start by poll alone", ["pickup", "--poll", "--idle", "0"]),
    "drain": ("2,000 tasks, beside Celery and django-q2", ["drain", "--peers"]),
    "chapters": ("300 real chapters, beside bare processes with the same analyzer", ["chapters"]),
    "full": ("100,000 tasks", ["drain", "--tasks", "100000", "--rounds", "1"]),
    "pages": ("what the lists of the admin cost, of a million rows each", ["pages"]),
    "bulk": ("50,000 analyses retried, reordered and cancelled at once", ["bulk"]),
    "admission": ("whether anybody can stall a web process", ["admission"]),
    "load": ("200 writers for ten minutes while staff look at every list", ["load"]),
    "outage": ("the database gone for a minute", ["outage"]),
    "schema": ("thousands of requests made from the API's schema", ["schema"]),
    "pressure": ("the queue beside held snapshots, kills, no connections", ["pressure"]),
    "hosts": ("several hosts: cut cables, lost power, wrong clocks (as root)", ["hosts"]),
    "spread": ("1, 2 and 4 worker hosts against a slow endpoint", ["hosts", "--throughput"]),
    "chaos": ("50 rounds of kill -9", ["chaos", "--rounds", "50"]),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"  {name:8} {what}" for name, (what, _) in BENCHES.items()),
    )
    parser.add_argument("names", nargs="*", metavar="name", help="which (all)")
    names = parser.parse_args().names or list(BENCHES)
    if unknown := sorted(set(names) - set(BENCHES)):
        parser.error(f"name: there is no {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    failed = []
    for name in names:
        what, (module, *options) = BENCHES[name]
        print(f"── {name}: {what}", file=sys.stderr, flush=True)
        started = time.monotonic()
        command = [sys.executable, "-m", f"tests.bench.{module}", *options]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            failed.append(name)
        print(f"   {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
