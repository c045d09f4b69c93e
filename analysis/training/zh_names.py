"""Learns the weights of the verdict on Chinese names; a tool for developers.

    export DJANGO_SETTINGS_MODULE=arboris.settings
    python -m analysis.training.zh_names DIRECTORY... [--without DOC_ID...] [--check]

Each DIRECTORY holds docs.jsonl and gold.jsonl as ``make eval`` reads them; only their Chinese
documents are used. ``--check`` learns and judges with whole texts left out instead of writing
the weights. Never give it tests/evaluation: that measures what is learned here.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.analyzers.local.common.lac_model import MODELS
from analysis.analyzers.local.common.spans import Passages
from analysis.analyzers.local.zh.features import Features, is_word
from analysis.analyzers.local.zh.found import evidence
from analysis.analyzers.local.zh.names import ZhCandidates
from analysis.analyzers.local.zh.tokens import read_words
from analysis.analyzers.local.zh.verdict import KINDS, WEIGHTS

PENALTY = 15.0  # of the squared weights,
WORD_PENALTY = 5.0  # and of those of single characters and words, which are not scaled
# How much more probable than "nobody" a kind has to be: about where recall equals precision.
ODDS = {"person": 0.45, "world": 0.45}
_ODDS = (1.0, 0.7, 0.5, 0.35, 0.25)  # that --check tries
_STEPS, _RATE = 300, 0.05
_FOLDS = 5
_RARE = 5  # candidates with a feature, below which it gets no weight
_LISTS = {"person": "characters", "location": "locations", "faction": "organizations"}


@dataclass(frozen=True, slots=True)
class Case:
    doc_id: str
    form: str
    features: Features
    kind: int  # of KINDS


def cases(directory: Path, without: set[str]) -> Iterator[Case]:
    """The candidates of the Chinese documents, but those that may count as a name or not."""
    gold = {row["doc_id"]: row for row in _rows(directory / "gold.jsonl")}
    for doc in _rows(directory / "docs.jsonl"):
        if doc["lang"] != "zh" or doc["doc_id"] in without:
            continue
        text, answers = doc["text"], gold[doc["doc_id"]]
        kinds = kinds_of(answers)
        optional = {name for names in answers["optional"].values() for name in names}
        tagging = read_words(Passages(text, "zh"), MODELS.lac, lambda _: None)
        found = evidence(text, tagging, MODELS.lac, ZhCandidates(text, tagging.lines))
        for form in sorted(found.places):
            if form in kinds or form not in optional:
                kind = KINDS.index(kinds.get(form, "nobody"))
                yield Case(doc["doc_id"], form, found.of(form), kind)


def kinds_of(answers: dict[str, Any]) -> dict[str, str]:
    """Every form that the answers list, and what it names; a person outweighs a place."""
    kinds: dict[str, str] = {}
    for kind in ("faction", "location", "person"):
        for entity in answers[_LISTS[kind]]:
            kinds.update(dict.fromkeys([entity["name"], *entity["aliases"]], kind))
    return kinds


def learn(data: list[Case]) -> dict[str, list[float]]:
    """Weights by feature, one for each of KINDS: penalised maximum likelihood, by Adam."""
    names = _features(data)
    matrix = _matrix(data, names)
    answers = np.eye(len(KINDS), dtype=np.float32)[[case.kind for case in data]]
    spread = matrix.std(axis=0)
    spread[(spread == 0) | np.array([is_word(name) for name in names])] = 1
    matrix /= spread
    penalty = np.array([[_penalty(name)] for name in names], np.float32)
    weights = np.zeros((len(names), len(KINDS)), np.float32)
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, _STEPS + 1):
        slope = matrix.T @ (_softmax(matrix @ weights) - answers) + penalty * weights
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope**2
        pace = mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        weights -= _RATE * pace
    weights = weights / spread[:, None]
    return {name: [round(float(x), 4) for x in weights[at]] for at, name in enumerate(names)}


def check(data: list[Case]) -> None:
    """Prints precision, recall and F1 of forms, each text judged by weights of other texts."""
    fold = {doc: at % _FOLDS for at, doc in enumerate(sorted({c.doc_id for c in data}))}
    judged: list[tuple[int, Any]] = []
    for number in range(_FOLDS):
        weights = learn([c for c in data if fold[c.doc_id] != number])
        left_out = [c for c in data if fold[c.doc_id] == number]
        table = np.array([weights[name] for name in weights])
        chances = _softmax(_matrix(left_out, list(weights)) @ table)
        judged += zip([c.kind for c in left_out], chances, strict=True)
    for odds in _ODDS:
        sys.stdout.write(f"odds {odds}\n")
        for name, of in (("person", {1}), ("world", {2, 3})):
            told = [kind in of for kind, chances in judged if _told(chances, odds) == name]
            true = sum(kind in of for kind, _ in judged)
            p, r = sum(told) / max(1, len(told)), sum(told) / max(1, true)
            figures = f"P {p:.3f}  R {r:.3f}  F1 {2 * p * r / max(1e-9, p + r):.3f}  of {true}"
            sys.stdout.write(f"  {name:8} {figures}\n")


def _told(chances: Any, odds: float) -> str:
    nobody, person, world = chances[0], chances[1], chances[2:].sum()
    if max(person, world) <= odds * nobody:
        return "nobody"
    return "person" if person > world else "world"


def _features(data: list[Case]) -> list[str]:
    times = Counter(name for case in data for name, value in case.features.items() if value)
    return sorted(name for name, seen in times.items() if seen >= _RARE)


def _matrix(data: list[Case], names: list[str]) -> Any:
    """A row for each case, a column for each of ``names``."""
    at = {name: column for column, name in enumerate(names)}
    matrix = np.zeros((len(data), len(names)), np.float32)
    for row, case in enumerate(data):
        for name, value in case.features.items():
            if name in at:
                matrix[row, at[name]] = value
    return matrix


def _penalty(name: str) -> float:
    if name == "bias":
        return 0.0
    return WORD_PENALTY if is_word(name) else PENALTY


def _softmax(scores: Any) -> Any:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def _rows(path: Path) -> list[dict[str, Any]]:
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line.strip()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("directories", nargs="+", type=Path)
    parser.add_argument("--without", nargs="*", default=[], help="documents that are left out")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    data = [c for d in given.directories for c in cases(d, set(given.without))]
    if given.check:
        check(data)
        return
    told = json.loads(WEIGHTS.read_text(encoding="utf-8")) if WEIGHTS.exists() else {}
    _write(told | {"odds": ODDS, "kinds": list(KINDS)}, learn(data))


def _write(told: dict[str, Any], weights: dict[str, list[float]]) -> None:
    """One line a feature, so that a new training shows as what it changed."""
    lines = [f"  {_json(name)}: {_json(row)}" for name, row in weights.items()]
    top = [f" {_json(key)}: {_json(value)}" for key, value in told.items() if key != "weights"]
    top.append(' "weights": {\n' + ",\n".join(lines) + "\n }")
    WEIGHTS.write_text("{\n" + ",\n".join(top) + "\n}\n", encoding="utf-8")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    main()
