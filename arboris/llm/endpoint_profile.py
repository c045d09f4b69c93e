"""What this process has learned about each endpoint: one profile for each model at an address.

Endpoints differ in what they accept. A request that is refused is made again in the next form,
and the form that was accepted is remembered for as long as the process lives.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from django.conf import settings

AnswerForm = Literal["schema", "json", "words"]
TokenLimit = Literal["max_tokens", "max_completion_tokens"]
# The names under which endpoints know the token limit of an answer. More endpoints know the first;
# one that refuses it says so by name. None: send no limit.
TOKEN_LIMITS: tuple[TokenLimit | None, ...] = ("max_tokens", "max_completion_tokens", None)


@dataclass(frozen=True, slots=True)
class RequestForm:
    """What a request asks for beside its messages."""

    # How the answer is held to a form: by a JSON schema, as any JSON object, or by words alone.
    answer: AnswerForm = "words"
    report_usage: bool = True
    limit_tokens: bool = True


# The fullest form first.
STRUCTURED = (
    RequestForm("schema"),
    RequestForm("json"),
    RequestForm("words"),
    RequestForm("words", report_usage=False, limit_tokens=False),
)
TEXT = (
    RequestForm(),
    RequestForm(report_usage=False),
    RequestForm(report_usage=False, limit_tokens=False),
)


@dataclass(slots=True)
class AcceptedForm:
    """The forms of one kind of request, and which of them the endpoint has accepted."""

    forms: tuple[RequestForm, ...]
    accepted: int = 0

    def candidates(self) -> tuple[RequestForm, ...]:
        """The forms to try, in this order: the accepted one first."""
        return self.forms[self.accepted :]

    def accept(self, form: RequestForm) -> None:
        self.accepted = self.forms.index(form)

    def is_last(self, form: RequestForm) -> bool:
        return form == self.forms[-1]


@dataclass(slots=True)
class EndpointProfile:
    structured: AcceptedForm = field(default_factory=lambda: AcceptedForm(STRUCTURED))
    text: AcceptedForm = field(default_factory=lambda: AcceptedForm(TEXT))
    _token_limit: TokenLimit | None = TOKEN_LIMITS[0]

    @property
    def token_limit(self) -> TokenLimit | None:
        """The parameter that limits the answer; None where none is set or none is accepted."""
        return self._token_limit if settings.ARBORIS_LLM_MAX_TOKENS else None

    def refuse_token_limit(self, sent: TokenLimit) -> None:
        """Use the next parameter. Another call may have found out already."""
        if self._token_limit == sent:
            self._token_limit = TOKEN_LIMITS[TOKEN_LIMITS.index(sent) + 1]


_profiles: dict[tuple[str, str], EndpointProfile] = {}


def profile_of(model: str) -> EndpointProfile:
    """The profile of a model at the endpoint of the settings."""
    return _profiles.setdefault((settings.ARBORIS_LLM_BASE_URL, model), EndpointProfile())


def forget() -> None:
    """Forget every profile."""
    _profiles.clear()
