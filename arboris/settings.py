"""The one settings file. Everything that differs between installations comes from the
environment."""

from __future__ import annotations

import sys
import warnings
from functools import partial
from pathlib import Path
from urllib.parse import quote

import django_stubs_ext
from django.utils.translation import gettext_lazy as _

from arboris import logs
from arboris.database_url import read_database_url, seconds_to_answer
from arboris.email_url import read_email_url
from arboris.env import Env
from arboris.llm_settings import *  # noqa: F403
from arboris.secret import secret_key
from arboris.web_settings import *  # noqa: F403

django_stubs_ext.monkeypatch()

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env.directory("ARBORIS_DATA_DIR", BASE_DIR / "data")

# --- security -----------------------------------------------------------------------------
DEBUG = env.flag("DJANGO_DEBUG", default=False)
ALLOWED_HOSTS = env.items("DJANGO_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_FAILURE_VIEW = "arboris.urls.csrf_failed"
CSRF_TRUSTED_ORIGINS = env.items("DJANGO_CSRF_TRUSTED_ORIGINS")
# Behind a proxy that ends TLS the whole site is https; on a bare loopback it is not.
HTTPS = env.flag("ARBORIS_HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS and env.flag("ARBORIS_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = env.whole(
    "ARBORIS_HSTS_SECONDS", 31_536_000 if HTTPS else 0, low=0, high=63_072_000
)
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
# It asks browsers' makers to know the domain as https for ever: nothing to do without being asked.
SECURE_HSTS_PRELOAD = HTTPS and env.flag("ARBORIS_HSTS_PRELOAD")
# What opens /metrics and the reasons of /readyz to who does not ask from this host itself.
ARBORIS_SCRAPE_TOKEN = env.secret("ARBORIS_SCRAPE_TOKEN", shortest=16)
if env.flag("ARBORIS_BEHIND_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"

# --- applications -------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "django_q",
    "django_prometheus",
    "allauth",
    "allauth.account",
    "allauth.usersessions",
    "arboris.accounts",
    "arboris.idempotency",
    "arboris.tokens",
    "arboris.llm",
    "arboris.novels",
    "arboris.bible",
    "arboris.workspace",
    "analysis",
    "notifications",
]
MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "arboris.middleware.request_id",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "arboris.middleware.Compression",
    "arboris.middleware.content_security_policy",
    "arboris.middleware.probes",  # before all that asks for the host
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "arboris.admission.remember_caller",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "arboris.urls"
if sys.argv[1:2] == ["runserver"]:
    # It replaces runserver with an ASGI one; no other command needs the 0.3 s of its import.
    INSTALLED_APPS.insert(0, "daphne")
if sys.argv[1:2] == ["qcluster"]:
    # A cluster serves no pages: what only they need would be half of each process's memory.
    _pages = {"django.contrib.admin", "rest_framework"}
    _pages |= {"drf_spectacular", "drf_spectacular_sidecar", "channels", "arboris.accounts"}
    _pages |= {"allauth", "allauth.account", "allauth.usersessions"}
    INSTALLED_APPS = [app for app in INSTALLED_APPS if app not in _pages]
    # Of the admin its log alone, which tells what was changed in bulk.
    INSTALLED_APPS.append("django.contrib.admin.apps.SimpleAdminConfig")
    MIDDLEWARE.remove("allauth.account.middleware.AccountMiddleware")
    ROOT_URLCONF = "arboris.no_urls"
    CSRF_FAILURE_VIEW = "django.views.csrf.csrf_failure"  # ours is among the pages
ASGI_APPLICATION = "arboris.asgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "arboris" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "arboris.workspace.pages.shell",
            ]
        },
    }
]
# The first lets nobody in. Sessions name the second or the third, by which they began.
AUTHENTICATION_BACKENDS = [
    "arboris.sign_in.AccountLimit",
    "django.contrib.auth.backends.ModelBackend",
    "arboris.sign_in.ByEmail",
]
# Of this process, for the counts of arboris.sign_in: more entries than one guesser can push out.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}
AUTH_PASSWORD_VALIDATORS = [{"NAME": "arboris.accounts.passwords.MinimumLength"}]
AUTH_PASSWORD_VALIDATORS += [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login"

# --- accounts -----------------------------------------------------------------------------
ARBORIS_SIGN_UP = env.choice("ARBORIS_SIGN_UP", "closed", ["open", "invitation", "closed"])
ARBORIS_EMAIL_URL = env.text("ARBORIS_EMAIL_URL", "console://" if DEBUG else "")
ARBORIS_SENDS_EMAIL = bool(ARBORIS_EMAIL_URL)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("ARBORIS_EMAIL_FROM", "arboris@localhost")
globals().update(read_email_url("ARBORIS_EMAIL_URL", ARBORIS_EMAIL_URL))
LANGUAGE_COOKIE_AGE = 31_536_000
# An API token ends so many days after its last use.
ARBORIS_TOKEN_DAYS = env.whole("ARBORIS_TOKEN_DAYS", 90, low=1, high=3650)
# django-allauth's; see arboris/accounts. /login is Django's: by name, or by confirmed address.
ACCOUNT_ADAPTER = "arboris.accounts.adapter.Adapter"
ACCOUNT_FORMS = {"signup": "arboris.accounts.forms.SignUpForm"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Arboris] "
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = True  # a stranger's address gets a message as one of ours does
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_METHODS = ["password"]
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"

# --- database -----------------------------------------------------------------------------
# MySQL and MariaDB ignore the condition of an index: it is larger there, and as good.
# HSTS preload is the decision of the site's owner: it is hard to undo.
SILENCED_SYSTEM_CHECKS = ["models.W037", "security.W021"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# A worker keeps its connection between tasks; a web process keeps those of its bounded number of
# threads, see arboris/web_threads.py.
IS_WORKER = len(sys.argv) > 1 and sys.argv[1] in {"qcluster", "process_analysis"}
DATABASE_URL = env.url(
    "DATABASE_URL",
    f"sqlite:///{quote(str(DATA_DIR / 'arboris.db'))}",
    schemes=["sqlite", "mysql", "postgres", "postgresql"],
)
# Within which a database server has to answer web and workers; commands wait longer.
ARBORIS_DATABASE_TIMEOUT = env.whole("ARBORIS_DATABASE_TIMEOUT", 30, low=1, high=3600)
database_from_url = partial(
    read_database_url,
    data_dir=DATA_DIR,
    kept=IS_WORKER,
    answer=seconds_to_answer(sys.argv, ARBORIS_DATABASE_TIMEOUT),
)
DATABASES = {"default": database_from_url(DATABASE_URL)}
SECRET_KEY = secret_key(
    env.text("DJANGO_SECRET_KEY"), DATA_DIR, embedded=DATABASE_URL.startswith("sqlite:")
)

# --- languages and time -------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "arboris" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- static files -------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "arboris" / "static"]
STATIC_ROOT = Path(env.text("ARBORIS_STATIC_ROOT", str(BASE_DIR / "staticfiles")))
# Before the first collectstatic there is no such directory, and none is needed.
warnings.filterwarnings("ignore", "No directory at", UserWarning)
WHITENOISE_USE_FINDERS = True  # serves without collectstatic; with it, the collected files win
_collected = sys.argv[1:2] == ["collectstatic"] or (STATIC_ROOT / "staticfiles.json").exists()
_plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "arboris.static_files.HashedFiles" if _collected else _plain},
}
WHITENOISE_AUTOREFRESH = DEBUG

