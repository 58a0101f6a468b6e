"""Settings of every running installation; `test` adds to them. Read from what `place.prepare` put in the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

if not os.environ.get("TIEOUT_APP_DSN"):
    raise ImproperlyConfigured("the database is not prepared: start through the `tieout` command, or call tieout.settings.place.prepare() first")

DATA = Path(os.environ["TIEOUT_DATA"])
SECRET_KEY = os.environ["TIEOUT_SECRET"]
TIEOUT_KEYS_FILE = os.environ.get("TIEOUT_KEYS_FILE", str(DATA / "keys.json"))
DEBUG = False
ALLOWED_HOSTS = os.environ.get("TIEOUT_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
#: Where people and mail readers reach this installation; used in links of letters.
TIEOUT_URL = os.environ.get("TIEOUT_URL", "http://127.0.0.1:8000")
TIEOUT_DEMO = os.environ.get("TIEOUT_DEMO") == "1"


def _database(dsn: str) -> dict[str, Any]:
    parts = conninfo_to_dict(dsn)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.get("dbname", ""),
        "USER": parts.get("user", ""),
        "PASSWORD": parts.get("password", ""),
        "HOST": parts.get("host", ""),
        "PORT": str(parts.get("port", "")),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"application_name": "tieout"},
        "TEST": {"MIRROR": None},
    }


DATABASES = {"default": _database(os.environ["TIEOUT_APP_DSN"])}
if os.environ.get("TIEOUT_OWNER_DSN"):
    DATABASES["owner"] = _database(os.environ["TIEOUT_OWNER_DSN"])

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    # In the order of the sentence: each stage's tables refer to those on its left.
    "tieout.stages.base",
    "tieout.stages.intake",
    "tieout.stages.ledger",
    "tieout.stages.cash",
    "tieout.stages.dialogue",
    "tieout.stages.behaviour",
    "tieout.stages.collect",
    "tieout.stages.outreach",
    "tieout.stages.writeback",
    "tieout.stages.health",
    "procrastinate.contrib.django",
    "tieout.flow",
    "tieout.faces.web",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "lucide",
    "csp",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "base.Person"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "tieout.faces.web.middleware.OrganisationMiddleware",
]
ROOT_URLCONF = "tieout.faces.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tieout.faces.web.context.shell",
            ],
            "builtins": ["tieout.faces.web.templatetags.figures", "lucide.templatetags.lucide"],
        },
    }
]
WSGI_APPLICATION = "tieout.faces.web.wsgi.application"

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
# People are invited by an owner or admin; nobody signs themselves up into a receivables ledger.
ACCOUNT_ADAPTER = "tieout.faces.web.accounts.InvitedOnly"
ACCOUNT_LOGOUT_ON_GET = False
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "overview"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = TIEOUT_URL.startswith("https://")
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if os.environ.get("TIEOUT_BEHIND_PROXY") == "1" else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# A file at the door is read in chunks and kept in the database; only its passage touches the disk.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": os.environ.get("TIEOUT_LOG", "WARNING")},
}
PROCRASTINATE_IMPORT_PATHS = ["tieout.flow.jobs"]
