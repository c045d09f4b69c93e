"""Which model does what: endpoint, model, effort and temperature for each purpose.

``ARBORIS_LLM_ROUTES`` has an entry for each purpose that differs; what one leaves open is as in the
wider one: a feature of the analysis as "analysis", all as "*". Staff may have other entries in the
database: ``route_table``. This module knows no database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from arboris.llm import endpoints
from arboris.llm.effort import ANY
from arboris.llm.endpoints import DEFAULT, Endpoint
from arboris.llm.request_body import EFFORTS, Effort

GENERATION, SUMMARY, ANALYSIS = "generation", "summary", "analysis"
HOTTEST = 2.0
_FIELDS = {"endpoint", "model", "effort", "temperature", "fallback", "choices"}


@dataclass(frozen=True, slots=True)
class Target:
    """A model at an endpoint; an empty one is the endpoint's own."""

    endpoint: str = DEFAULT
    model: str = ""

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.model}" if self.model else self.endpoint


OWN = Target()


@dataclass(frozen=True, slots=True)
class Entry:
    """What is said of one purpose; what is None or empty is as in the wider entry.

    ``choices``: the models that writers may choose instead.
    """

    endpoint: str = ""
    model: str = ""
    effort: Effort | None = None
    temperature: float | None = None
    fallback: Target | None = None
    choices: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """``targets`` are asked in their order, one where the one before cannot do it.

    ``main``: which of them is the site's own; those before it are a writer's choice.
    ``choices``: the models that writers may choose; None: whatever the endpoint takes.
    """

    targets: tuple[Target, ...] = (OWN,)
    main: int = 0
    effort: Effort | None = None
    temperature: float | None = None
    choices: tuple[str, ...] | None = None

    @property
    def allowed(self) -> tuple[str, ...] | None:
        """The models that a writer may choose; None: any."""
        if self.choices is not None:
            return self.choices
        return _listed(self.targets[self.main].endpoint)

    def allows(self, model: str) -> bool:
        return self.allowed is None or model in self.allowed

    def choosing(self, model: str | None) -> Route:
        """With a writer's choice; what is not allowed (any more) is done without.

        Where the choice is one of a list, the site's own model takes its place if it fails.
        """
        if not model or not self.allows(model):
            return self
        own, *others = self.targets[self.main :]
        if self.allowed is None:
            return replace(self, targets=(Target(own.endpoint, model), *others), main=0)
        chosen = self.where(model)
        rest = tuple(target for target in (own, *others) if _full(target) != chosen)
        # Where the site's own model is chosen, that is the site's own way.
        main = 1 if own in rest else 0
        return replace(self, targets=(chosen, *rest), main=main)

    def not_allowed(self) -> Iterator[tuple[str, Target]]:
        """What no endpoint takes, with what it is to be: "own", "fallback" or "choices"."""
        parts = [("own" if at == self.main else "fallback", t) for at, t in enumerate(self.targets)]
        parts += [("choices", self.where(model)) for model in self.choices or ()]
        for part, target in parts:
            endpoint = endpoints.find(target.endpoint)
            if endpoint is not None and target.model and not endpoint.takes(target.model):
                yield part, target

    def where(self, model: str) -> Target:
        """A model that may be chosen, at the endpoint that lists it; else at the route's."""
        first = self.targets[self.main].endpoint
        order = [first, *(name for name in endpoints.names() if name != first)]
        known = filter(None, map(endpoints.find, order))
        lists = (one.name for one in known if model in (one.model, *one.models))
        return Target(next(lists, first), model)


def route_of(purpose: str, overrides: Mapping[str, Entry] | None = None) -> Route:
    """Return the route of a purpose; the entries of ``overrides`` go before the settings'."""
    of_settings: Mapping[str, Entry] = settings.ARBORIS_LLM_ROUTES
    tables = (overrides or {}, of_settings)
    entries = [t[scope] for scope in wider(purpose) for t in tables if scope in t]
    endpoint, model = DEFAULT, ""
    for entry in entries:
        model = model or entry.model
        if entry.endpoint:
            endpoint = entry.endpoint
            break
    fallback = next((entry.fallback for entry in entries if entry.fallback), None)
    own = Target(endpoint, model)
    efforts: Mapping[str, Effort] = settings.ARBORIS_LLM_EFFORT
    effort = next((entry.effort for entry in entries if entry.effort), None)
    return Route(
        targets=(own, fallback) if fallback and _full(fallback) != _full(own) else (own,),
        effort=effort or efforts.get(purpose) or efforts.get(ANY),
        temperature=_first(entry.temperature for entry in entries),
        choices=_first(entry.choices for entry in entries),
    )


