"""Tokens that calls have used: reported by the endpoint, else estimated."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Usage:
    """Tokens used so far. It grows while a call runs, so it is right however the call ends.

    ``estimated`` of them were not reported: the answer broke off, or the endpoint never reports.
    """

    prompt: int = 0
    completion: int = 0
    estimated: int = 0

    def add(self, other: Usage) -> None:
        self.prompt += other.prompt
        self.completion += other.completion
        self.estimated += other.estimated

    def estimate(self, asked: str, answered: str) -> None:
        prompt, completion = rough_tokens(asked), rough_tokens(answered)
        self.add(Usage(prompt, completion, prompt + completion))

    def as_dict(self) -> dict[str, int]:
        """Return ``prompt`` and ``completion``, and ``estimated`` where it is not 0."""
        plain = {"prompt": self.prompt, "completion": self.completion}
        return plain | ({"estimated": self.estimated} if self.estimated else {})


def rough_tokens(text: str) -> int:
    """Estimate the tokens: one for four Latin letters, one for each other character."""
    latin = sum(character.isascii() for character in text)
    return (latin + 3) // 4 + len(text) - latin
