"""Tokens that calls have cost: as the endpoint reports them, else estimated."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Usage:
    """Grows while a call runs, so that it is right however the call ends.

    ``estimated`` is how many of the tokens were never reported: the answer broke off, or the
    endpoint does not tell.
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
        """``prompt`` and ``completion``, and ``estimated`` where there is something to tell."""
        plain = {"prompt": self.prompt, "completion": self.completion}
        return plain | ({"estimated": self.estimated} if self.estimated else {})


def rough_tokens(text: str) -> int:
    """About four Latin letters a token, and about one Chinese character."""
    latin = sum(character.isascii() for character in text)
    return (latin + 3) // 4 + len(text) - latin