def wider(purpose: str) -> tuple[str, ...]:
    """The purpose, and those that say what its entry leaves open."""
    apart = purpose in (GENERATION, SUMMARY, ANALYSIS, ANY, "other")
    return tuple(dict.fromkeys((purpose, ANY) if apart else (purpose, ANALYSIS, ANY)))


def _first(values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _full(target: Target) -> Target:
    """With the model's name where it is the endpoint's own."""
    endpoint = endpoints.find(target.endpoint)
    return Target(target.endpoint, target.model or endpoint.model) if endpoint else target


def _listed(endpoint: str) -> tuple[str, ...] | None:
    found = endpoints.find(endpoint)
    return (found.listed or None) if found else ()


def table(name: str, text: str, others: Mapping[str, Endpoint]) -> dict[str, Entry]:
    """Read the routes from JSON: ``{"generation": {"endpoint": "big", "effort": "high"}, …}``.

    ``others``: the endpoints besides the default one. Raises ImproperlyConfigured with the
    setting's ``name``.
    """
    if not text:
        return {}
    found = endpoints.read_object(name, text)
    return {purpose: _entry(f"{name}: {purpose!r}", given, others)
            for purpose, given in found.items()}  # fmt: skip


def _entry(where: str, given: dict[str, Any], others: Mapping[str, Endpoint]) -> Entry:
    if unknown := given.keys() - _FIELDS:
        raise ImproperlyConfigured(f"{where} has unknown fields: {', '.join(sorted(unknown))}.")
    effort, temperature = given.get("effort"), given.get("temperature")
    if effort is not None and effort not in get_args(Effort):
        raise ImproperlyConfigured(f"{where}: effort has to be one of {', '.join(EFFORTS)}.")
    if temperature is not None and not _is_temperature(temperature):
        raise ImproperlyConfigured(f"{where}: temperature has to be a number from 0 to 2.")
    choices, fallback = given.get("choices"), given.get("fallback")
    if choices is not None and not (
        isinstance(choices, list) and all(isinstance(one, str) and one for one in choices)
    ):
        raise ImproperlyConfigured(f"{where}: choices has to be a list of models.")
    if fallback is not None and not isinstance(fallback, dict):
        raise ImproperlyConfigured(f"{where}: fallback has to be an object.")
    second = None if fallback is None else _target(f"{where}: fallback", fallback, others)
    if second == Target("", ""):
        raise ImproperlyConfigured(f"{where}: fallback needs an endpoint or a model.")
    own = _target(where, {key: given[key] for key in ("endpoint", "model") if key in given}, others)
    return Entry(
        own.endpoint,
        own.model,
        effort,
        temperature,
        second and replace(second, endpoint=second.endpoint or DEFAULT),
        None if choices is None else tuple(choices),
    )


def _is_temperature(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 <= value <= HOTTEST


def _target(where: str, given: dict[str, Any], others: Mapping[str, Endpoint]) -> Target:
    """Empty where nothing is said."""
    if unknown := given.keys() - {"endpoint", "model"}:
        raise ImproperlyConfigured(f"{where} has unknown fields: {', '.join(sorted(unknown))}.")
    endpoint, model = given.get("endpoint", ""), given.get("model", "")
    if not isinstance(endpoint, str) or not isinstance(model, str):
        raise ImproperlyConfigured(f"{where}: endpoint and model are texts.")
    if len(model) > endpoints.LONGEST_MODEL:
        raise ImproperlyConfigured(
            f"{where}: a model has at most {endpoints.LONGEST_MODEL} characters."
        )
    if endpoint and endpoint != DEFAULT and endpoint not in others:
        known = ", ".join([DEFAULT, *others])
        raise ImproperlyConfigured(f"{where}: no endpoint is called {endpoint!r} ({known}).")
    if endpoint in others and model and not others[endpoint].takes(model):
        raise ImproperlyConfigured(f"{where}: {endpoint!r} does not allow the model {model!r}.")
    return Target(endpoint, model)
