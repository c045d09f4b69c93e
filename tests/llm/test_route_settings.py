"""Endpoints and routes in the environment: what is wrong stops the start, and names the setting."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from arboris import checks
from arboris.llm.routes import Entry, Target
from tests.test_env import load

ENDPOINTS = "ARBORIS_LLM_ENDPOINTS"
ROUTES = "ARBORIS_LLM_ROUTES"
BIG = '{"base_url": "https://big.example/v1", "model": "m", "models": ["n"]}'


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        (ENDPOINTS, "{", "no JSON"),
        (ENDPOINTS, '["sk-secret"]', "no JSON object of objects"),
        (ENDPOINTS, '{"Big One": {}}', "'Big One' is no name"),
        (ENDPOINTS, '{"default": {}}', "'default' is no name"),
        (ENDPOINTS, '{"a": {"model": "m"}}', "'a' needs base_url"),
        (ENDPOINTS, '{"a": {"base_url": "https://a.example"}}', "'a' needs model"),
        (ENDPOINTS, '{"a": {"base_url": "a.example", "model": "m"}}', "'a': base_url: the address"),
        (ENDPOINTS, '{"a": {"key": "sk-secret"}}', "'a' has unknown fields: key"),
        (ENDPOINTS, '{"a": {"model": 1}}', "'a': every field is a text"),
        (
            ENDPOINTS,
            '{"a": {"base_url": "https://a.example", "model": "m", "api_key_file": "/nowhere"}}',
            "'a': cannot read api_key_file",
        ),
        (ROUTES, "[]", "no JSON object of objects"),
        (ROUTES, '{"*": {"endpoint": "bigger"}}', "'*': no endpoint is called 'bigger'"),
        (ROUTES, '{"*": {"endpoint": "big", "model": "x"}}', "'*': 'big' does not allow the model"),
        (ROUTES, '{"*": {"effort": "extreme"}}', "'*': effort has to be one of"),
        (ROUTES, '{"*": {"temperature": 3}}', "'*': temperature has to be a number from 0 to 2"),
        (ROUTES, '{"*": {"temperature": true}}', "'*': temperature"),
        (ROUTES, '{"*": {"fallback": {}}}', "'*': fallback needs an endpoint or a model"),
        (ROUTES, '{"*": {"fallback": "big"}}', "'*': fallback has to be an object"),
        (ROUTES, '{"*": {"choices": "m"}}', "'*': choices has to be a list of models"),
        (ROUTES, '{"*": {"modle": "m"}}', "'*' has unknown fields: modle"),
    ],
)
def test_a_wrong_setting_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    given = {ENDPOINTS: f'{{"big": {BIG}}}'} | {name: value}
    with pytest.raises(ImproperlyConfigured) as raised:
        load(tmp_path, monkeypatch, **given)
    error = str(raised.value)
    assert error.startswith(f"{name}: ")
    assert told in error
    assert "sk-secret" not in error


def test_a_key_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("sk-of-a-file\n")
    big = BIG.replace("}", f', "api_key_file": "{tmp_path}/key"}}')
    found = load(tmp_path, monkeypatch, **{ENDPOINTS: f'{{"big": {big}}}'})
    assert found["ARBORIS_LLM_ENDPOINTS"]["big"].api_key == "sk-of-a-file"
    assert "sk-of-a-file" not in repr(found["ARBORIS_LLM_ENDPOINTS"])


def test_routes_that_do_not_fit_together_are_errors(settings: Settings) -> None:
    settings.ARBORIS_LLM_MODEL = "own"
    settings.ARBORIS_LLM_MODELS = ["other"]
    settings.ARBORIS_LLM_ROUTES = {
        "writing": Entry(),
        "*": Entry(fallback=Target(model="other")),
        "summary": Entry(model="unlisted"),
        "generation": Entry(choices=("own", "dear")),
    }
    told = [error.msg for error in checks.routes_are_for_what_there_is()]
    assert [error.split(": ")[1] for error in told] == [
        "'writing' is no purpose",
        "'summary'",
        "'generation'",
    ]
    assert all(error.startswith("ARBORIS_LLM_ROUTES: ") for error in told)
    assert "'unlisted'" in told[1]
    assert "'dear'" in told[2]
