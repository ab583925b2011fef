"""All settings, from the environment alone: unset means embedded, a URL switches a service on.

A value that can't be read stops the start, and all such mistakes are named together. docs/settings.md lists
every name.
"""

import os
import sys
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environs import Env, EnvValidationError, validate

from backoffice.theme import UNFOLD  # noqa: F401 - a setting as well
from config.values import (
    CURRENCIES,
    bucket_storage,
    json_object,
    kept_secret,
    long_enough,
    machine_zone,
    private_folder,
    short_folder,
    url,
    whole,
)
from devices.hosts import default_hosts
from normalform import MAX_BYTES

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env(eager=False)
AT_LEAST_ONE = validate.Range(min=1)
WEEK = 7 * 24 * 3600  # seconds; S3 signs addresses for no longer
A_CENTURY = validate.Range(min=1, max=36_500)  # days; the calendar ends
A_WEEK_IN_MS = validate.Range(min=1, max=1000 * WEEK)


# --- Where and how it runs -------------------------------------------------------------------------------------
DATA_DIR = Path(env.str("DATA_DIR", "var") or "var")
DATA_DIR = DATA_DIR if DATA_DIR.is_absolute() else BASE_DIR / DATA_DIR
PORT = env.int("PORT", 8000, validate=validate.Range(min=1, max=65535))
DEBUG = env.bool("DEBUG", False)
# Terminals in a shop reach the box by whatever address the LAN gave it, and by its own names.
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", []) or default_hosts()
# Addresses of the proxies that are believed what they say of their client (devices/proxies.py).
TRUSTED_PROXIES: list[str] = env.list("TRUSTED_PROXIES", [])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
# Whether people come by https, also where no trusted proxy says so: an origin says it.
HTTPS = env.bool("HTTPS", any(origin.startswith("https://") for origin in CSRF_TRUSTED_ORIGINS))
TOTP_FOR_SUPERUSERS = env.bool("TOTP_FOR_SUPERUSERS", False)
CSP = env.str("CSP", "enforce", validate=validate.OneOf(["enforce", "report", "off"]))
SECRET_KEY = env.str("SECRET_KEY", "", validate=[whole, long_enough])
TIME_ZONE = env.str(
    "TIME_ZONE",
    machine_zone(),
    validate=validate.OneOf(available_timezones(), error="Not a time zone such as Europe/Madrid."),
)
SHOP_NAME = env.str("SHOP_NAME", "")
CURRENCY = env.str("CURRENCY", "EUR", validate=validate.OneOf(CURRENCIES, error="Not a currency such as EUR."))
ACCESS_LOG = env.bool("ACCESS_LOG", False)
LOG_LEVEL = env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]))
LOG_FORMAT = env.str("LOG_FORMAT", "text", validate=validate.OneOf(["text", "json"]))

# --- Services ---------------------------------------------------------------------------------------------------
database_url = env.str("DATABASE_URL", "", validate=[whole, url("postgres", "postgresql", "sqlite")])
redis_url = env.str("REDIS_URL", "", validate=[whole, url("redis", "rediss", "unix")])
DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", 20, validate=AT_LEAST_ONE)
S3_BUCKET = env.str("S3_BUCKET", "", validate=whole)
S3_ENDPOINT_URL = env.str("S3_ENDPOINT_URL", "", validate=[whole, url("http", "https")])
S3_PUBLIC_ENDPOINT_URL = env.str("S3_PUBLIC_ENDPOINT_URL", "", validate=[whole, url("http", "https")])
S3_REGION = env.str("S3_REGION", "auto", validate=whole)
AWS_ACCESS_KEY_ID = env.str("AWS_ACCESS_KEY_ID", "", validate=whole)
AWS_SECRET_ACCESS_KEY = env.str("AWS_SECRET_ACCESS_KEY", "", validate=whole)
R2_PUBLIC_DOMAIN = env.str("R2_PUBLIC_DOMAIN", "", validate=whole)

