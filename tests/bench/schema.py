"""Thousands of requests made from the API's schema; what is wrong with their answers, a line each.

``python -m tests.bench.schema --examples 30``. Ends with 1 where something is wrong. The suite
sends a few of the same (tests/api/test_schema_cases.py).
"""

from __future__ import annotations

import argparse
import logging
import sys
import time

from tests.scratch_database import scratch_database


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=30, help="of each call, right and wrong")
    examples = parser.parse_args().examples
    began = time.process_time()
    with scratch_database():
        logging.disable()
        # They know models.
        from arboris.tokens import service as tokens
        from tests.every_object import make_all
        from tests.factories import make_project, make_user
        from tests.schema_cases import findings, one_connection

        writer = make_user("writer")
        known = make_all(writer, make_project(writer))
        headers = {"Authorization": f"Token {tokens.issue(writer)}"}
        with one_connection():
            sent, found = findings(headers, known, examples)
    for line in found:
        print(line)
    seconds = time.process_time() - began
    print(f"{sent} cases, {len(found)} findings, {seconds:.0f} s of processor time")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
