"""``manage.py eval_analyzer``: what it hands to the scorer, and what it says of bad data."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.analysis.test_local_analyzer import ZH

SCORER = """import json, sys
rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
print(json.dumps({"rows": rows, "flags": sys.argv[2:]}, ensure_ascii=False))
"""


def kit(folder: Path, *lines: str, scorer: str = SCORER) -> str:
    (folder / "docs.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "score.py").write_text(scorer, encoding="utf-8")
    return str(folder)


@pytest.mark.process
def test_eval_analyzer_hands_the_names_to_the_scorer(tmp_path: Path) -> None:
    row = json.dumps({"doc_id": "d1", "lang": "zh", "text": ZH})
    out = io.StringIO()
    call_command("eval_analyzer", kit(tmp_path, row, ""), "--per-doc", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert told["flags"] == ["--json", "--per-doc"]
    (document,) = told["rows"]
    assert {"name": "陆清河", "aliases": ["清河"]} in document["characters"]
    assert "青石镇" in [x["name"] for x in document["locations"]]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{", 1),
        ('{"doc_id": "d1"}', 1),
        ('{"doc_id": "d1", "lang": "fr", "text": "x"}', 1),
        ("[]", 1),
    ],
)
def test_eval_analyzer_names_the_bad_line(tmp_path: Path, line: str, code: int) -> None:
    with pytest.raises(CommandError, match="2") as refused:
        call_command("eval_analyzer", kit(tmp_path, "", line), stderr=io.StringIO())
    assert refused.value.returncode == code


def test_eval_analyzer_needs_both_files(tmp_path: Path) -> None:
    for directory in (tmp_path / "none", tmp_path):
        with pytest.raises(CommandError) as refused:
            call_command("eval_analyzer", str(directory))
        assert refused.value.returncode == 2


@pytest.mark.process
def test_eval_analyzer_reports_a_failing_scorer(tmp_path: Path) -> None:
    folder = kit(tmp_path, scorer="import sys; sys.exit(3)")
    with pytest.raises(CommandError) as refused:
        call_command("eval_analyzer", folder)
    assert refused.value.returncode == 1