# --- Images and uploads -----------------------------------------------------------------------------------------
IMAGE_DELIVERY = env.str("IMAGE_DELIVERY", "app", validate=validate.OneOf(["app", "accel", "redirect"]))
IMAGES_PUBLIC = env.bool("IMAGES_PUBLIC", True)
IMAGE_QUALITY = env.int("IMAGE_QUALITY", 85, validate=validate.Range(min=50, max=95))
IMAGE_GRACE_DAYS = env.int("IMAGE_GRACE_DAYS", 30, validate=A_CENTURY)
IMAGE_SCRUB_DAYS = env.int("IMAGE_SCRUB_DAYS", 30, validate=A_CENTURY)
IMAGE_UPKEEP_MAX_PERCENT = env.int("IMAGE_UPKEEP_MAX_PERCENT", 5, validate=validate.Range(min=0, max=100))
UPLOAD_WINDOW_SECONDS = env.int("UPLOAD_WINDOW_SECONDS", 900, validate=validate.Range(min=1, max=WEEK))
KEEP_ORIGINALS = env.bool("KEEP_ORIGINALS", False)
FAILED_ORIGINAL_DAYS = env.int("FAILED_ORIGINAL_DAYS", 7, validate=A_CENTURY)
DEVICE_QUOTA_MB = env.int("DEVICE_QUOTA_MB", 5_000, validate=AT_LEAST_ONE)
FREE_SPACE_FLOOR_MB = env.int("FREE_SPACE_FLOOR_MB", 500, validate=validate.Range(min=0))
LARGE_PHOTO_BYTES = env.int("LARGE_PHOTO_BYTES", 8_000_000, validate=AT_LEAST_ONE)
PHOTOS_PER_MINUTE = env.int("PHOTOS_PER_MINUTE", 0, validate=validate.Range(min=0))
PENDING_PHOTO_SCAN_INTERVAL_MS = env.int("PENDING_PHOTO_SCAN_INTERVAL_MS", 30_000, validate=A_WEEK_IN_MS)
PENDING_PHOTO_SCAN_BATCH_SIZE = env.int("PENDING_PHOTO_SCAN_BATCH_SIZE", 50, validate=validate.Range(min=1, max=10_000))
PENDING_PHOTO_MIN_AGE_MS = env.int("PENDING_PHOTO_MIN_AGE_MS", 10_000, validate=validate.Range(min=0, max=1000 * WEEK))

# --- Studio -----------------------------------------------------------------------------------------------------
STUDIO_PROVIDER = env.str("STUDIO_PROVIDER", "label", validate=validate.OneOf(["label", "openai", "gemini"]))
STUDIO_BASE_URL = env.str("STUDIO_BASE_URL", "", validate=url("http", "https"))
# Models live about half a year, so there is no default one: a provider that is paid needs a choice.
needed: Any = {"validate": validate.Length(min=1, error="Needed with this STUDIO_PROVIDER.")}
STUDIO_API_KEY = env.str("STUDIO_API_KEY", **(needed if STUDIO_PROVIDER == "gemini" else {"default": ""}))
STUDIO_MODEL = env.str("STUDIO_MODEL", **({"default": ""} if STUDIO_PROVIDER == "label" else needed))
STUDIO_EDIT_MODEL = env.str("STUDIO_EDIT_MODEL", "")
STUDIO_OPTIONS = env.json("STUDIO_OPTIONS", {}, validate=json_object)
STUDIO_TIMEOUT_SECONDS = env.int("STUDIO_TIMEOUT_SECONDS", 300, validate=validate.Range(min=1, max=3600))
STUDIO_DAILY_PICTURES = env.int("STUDIO_DAILY_PICTURES", 50, validate=validate.Range(min=0))
STUDIO_DAILY_PICTURES_ALL = env.int("STUDIO_DAILY_PICTURES_ALL", 200, validate=validate.Range(min=0))
STUDIO_PRICE = env.str("STUDIO_PRICE", "", validate=validate.Length(max=40))

# --- Streams and operations -------------------------------------------------------------------------------------
STREAM_PROCESSES = env.int("STREAM_PROCESSES", 1, validate=AT_LEAST_ONE)
STREAM_CAPACITY = env.int("STREAM_CAPACITY", 10_000, validate=AT_LEAST_ONE)
STREAMS_PER_DEVICE = env.int("STREAMS_PER_DEVICE", 4, validate=AT_LEAST_ONE)
CHANGE_RETENTION_DAYS = env.int("CHANGE_RETENTION_DAYS", 30, validate=AT_LEAST_ONE)
CHANGE_RETENTION_ROWS = env.int("CHANGE_RETENTION_ROWS", 1_000_000, validate=AT_LEAST_ONE)
METRICS_TOKEN = env.str("METRICS_TOKEN", "", validate=whole)

