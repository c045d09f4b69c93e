"""``manage.py eval_analyzer``: what it hands to the scorer, and what it says of bad data."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from analysis.evaluation.counts import interval
from analysis.evaluation.documents import answers, documents, stories
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


STORY = (
    """陆清河推开客栈的门。“陆清河来了。”江九娘笑道。陆清河没有答话。江九娘给陆清河倒了一碗酒。"""
)


@pytest.mark.process
def test_eval_analyzer_measures_against_the_answers(tmp_path: Path) -> None:
    """Found, missed and wrong are counted, by kind, and a story's people by their names."""
    people: list[dict[str, object]] = [
        {"name": n, "aliases": [], "mentions": 2} for n in ("陆清河", "江九娘", "沈小满")
    ]
    kit_of = {
        "docs": {"doc_id": "d1", "lang": "zh", "text": STORY},
        "gold": {
            "doc_id": "d1",
            "characters": people,
            "locations": [],
            "organizations": [],
            "optional": {},
        },
        "stories": {
            "chapters": ["d1"],
            "people": [{"name": n, "aliases": []} for n in ("陆清河", "江九娘")],
            "relations": [],
            "states": [],
            "threads": [],
            "contradictions": [],
        },
    }
    for name, row in kit_of.items():
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    out = io.StringIO()
    call_command("eval_analyzer", str(tmp_path), "--json", stdout=out)
    zh = json.loads(out.getvalue())["zh"]
    assert zh["names"]["characters"] == {"right": 2, "wrong": 0, "answers": 3}
    assert zh["top"] == {"right": 2, "wrong": 0, "answers": 3}
    assert (zh["story"]["people"], zh["story"]["merged"], zh["story"]["split"]) == (2, 0, 0)
    assert zh["story"]["characters"] == len(STORY)
    out = io.StringIO()
    call_command("eval_analyzer", str(tmp_path), stdout=out)
    assert "zh/characters" in out.getvalue()
    assert "0.667" in out.getvalue()


def test_the_answers_of_our_own_chapters_stand_in_them() -> None:
    folder = Path(__file__).resolve().parent.parent / "evaluation"
    texts = {doc.doc_id: doc.text for doc in documents(folder / "docs.jsonl")}
    for doc_id, row in answers(folder / "gold.jsonl").items():
        for key in ("characters", "locations", "organizations", "items"):
            for entity in row[key]:
                for form in [entity["name"], *entity["aliases"]]:
                    assert form in texts[doc_id], (doc_id, form)
    for story in stories(folder / "stories.jsonl"):
        chapters = [texts[doc_id] for doc_id in story["chapters"]]
        for thread in story["threads"]:
            assert thread["seed"] in chapters[thread["seed_chapter"] - 1]
            assert (
                not thread["payoff"] or thread["payoff"] in chapters[thread["payoff_chapter"] - 1]
            )
        for one in story["contradictions"]:
            assert one["earlier"] in chapters[one["earlier_chapter"] - 1]
            assert one["later"] in chapters[one["later_chapter"] - 1]


@pytest.mark.parametrize(
    ("right", "of", "low", "high"), [(0, 0, 0.0, 1.0), (8, 10, 0.49, 0.943), (10, 10, 0.722, 1.0)]
)
def test_the_interval_of_a_share(right: int, of: int, low: float, high: float) -> None:
    assert interval(right, of) == pytest.approx((low, high), abs=0.001)
