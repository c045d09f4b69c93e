"""What is deployed beside the program: Prometheus' rules."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RULES = ROOT / "deploy" / "prometheus"


@pytest.mark.process
@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs the Debian package prometheus")
def test_the_rules_ring_when_they_should() -> None:
    command = ["promtool", "test", "rules", "arboris.rules.test.yml"]
    done = subprocess.run(command, cwd=RULES, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_paused_queue_rings_nothing_critical() -> None:
    """The rule reads the age of what may begin, not how much is pending."""
    text = (RULES / "arboris.rules.yml").read_text(encoding="utf-8")
    _, _, rule = text.partition("alert: ArborisQueueStands")
    expression = rule.partition("expr:")[2].partition("for:")[0]
    assert "pending_analysis_oldest_age_seconds" in expression
    assert 'status="pending"' not in expression