try:
    env.seal()
except EnvValidationError as mistakes:
    wrong: Any = mistakes.error_messages
    lines = [f"  {name}: {' '.join(reasons)}" for name, reasons in sorted(wrong.items())]
    raise ImproperlyConfigured("These settings of the environment are wrong:\n" + "\n".join(lines)) from None

# What is written is for us alone: secrets, hashes of PINs, photos. Where nginx sends pictures itself it passes through.
os.umask(0o077)
private_folder(DATA_DIR, mode=0o711 if IMAGE_DELIVERY == "accel" else 0o700)
SECRET_KEY = SECRET_KEY or kept_secret(DATA_DIR / "secret_key")

# --- Database ---------------------------------------------------------------------------------------------------
if database_url.startswith("postgres"):
    # Our engine looks at connections as they leave the pool (CONN_HEALTH_CHECKS would find dead ones one by one).
    DATABASES = {"default": dj_database_url.parse(database_url, engine="config.postgresql", conn_max_age=0)}
    # A pool hands connections back after each request; CONN_MAX_AGE would leak them under ASGI.
    DATABASES["default"]["OPTIONS"] = {
        **DATABASES["default"].get("OPTIONS", {}),
        # A pool backs off for up to reconnect_timeout seconds: a database that is back is used at once.
        # Bound by the server, a statement's text stays the same; from the third time on the server keeps its plan.
        "server_side_binding": True,
        "prepare_threshold": 2,
        "pool": {"min_size": 0, "max_size": DATABASE_POOL_SIZE, "timeout": 5, "reconnect_timeout": 1},
    }
else:
    # Each thread of a pool keeps its connection for a minute. Opening one costs more than most requests do otherwise
    # (0.4 ms, a look-up 0.006), and the last one to close makes SQLite write back and delete its WAL. Between requests
    # it holds no lock and no snapshot, and SQLite's own 2 MB of cache: with 16 MB, 16 threads kept 164 MB of a database
    # of 10 MB, and looked nothing up faster.
    DATABASES = {
        "default": dj_database_url.parse(database_url or f"sqlite:///{DATA_DIR / 'db.sqlite3'}", conn_max_age=60)
    }
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # a transaction that begins as a reader can't always become a writer
        "timeout": 5,  # seconds for another writer; then the answer is 503 database_unavailable
        # FULL: a commit that was answered survives a power cut. recursive_triggers: REPLACE reports its deletion.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Broker -----------------------------------------------------------------------------------------------------
# Where the embedded Valkey listens: a socket in the data directory, so that two servers on a box never meet.
# The kernel allows 107 bytes for such a path; a longer one is in a folder of ours in the temporary directory.
VALKEY_SOCKET = DATA_DIR / "valkey" / "valkey.sock"
if len(os.fsencode(VALKEY_SOCKET)) > 100 and not redis_url:
    VALKEY_SOCKET = short_folder(DATA_DIR / "valkey-socket") / "valkey.sock"
EMBEDDED_VALKEY = not redis_url
REDIS_URL = redis_url or f"unix://{VALKEY_SOCKET}"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "redcoral",
        # A cache that doesn't answer must cost less than doing without it.
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1, "serializer": "config.cache.BytesOnly"},
    }
}

# --- Applications -----------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "devices",
    "syncing",
    "images",
    "catalog",
    "uploads",
    "studio",
    "terminal",
    "backoffice",
    "serving",
]

