"""The real settings, with tasks that analyse nothing."""

from arboris.settings import *  # noqa: F403

ARBORIS_TASK_BODY = "tests.bench.noop.run"
