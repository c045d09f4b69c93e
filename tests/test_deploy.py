"""What is deployed beside the program: Prometheus' rules."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RULES = ROOT / "deploy" / "prometheus"


def test_a_paused_queue_rings_nothing_critical() -> None:
    """The rule reads the age of what may begin, not how much is pending."""
    text = (RULES / "arboris.rules.yml").read_text(encoding="utf-8")
    _, _, rule = text.partition("alert: ArborisQueueStands")
    expression = rule.partition("expr:")[2].partition("for:")[0]
    assert "pending_analysis_oldest_age_seconds" in expression
    assert 'status="pending"' not in expression