# --- requests -----------------------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        # The token first: its WWW-Authenticate header makes an anonymous answer a 401.
        "arboris.tokens.authentication.TokenAuthentication",
        "arboris.page_session.PageSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["arboris.rest.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_RATES": {  # see arboris.sign_in
        "token": env.rate("ARBORIS_TOKEN_RATE", "30/min"),
        "account": env.rate("ARBORIS_ACCOUNT_RATE", "10/min"),
        # Of one writer, see arboris.rest.WriterRate.
        "import": env.rate("ARBORIS_IMPORT_RATE", "600/min"),
        "generate": env.rate("ARBORIS_GENERATE_RATE", "300/min"),
        "retry": env.rate("ARBORIS_RETRY_RATE", "1200/min"),
    },
    # Behind one proxy the caller is the last address that it added; without one the header lies.
    "NUM_PROXIES": 1 if env.flag("ARBORIS_BEHIND_PROXY") else 0,
    "EXCEPTION_HANDLER": "arboris.rest.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "DATETIME_FORMAT": "iso-8601",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Arboris",
    "DESCRIPTION": "Novels, their asynchronous analysis and its notifications.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "arboris.api_schema.add_errors",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "AnalysisModeEnum": ["enhanced", "basic"],
        "ImportModeEnum": ["add", "replace", "skip"],
    },
}

