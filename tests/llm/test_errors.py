"""An error's class says all there is to say about it; nothing else lists the errors."""

from __future__ import annotations

import re

import pytest
from django.utils import translation

from analysis.errors import ERRORS, sentence_for
from arboris.llm.errors import LLMError


@pytest.mark.parametrize("code", ERRORS)
def test_every_code_has_a_translated_sentence(code: str) -> None:
    with translation.override("zh-hans"):
        assert re.search(r"[\u4e00-\u9fff]", sentence_for(code))
    with translation.override("en"):
        assert sentence_for(code) == ERRORS[code].sentence


def test_the_codes_of_the_model_are_stable() -> None:
    """They are stored with analyses and sent by the API."""
    assert {code for code, kind in ERRORS.items() if issubclass(kind, LLMError)} == {
        "over_budget",
        *(
            f"llm_{name}"
            for name in (
                *("not_configured", "key_refused", "no_credit", "model_unknown"),
                *("request_refused", "prompt_too_long", "filtered", "rate_limited"),
                *("overloaded", "server_error", "timeout", "unreachable", "bad_answer"),
                *("empty", "truncated", "too_large", "busy"),
            )
        ),
    }
