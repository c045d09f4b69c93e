import sys

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import include, path
from django.utils.translation import gettext as _
from django.views import csrf, defaults
from django_prometheus.exports import ExportToDjangoView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from analysis import health
from analysis.overview.views import overview
from arboris.accounts.token import TokenView
from arboris.operators_only import operators_only
from arboris.rest import DatabaseUnavailable, StorageFull, error_response, outage
from arboris.sign_in import limited

admin.site.site_header = admin.site.site_title = "Arboris"


def favicon(request: HttpRequest) -> HttpResponse:
    """What a browser asks for where a page names no icon: the admin, the API's answers."""
    return HttpResponseRedirect(static("icons/arboris.svg"))


class ApiDocs(SpectacularSwaggerView):
    """A page has nothing to tell an OPTIONS request: DRF would render it without a template."""

    http_method_names = ["get", "head"]


urlpatterns = [
    path("favicon.ico", favicon),
    path("", include("arboris.workspace.urls")),
    path("accounts/", include("arboris.accounts.urls")),
    path("api/auth/token", TokenView.as_view()),
    path("api/", include("arboris.workspace.api_urls")),
    path("api/async-analysis/", include("analysis.api.urls")),
    path("api/async-analysis/", include("notifications.api.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", ApiDocs.as_view(url_name="schema")),
    path("metrics", operators_only(ExportToDjangoView), name="metrics"),
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("admin/login/", limited(admin.site.login)),  # before the admin's own
    path("admin/overview", overview, name="admin-overview"),
    path("admin/", admin.site.urls),
]


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A page of the site, and JSON where a call came without the API's own answer: the sign-in."""
    if request.path.startswith("/api/"):
        text = _("The CSRF token is missing or wrong. Load the page again.")
        return error_response(request, "csrf_failed", text, 403)
    return csrf.csrf_failure(request, reason)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        return error_response(request, "not_found", _("Not found."), 404)
    return defaults.page_not_found(request, exception)


def handler500(request: HttpRequest) -> HttpResponse:
    away = outage(sys.exception())  # of a page, or of what lies around the API's views
    if away is not None:
        answer = _while_away(request, away)
        answer.headers["Retry-After"] = str(away.wait)
        return answer
    if request.path.startswith("/api/"):
        return error_response(request, "server_error", _("Something went wrong here."), 500)
    return defaults.server_error(request)


def _while_away(request: HttpRequest, away: DatabaseUnavailable | StorageFull) -> HttpResponse:
    if request.path.startswith("/api/"):
        return error_response(request, away.default_code, str(away.detail), away.status_code)
    answer = defaults.server_error(request)
    answer.status_code = away.status_code
    return answer