# --- Redis (optional) ---------------------------------------------------------------------
REDIS_URL = env.url("REDIS_URL", schemes=["redis", "rediss", "unix"])

# --- analysis -----------------------------------------------------------------------------
ARBORIS_MAX_CONCURRENT = env.whole("ARBORIS_MAX_CONCURRENT", 3, low=1, high=64)
# A novel is at rest when nothing that was asked for has ended for so many seconds.
ARBORIS_READ_AGAIN_AFTER = env.number("ARBORIS_READ_AGAIN_AFTER", 60, low=0, high=86_400)
ARBORIS_POLL_INTERVAL = env.number("ARBORIS_POLL_INTERVAL", 10, low=0.1, high=3600)
ARBORIS_PROCESSING_TIMEOUT = env.number("ARBORIS_PROCESSING_TIMEOUT", 600, low=1, high=86_400)
ARBORIS_SHORTEST_LEASE = 3  # seconds; it is renewed once a second at best
ARBORIS_LEASE_SECONDS = env.number(
    "ARBORIS_LEASE_SECONDS",
    max(ARBORIS_SHORTEST_LEASE, min(90, ARBORIS_PROCESSING_TIMEOUT)),
    low=ARBORIS_SHORTEST_LEASE,
    high=3600,
)
# A process of a cluster that does not move for so long is ended; its lease is over then. 0: never.
ARBORIS_WATCHDOG_SECONDS = env.number(
    "ARBORIS_WATCHDOG_SECONDS", ARBORIS_LEASE_SECONDS + ARBORIS_DATABASE_TIMEOUT, low=0, high=86_400
)
# Touched every five seconds by a web process or a cluster that goes on; see arboris.heartbeat.
ARBORIS_HEARTBEAT_FILE = env.text("ARBORIS_HEARTBEAT_FILE")
ARBORIS_MAX_RETRIES = env.whole("ARBORIS_MAX_RETRIES", 3, low=0, high=20)
ARBORIS_RETRY_BASE_SECONDS = env.number("ARBORIS_RETRY_BASE_SECONDS", 10, low=0, high=3600)
# How long an endpoint that refuses us is left alone before a task tries it again.
ARBORIS_ENDPOINT_PROBE_SECONDS = env.number(
    "ARBORIS_ENDPOINT_PROBE_SECONDS", 60, low=0.1, high=3600
)
# writer: among equal priorities the writers in turn. age: the oldest first.
ARBORIS_FAIRNESS = env.choice("ARBORIS_FAIRNESS", "writer", ["age", "writer"])
# The highest priority that a writer may ask for, and how many analyses of one may wait; 0: any.
ARBORIS_MAX_PRIORITY = env.whole("ARBORIS_MAX_PRIORITY", 10, low=1, high=10)
ARBORIS_MAX_PENDING = env.whole("ARBORIS_MAX_PENDING", 20_000, low=0, high=10_000_000)
# How many of one novel, of all, or against one endpoint may run at a time, over all clusters;
# 0: any.
ARBORIS_MAX_PER_PROJECT = env.whole("ARBORIS_MAX_PER_PROJECT", 0, low=0, high=1000)
ARBORIS_MAX_CONCURRENT_TOTAL = env.whole("ARBORIS_MAX_CONCURRENT_TOTAL", 0, low=0, high=10_000)
ARBORIS_MAX_PER_ENDPOINT = env.whole("ARBORIS_MAX_PER_ENDPOINT", 0, low=0, high=1000)
# What ended longer ago is deleted once a day; 0: never.
ARBORIS_KEEP_DAYS = env.whole("ARBORIS_KEEP_DAYS", 30, low=0, high=36_500)
ARBORIS_KEEP_TRASH_DAYS = env.whole("ARBORIS_KEEP_TRASH_DAYS", 30, low=0, high=36_500)
ARBORIS_KEEP_FAILED_DAYS = env.whole("ARBORIS_KEEP_FAILED_DAYS", 90, low=0, high=36_500)
ARBORIS_KEEP_NOTIFICATION_DAYS = env.whole(
    "ARBORIS_KEEP_NOTIFICATION_DAYS", 180, low=0, high=36_500
)
ARBORIS_NOTIFY_STARTED = env.flag("ARBORIS_NOTIFY_STARTED", default=False)
ARBORIS_ANALYZER = env.choice("ARBORIS_ANALYZER", "local", ["local", "llm"])
ARBORIS_ANALYZERS = {
    "local": "analysis.analyzers.local.LocalAnalyzer",
    "llm": "analysis.analyzers.llm.LLMAnalyzer",
}
# What works on a claimed task; see analysis.worker.Body.
ARBORIS_TASK_BODY = "analysis.run_analysis.run"
# What workers do besides; each returns whether there was something to do.
ARBORIS_BEHIND = ["arboris.workspace.importing.behind.import_behind"]
ARBORIS_MAX_CHAPTER_CHARS = env.whole(
    "ARBORIS_MAX_CHAPTER_CHARS", 1_000_000, low=1_000, high=4_000_000
)
# Seconds without a key after which a version is made of what was typed.
ARBORIS_VERSION_PAUSE = env.whole("ARBORIS_VERSION_PAUSE", 300, low=5, high=86_400)
ARBORIS_MAX_IMPORT_BYTES = env.whole(
    "ARBORIS_MAX_IMPORT_BYTES", 20 * 1024 * 1024, low=1_024, high=200 * 1024 * 1024
)
# Of a .zip, which may be the archive of a novel with all its versions.
ARBORIS_MAX_ARCHIVE_BYTES = env.whole(
    "ARBORIS_MAX_ARCHIVE_BYTES", 100 * 1024 * 1024, low=1_024, high=512 * 1024 * 1024
)

