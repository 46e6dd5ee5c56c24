"""Settings, read top to bottom. Values come from `env`; rows that HR or security change
are edited in the admin instead."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import django_stubs_ext
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.templatetags.static import static

from . import embedded, env
from .media import bucket

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env.read_dotenv(BASE_DIR / ".env")

_database = env.database("DATABASE_URL")
_redis = env.redis("REDIS_URL")
ENVIRONMENT = env.choice(
    "ENVIRONMENT",
    "production" if _database else "development",
    of=["production", "development"],
)
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.flag("DEBUG", default=False)
VAR_DIR = env.path("VAR_DIR", BASE_DIR / "var")
MODELS_DIR = env.path("MODELS_DIR", VAR_DIR / "models")
DEMO_FOOTAGE = env.raw("DEMO_FOOTAGE")

# Security. SECRET_KEY also encrypts camera addresses, see streaming/fields.py.
SECRET_KEY = env.secret(
    "SECRET_KEY", kept_in=None if PRODUCTION else VAR_DIR / "secret_key"
)
SECRET_KEY_FALLBACKS = env.csv("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.csv("ALLOWED_HOSTS") or (
    [] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]"]
)
CSRF_TRUSTED_ORIGINS = env.csv("CSRF_TRUSTED_ORIGINS")
PUBLIC_URL = env.web_address("PUBLIC_URL")
HTTPS = env.flag("HTTPS", default=PRODUCTION)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
BEHIND_PROXY = env.flag("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_REDIRECT_EXEMPT = [r"^api/health$"]
SESSION_COOKIE_AGE = 12 * 3600
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
# django-unfold runs Alpine.js, which evaluates its attributes; for the admin alone.
ADMIN_CONTENT_SECURITY_POLICY = {
    **CONTENT_SECURITY_POLICY["DIRECTIVES"],
    "script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE],
    "style-src": [SELF, UNSAFE_INLINE],
}

METRICS_TOKEN = env.token("METRICS_TOKEN")

# Where the web process listens under `manage.py up`.
WEB_HOST = env.text("WEB_HOST", "127.0.0.1")
WEB_PORT = env.integer("WEB_PORT", 8000, minimum=1)

INSTALLED_APPS = [
    "factory_site.apps.FactorySiteConfig",
    "attendance.apps.AttendanceConfig",
    "vehicles.apps.VehiclesConfig",
    "occupancy.apps.OccupancyConfig",
    "identity.apps.IdentityConfig",
    "alerts.apps.AlertsConfig",
    "streaming.apps.StreamingConfig",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "factory_site.apps.FactoryAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "import_export",
    "simple_history",
    "pgvector.django",
    "axes",
    "channels",
    "csp",
    "django_celery_beat",
    "django_celery_results",
    "django_filters",
    "django_prometheus",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
]
MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "factory_site.urls"
ASGI_APPLICATION = "factory_site.asgi.application"
APPEND_SLASH = False
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
                "factory_site.context.page_frame",
            ]
        },
    }
]

# Data. Unset addresses mean the servers that `manage.py up` runs under VAR_DIR.
EMBEDDED_DATABASE = _database is None
EMBEDDED_REDIS = _redis is None
DATABASES = {"default": _database or embedded.database_settings(VAR_DIR)}
# A server that vanishes without a word, as by a pulled plug, is given up after 11 s.
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    **DATABASES["default"].get("OPTIONS", {}),
}
REDIS_URL = _redis or embedded.redis_url(VAR_DIR)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
    }
}

# Background work. The schedule is rows, see schedules.py; never CELERY_BEAT_SCHEDULE.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://")
# A row per run, for the tasks that ask for it: those of the schedule do.
CELERY_RESULT_BACKEND = "django-db"
CELERY_RESULT_EXTENDED = CELERY_TASK_TRACK_STARTED = True
CELERY_RESULT_EXPIRES = timedelta(days=30)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 600
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "factory_site.beat:Scheduler"
CELERY_TIMEZONE = "UTC"

# People.
AUTH_USER_MODEL = "identity.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "wall"
LOGOUT_REDIRECT_URL = "login"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# Wrong passwords lock out one name at one address, at the login page and in the API.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "factory_site.logins.client_address"
AXES_LOCKOUT_TEMPLATE = "registration/locked_out.html"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
    {"NAME": f"{_VALIDATION}.NumericPasswordValidator"},
]

# API.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["streaming.rest.ModelPermissions"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["streaming.rest.LimitedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "streaming.rest.ById",
    "DEFAULT_FILTER_BACKENDS": ["streaming.rest.StrictFilterBackend"],
    "NUM_PROXIES": int(BEHIND_PROXY),
    "EXCEPTION_HANDLER": "factory_site.api.explain",
    "PAGE_SIZE": 100,
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=30),
    "REFRESH_TOKEN_LIFETIME": timedelta(hours=24),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "UPDATE_LAST_LOGIN": True,
    "CHECK_REVOKE_TOKEN": True,
    "TOKEN_OBTAIN_SERIALIZER": "factory_site.logins.CredentialsSerializer",
    "TOKEN_REFRESH_SERIALIZER": "factory_site.logins.RefreshSerializer",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Factory Site API",
    "DESCRIPTION": "Cameras, people, attendance, crossings and alerts of a site.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    # Else the fields that bear it give it a name each.
    "ENUM_NAME_OVERRIDES": {
        "CauseEnum": "streaming.models.CAUSES",
        "CameraDirectionEnum": "streaming.models.Camera.Direction",
        "AttendanceStatusEnum": "attendance.models.days.Status",
        "DayStatusEnum": "attendance.api.shapes.STATUSES",
        "CountedKindEnum": "occupancy.models.Kind",
    },
}

# Vision.
VISION_NAME = env.text("VISION_NAME", "vision-1")
DETECTOR_MODEL = env.raw("DETECTOR_MODEL")

# Identity. Times in seconds, thresholds on the engine's own scale.
FACE_ENGINE = env.choice("FACE_ENGINE", "local", of=["local", "rekognition"])
FACE_MODEL = env.raw("FACE_MODEL")
FACE_THRESHOLD = env.share("FACE_THRESHOLD")
FACE_MARGIN = env.share("FACE_MARGIN")
FACE_MATCH_THRESHOLD = env.integer("FACE_MATCH_THRESHOLD", 85, minimum=1, maximum=100)
CACHE_TTL_SECONDS = env.integer("CACHE_TTL_SECONDS", 300, minimum=1)
UNKNOWN_COOLDOWN = env.integer("UNKNOWN_COOLDOWN", 30, minimum=1)
MAX_REKOGNITION_CALLS_PER_SECOND = env.integer(
    "MAX_REKOGNITION_CALLS_PER_SECOND", 5, minimum=1
)
# With a site's number and a face's id it must fit FaceSample.external_face_id.
REKOGNITION_COLLECTION = env.label("REKOGNITION_COLLECTION", "factory-site", longest=40)
REKOGNITION_REGION = env.raw("REKOGNITION_REGION")
REKOGNITION_ENDPOINT_URL = env.raw("REKOGNITION_ENDPOINT_URL")
# Group 1 API, first million images a month: aws.amazon.com/rekognition/pricing.
REKOGNITION_PRICE_USD = env.amount("REKOGNITION_PRICE_USD", 0.001)
PHOTO_MAX_MIB = env.integer("PHOTO_MAX_MIB", 10, minimum=1)
PHOTO_MAX_MEGAPIXELS = env.integer("PHOTO_MAX_MEGAPIXELS", 40, minimum=1)
SNAPSHOT_DAYS = env.integer("SNAPSHOT_DAYS", 90, minimum=1)

# Attendance.
ABSENT_AFTER_MINUTES = env.integer("ABSENT_AFTER_MINUTES", 60, minimum=0)
# A month to be paid, and longer than days are looked for that nobody has closed.
ATTENDANCE_DAYS = env.integer("ATTENDANCE_DAYS", 365, minimum=45)
ATTENDANCE_DIGEST_HOUR = env.integer("ATTENDANCE_DIGEST_HOUR", 10, maximum=23)

# Vehicles.
VEHICLE_DAYS = env.integer("VEHICLE_DAYS", 90, minimum=1)

# Occupancy.
OCCUPANCY_LOG_DAYS = env.integer("OCCUPANCY_LOG_DAYS", 30, minimum=2)

# A sheet's empty rows below the last one are no employees.
IMPORT_EXPORT_IMPORT_IGNORE_BLANK_LINES = True

# Text, time, static files, log.
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Collected by `manage.py set_up`; the image has its own, which it does not write.
_static_root = env.path("STATIC_ROOT", VAR_DIR / "static")
STATIC_ROOT = _static_root if PRODUCTION else None
WHITENOISE_USE_FINDERS = not PRODUCTION
# Photos and snapshots: private, served by views that ask who looks.
MEDIA_ROOT = env.path("MEDIA_ROOT", VAR_DIR / "media")
MEDIA_BUCKET = env.raw("MEDIA_BUCKET")
MEDIA_TIMEOUT_SECONDS = env.integer("MEDIA_TIMEOUT_SECONDS", 2, minimum=1)
STORAGES = {
    "default": bucket(MEDIA_BUCKET, timeout_s=MEDIA_TIMEOUT_SECONDS)
    if MEDIA_BUCKET
    else {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "allow_overwrite": True,
            "file_permissions_mode": 0o640,
            "directory_permissions_mode": 0o750,
        },
    },
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{levelname} {name}: {message}", "style": "{"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {
        "handlers": ["console"],
        "level": env.choice(
            "LOG_LEVEL", "INFO", of=["DEBUG", "INFO", "WARNING", "ERROR"]
        ),
    },
    "loggers": {
        "django": {"handlers": ["console"], "propagate": False},
        # It names passwords; what people may know of it is in the delivery log.
        "apprise": {"handlers": ["nowhere"], "propagate": False, "level": "WARNING"},
        "axes": {"level": "WARNING"},
        # At DEBUG it logs each request whole, with the face and the signature.
        "botocore": {"level": "WARNING"},
        # Paths of webhooks and of messengers hold tokens; at DEBUG it logs each.
        "urllib3": {"level": "WARNING"},
        "persistqueue": {"level": "WARNING"},
    },
}
UNFOLD = {
    "SITE_TITLE": "Factory Site",
    "SITE_HEADER": "Factory Site",
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "ENVIRONMENT": "factory_site.context.admin_badge",
    # The accent of static/css/tokens.css, which is 600 in light and 400 in dark.
    "COLORS": {
        "primary": {
            "50": "oklch(97.2% .012 253)",
            "100": "oklch(94.2% .026 253)",
            "200": "oklch(88.9% .05 253)",
            "300": "oklch(82.5% .083 253)",
            "400": "oklch(76.9% .121 252.3)",
            "500": "oklch(57.5% .15 253)",
            "600": "oklch(47.8% .147 254.3)",
            "700": "oklch(42% .13 253)",
            "800": "oklch(36.5% .11 253)",
            "900": "oklch(31% .09 253)",
            "950": "oklch(23% .065 253)",
        }
    },
    "STYLES": [lambda _: static("css/admin.css")],
    "SITE_FAVICONS": [{"rel": "icon", "href": lambda _: static("icon.svg")}],
}