MIDDLEWARE = [
    "config.middleware.BodilessMiddleware",  # around those that give each answer a length and a type
    "config.middleware.ProxyMiddleware",
    "config.middleware.TrailMiddleware",
    "config.middleware.SecureMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.CompressionMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.ShortWayMiddleware",  # what it answers needs none of the following
    "config.policy.PolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.middleware.RefusalMiddleware",
    "config.middleware.ParametersMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
X_FRAME_OPTIONS = "DENY"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "devices.logins.LongEnough"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["devices.logins.LimitedBackend"]
OTP_TOTP_ISSUER = SHOP_NAME or "RedCoral"  # what an authenticator app shows
LOGIN_URL = "admin:login"
SESSION_ENGINE = "config.sessions"
SESSION_COOKIE_AGE = 12 * 3600  # seconds; each use begins them anew (config/sessions.py)
# Browsers send cookies to all ports of a host. The second server on one, which has another PORT, has its own.
COOKIE_SUFFIX = "" if PORT == 8000 else f"_{PORT}"
SESSION_COOKIE_NAME = f"sessionid{COOKIE_SUFFIX}"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = (
    HTTPS  # or where the request is (SecureMiddleware)
)
SECURE_HSTS_SECONDS = 30 * 24 * 3600
LOGIN_REDIRECT_URL = "admin:index"

# --- Languages, times, static files -----------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # no collectstatic step: a few hundred files are found at the start

# --- Files ------------------------------------------------------------------------------------------------------
# Local files lie under <data>/uploads; in a bucket the same names are keys.
FILES_DIR = DATA_DIR / "uploads"


if S3_BUCKET:
    default_storage = bucket_storage(
        bucket=S3_BUCKET,
        endpoint_url=S3_ENDPOINT_URL,
        region=S3_REGION,
        access_key=AWS_ACCESS_KEY_ID,
        secret_key=AWS_SECRET_ACCESS_KEY,
    )
else:
    default_storage = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": FILES_DIR},
    }
STORAGES = {
    "default": default_storage,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Photos stream to disk above 1 MB; the limits of each endpoint are its own.
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BYTES + 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

# --- REST -------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "devices.authentication.DeviceAuthentication",
        "devices.authentication.StaffAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["devices.authentication.MayRead"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.negotiation.AnswerWhatWeHave",
    "EXCEPTION_HANDLER": "config.problems.answer",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "RedCoral edge server",
    "DESCRIPTION": "Products, pictures and every change of them, for restaurant terminals.",
    "VERSION": "1",
    "SERVERS": [{"url": "/", "description": "This server"}],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/",
    "ENUM_NAME_OVERRIDES": {
        "PhotoStatusEnum": "uploads.models.Photo.Status",
        "ItemStatusEnum": "studio.models.Item.Status",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.schema.add_stream",
        "config.schema_problems.add_problems",
        "config.schema_formats.say_formats",
        "config.schema.put_in_order",
        "config.schema.add_examples",
    ],
}

# --- Logs -------------------------------------------------------------------------------------------------------
said_by_celery = "WARNING" if LOG_LEVEL == "INFO" else LOG_LEVEL
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": f"telemetry.lines.{'Json' if LOG_FORMAT == 'json' else 'Text'}"},
        "alone": {"format": "{message}", "style": "{"},
    },
    "filters": {"others": {"()": "config.values.others_than", "name": "redcoral.security"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["others"], "stream": sys.stderr},
        # What it says is JSON, a line each.
        "security": {"class": "logging.StreamHandler", "formatter": "alone", "stream": sys.stderr},
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "redcoral.security": {"handlers": ["security"], "level": "INFO"},
        # Each refusal is one line of ours (telemetry/refused.py); what Django fails at is an error.
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "CRITICAL"},  # a name that isn't ours, say: of that it would tell each traceback
        "django.security.csrf": {"level": "WARNING"},
        # What the servers themselves say, from when they have loaded us.
        "uvicorn": {"handlers": ["console"], "level": LOG_LEVEL, "propagate": False},
        "_granian": {"handlers": ["console"], "level": LOG_LEVEL, "propagate": False},
        # A line for each request, if it is wanted: each refusal has one anyway.
        "uvicorn.access": {"handlers": ["console"] if ACCESS_LOG else [], "propagate": False},
        "botocore": {"level": "WARNING"},
        # That each task came and went, and the way to the broker: what a task did, it says itself.
        "celery.worker": {"level": said_by_celery},
        "celery.app.trace": {"level": said_by_celery},
        "urllib3": {"level": "WARNING"},
    },
}
