"""What every JSON endpoint shares: bounded bodies, one error shape, query parameters."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions, serializers, status
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import exception_handler as drf_exception_handler

from arboris.db import is_away, is_full

log = logging.getLogger(__name__)

HIGHEST_ID = 2**63 - 1  # of a BigAutoField


class TooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class Conflict(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class TooMany(exceptions.APIException):
    """``wait``: seconds, of the Retry-After header."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_code = "too_many"

    def __init__(self, detail: str, code: str, wait: int = 60) -> None:
        super().__init__(detail, code)
        self.wait = wait


class PaymentRequired(exceptions.APIException):
    status_code = status.HTTP_402_PAYMENT_REQUIRED
    default_code = "payment_required"


class Unavailable(exceptions.APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "unavailable"


class DatabaseUnavailable(Unavailable):
    default_code = "database_unavailable"
    wait = 5  # seconds; becomes the Retry-After header


class StorageFull(exceptions.APIException):
    status_code = status.HTTP_507_INSUFFICIENT_STORAGE
    default_code = "storage_full"
    wait = 60  # somebody has to make room first


class WriterRate(ScopedRateThrottle):
    """How often one writer may make a call that is dear: by the view's ``throttle_scope``."""

    # Nobody sets this clock: by time.time a call of a future that was taken back counts for hours.
    # The counts are this process's own, as the clock is.
    timer = time.monotonic

    def get_rate(self) -> str:
        rates: Any = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
        return str(rates[self.scope])


class AnyAccept(DefaultContentNegotiation):
    """Leave Accept and ``?format=`` to the view; errors are JSON whatever was asked for."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type or "application/json"


class MessageSerializer(serializers.Serializer[Any]):
    """The answer of a call that changes something: a sentence for the writer."""

    message = serializers.CharField()


class ErrorSerializer(serializers.Serializer[Any]):
    """The answer of a call that was refused; a view names it where ``arboris.api_schema`` does not
    know the status."""

    detail = serializers.CharField()
    code = serializers.CharField()


class BoundedJSONParser(JSONParser):
    """One JSON object. DATA_UPLOAD_MAX_MEMORY_SIZE bounds its size, see exception_handler."""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        try:
            data: Any = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise exceptions.ParseError(_("The JSON is nested too deeply.")) from None
        except exceptions.ParseError as error:
            raise exceptions.ParseError(_not_json(error.__context__)) from None
        if not isinstance(data, dict):
            raise exceptions.ParseError(_("The request has to be a JSON object."))
        return data


def _not_json(reason: BaseException | None) -> str:
    if isinstance(reason, json.JSONDecodeError):
        return _("The request is not valid JSON (line %(line)d, column %(column)d).") % {
            "line": reason.lineno,
            "column": reason.colno,
        }
    return _("The request is not valid JSON.")


class FormParser(MultiPartParser):
    """multipart/form-data, with a sentence of ours where it cannot be read."""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except exceptions.ParseError:
            raise exceptions.ParseError(_("The form data cannot be read.")) from None


def as_api_error(error: Exception) -> Exception:
    """The APIException that tells a caller of an error of Django or the database, or the error."""
    if isinstance(error, RequestDataTooBig):
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        return TooLarge(_("The request is larger than %(limit)d bytes.") % {"limit": limit})
    # ObjectDoesNotExist: it was deleted after the view had looked whose it is.
    if isinstance(error, Http404 | ObjectDoesNotExist):
        return exceptions.NotFound(_("Not found."))
    if is_full(error):
        log.error("The disk is full: %s", error)
        return StorageFull(
            _("The server's disk is full, nothing was saved. Keep your text and try again later.")
        )
    # A read-only PostgreSQL speaks of an InternalError.
    if isinstance(error, OperationalError | InterfaceError) or is_away(error):
        log.error("The database failed: %s", error)
        return DatabaseUnavailable(_("The database cannot be reached. Try again in a moment."))
    if isinstance(error, exceptions.PermissionDenied) and str(error.detail).startswith(
        "CSRF Failed"
    ):
        return exceptions.PermissionDenied(
            _("The CSRF token is missing or wrong. Load the page again."), "csrf_failed"
        )
    return error


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's answer as ``{"detail", "code"}``, with the fields at fault beside them."""
    error = as_api_error(error)
    response = drf_exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        fields = encodable(
            error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
        )
        response.data = {**fields, "detail": first_sentence(fields), "code": "invalid"}
    else:
        detail = response.data.get("detail", "")
        code = getattr(detail, "code", None) or getattr(error, "default_code", "error")
        response.data = {"detail": str(detail), "code": code}
    return response


def encodable(value: Any) -> Any:
    """The same without half characters: what a caller sent may stand in what they are told."""
    if isinstance(value, dict):
        return {encodable(key): encodable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [encodable(item) for item in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def first_sentence(fields: Any, name: str = "") -> str:
    """The first message in a tree of field errors, led by the path of its field."""
    if isinstance(fields, dict):
        key, value = next(iter(fields.items()))
        path = name if key == "non_field_errors" else f"{name}.{key}" if name else str(key)
        return first_sentence(value, path)
    if isinstance(fields, list):
        filled = [item for item in fields if item]
        return first_sentence(filled[0], name) if filled else name
    return f"{name}: {fields}" if name else str(fields)


def outage(error: BaseException | None) -> DatabaseUnavailable | StorageFull | None:
    """The answer to an error that is none of ours: the database is away, or its disk is full."""
    known = as_api_error(error) if isinstance(error, Exception) else None
    return known if isinstance(known, DatabaseUnavailable | StorageFull) else None


def error_response(request: HttpRequest, code: str, detail: str, status_code: int) -> JsonResponse:
    return JsonResponse({"detail": detail, "code": code}, status=status_code)


def whole_parameter(
    request: Request, name: str, default: int, *, low: int = 1, high: int = 100
) -> int:
    """A whole number from the query string; a 400 that names the parameter otherwise."""
    value = request.query_params.get(name)
    if value is None or value == "":
        return default
    try:
        number = int(value)
    except ValueError:
        raise exceptions.ValidationError({name: [_("A whole number is required.")]}) from None
    if not low <= number <= high:
        raise exceptions.ValidationError(
            {name: [_("Must be between %(low)d and %(high)d.") % {"low": low, "high": high}]}
        )
    return number


def flag_parameter(request: Request, name: str) -> bool:
    value = request.query_params.get(name, "").lower()
    if value in {"", "false", "0", "no"}:
        return False
    if value in {"true", "1", "yes"}:
        return True
    raise exceptions.ValidationError({name: [_("Must be true or false.")]})


def uuid_parameter(request: Request, name: str) -> uuid.UUID | None:
    value = request.query_params.get(name)
    if not value:
        return None
    try:
        return uuid.UUID(value)
    except ValueError:
        raise exceptions.ValidationError({name: [_("Must be a valid UUID.")]}) from None