# Where processes of one host notify each other; see arboris/wake.py.
ARBORIS_WAKE_DIR = Path(env.text("ARBORIS_WAKE_DIR", str(DATA_DIR / "wake")))

_hard_limit = int(ARBORIS_PROCESSING_TIMEOUT) + 60
Q_CLUSTER = {
    "name": "arboris",
    "orm": "default",
    "broker_class": "analysis.djangoq.broker.WakingORM",
    "workers": ARBORIS_MAX_CONCURRENT,
    # Every wake-up stays in the table until a worker is free for it.
    "queue_limit": 1,
    "bulk": 1,
    # A wake-up is spent by being run, whatever came of it: the task row says what is due.
    "ack_failures": True,
    "max_attempts": 1,
    # Ours ends an analysis first and cleanly; these two only catch what no longer answers.
    "timeout": _hard_limit,
    "retry": _hard_limit + 120,
    "save_limit": -1,
    "catch_up": False,
    # Our steward knows what is due. A row in the table of schedules would run any function.
    "scheduler": False,
    "recycle": 5000,
    "max_rss": env.whole("ARBORIS_WORKER_MAX_RSS_MB", 900, low=100, high=65_536) * 1024,
    "poll": 0.2,
    "label": "django-q2",
    "log_level": "WARNING",
}

# --- logs ---------------------------------------------------------------------------------
LOG_LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
LOG_FORMAT = env.choice("ARBORIS_LOG_FORMAT", "plain", logs.FORMATS)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "arboris.logs.Plain",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        },
        "json": {"()": "arboris.logs.Json"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": env.choice("ARBORIS_LOG_LEVEL", "INFO", LOG_LEVELS)},
    "loggers": {
        "django-q": {"level": "WARNING"},
        "httpx2": {"level": "WARNING"},
        "openai": {"level": "WARNING"},
    },
}
