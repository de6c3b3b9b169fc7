"""All settings of the web app. Every variable of the environment is read here, and listed in deploy/.env.example."""

import contextlib
import hashlib
import os
import secrets
import warnings
from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from search_engine.code_version import code_version
from webapp import environment, logs, traces
from webapp.reach import why_unsafe

HOME = Path(__file__).resolve().parent.parent
DATA_FOLDER = Path(environment.text("CELLWRIGHT_DATA", str(HOME / "var"))).expanduser().resolve()
# A folder, which all hosts share where there are several; or a bucket of S3, and a folder of this host before it.
ARTIFACTS_DIR, ARTIFACTS_BUCKET = environment.folder_or_bucket(
    environment.text("CELLWRIGHT_ARTIFACTS", ""),
    DATA_FOLDER / "artifacts",
    endpoint=environment.text("AWS_ENDPOINT_URL", ""),
    region=environment.text("AWS_DEFAULT_REGION", ""),
    key=environment.text("AWS_ACCESS_KEY_ID", ""),
    secret=environment.text("AWS_SECRET_ACCESS_KEY", ""),
    token=environment.text("AWS_SESSION_TOKEN", ""),
)
CACHE_DIR = Path(environment.text("CELLWRIGHT_CACHE", str(DATA_FOLDER / "cache"))).expanduser().resolve()
MOST_CACHE_BYTES = environment.number("CELLWRIGHT_CACHE_GB", 20, low=1, high=100_000) * 10**9
# Downloaded ones, and those of users as trainers look for them; the embedded one needs no folder.
DATA_SETS_DIR = (DATA_FOLDER if ARTIFACTS_BUCKET is None else CACHE_DIR) / "data-sets"


def _kept_secret() -> str:
    """A random secret, made once and kept in the data folder, readable by its owner alone."""
    path = DATA_FOLDER / "secret-key"
    try:
        if not path.exists():
            _make_secret(path)
        return path.read_text()
    except OSError as error:
        raise ImproperlyConfigured(
            f"the data folder {DATA_FOLDER} cannot be used ({error.strerror}). Set CELLWRIGHT_DATA to one that can."
        ) from error


def _make_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)  # Unlike a rename, it fails when another process was first.
    draft.unlink()


def _static_digest() -> str:
    """Digest of all static files: a part of their address, so that a browser may keep them for ever."""
    digest = hashlib.sha256()
    for path in sorted((HOME / "frontend/static").rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(HOME)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


# --- What the environment decides -------------------------------------------------------------------------------
CODE_VERSION = code_version()
SECRET_KEY = environment.text("SECRET_KEY", "") or _kept_secret()
DEBUG = environment.flag("DEBUG", False)
HOST = environment.text("CELLWRIGHT_HOST", "127.0.0.1")
PORT = environment.number("CELLWRIGHT_PORT", 8000, low=1, high=65535)
WORKERS = environment.number("CELLWRIGHT_WORKERS", os.cpu_count() or 1, low=0, high=256)
DEVICES = environment.text("CELLWRIGHT_DEVICES", "auto")
TLS = environment.flag("CELLWRIGHT_TLS", False)
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = environment.words("CSRF_TRUSTED_ORIGINS")
if _unsafe := why_unsafe([HOST, *ALLOWED_HOSTS], is_debug=DEBUG, secret=SECRET_KEY):
    raise ImproperlyConfigured(_unsafe)
REDIS_URL = environment.text("REDIS_URL", "")  # "": no Redis; pages and workers then look by themselves.
BROKER_URL = environment.broker_from_redis(REDIS_URL)
_database_url = environment.text("DATABASE_URL", "")
DATABASES = {
    "default": environment.database_from_url(_database_url)
    if _database_url
    else environment.sqlite_database(str(DATA_FOLDER / "cellwright.sqlite3"))
}

# --- The application --------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "ninja",  # For its own copy of the pages under /api/docs; a CDN would be refused by the policy below.
    "webapp.accounts",
    "webapp.searches",
    "webapp.notices",
    "webapp.docs",
]
MIDDLEWARE = [
    "webapp.compression.Compressed",
    # The next two put their headers on every answer, so that nothing below answers without them.
    "webapp.safe_headers.SafeHeaders",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "webapp.searches.link_door.LinkDoor",
    "webapp.accounts.access.DeniedByDefault",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "webapp.urls"
ASGI_APPLICATION = "webapp.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HOME / "frontend/templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
APPEND_SLASH = False

# --- People -----------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "/sign-in"
SIGN_IN_LINK_SECONDS = 24 * 3600
AUTH_PASSWORD_VALIDATORS = [  # For those who want a password beside links.
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = TLS
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "webapp.failures.csrf_failure"

# --- What a browser may do --------------------------------------------------------------------------------------
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
if TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # The proxy must set it, and drop a client's own.
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_SSL_REDIRECT = True
    # Asked past the proxy: by `manage.py up` itself, by orchestrators, by Prometheus.
    SECURE_REDIRECT_EXEMPT = [r"^health$", r"^ready$", r"^metrics$"]
# The preload list is for whoever owns the domain to join, for all that it serves, and hard to leave.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        # Plotly sets style attributes from its script through the DOM, which this allows. If a chart should ever need
        # attributes written as markup, add "style-src-attr": ["'unsafe-inline'"] and nothing wider.
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

# --- Static files: no build step. The address holds a digest of all of them, so relative imports between modules work
# and every file may be kept for ever; while developing they are read anew each time. -----------------------------
STATICFILES_DIRS = [HOME / "frontend/static"]
STATIC_URL = "/static/" if DEBUG else f"/static/{_static_digest()}/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False  # Nobody else's page needs our files.
# A file is read as a whole before it is sent, which is what we want for files of at most a few megabytes.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
WHITENOISE_IMMUTABLE_FILE_TEST = (lambda path, url: False) if DEBUG else (lambda path, url: True)

QUARANTINE_DIR = DATA_FOLDER / "quarantine"  # What was uploaded, until it is checked.
MOST_UPLOAD_BYTES = environment.number("CELLWRIGHT_UPLOAD_MB", 2000, low=1, high=100_000) * 10**6
# A text is read into the memory of the web process when something is started with it.
MOST_TEXT_BYTES = environment.number("CELLWRIGHT_TEXT_MB", 50, low=1, high=100) * 10**6
# A bundle's weights are read into the memory of the web process, so that the limit is for both, file and weights.
MOST_BUNDLE_BYTES = environment.number("CELLWRIGHT_BUNDLE_MB", 250, low=1, high=2000) * 10**6

# --- Notices: where links in them lead, how mail is sent, and hosts off the internet that webhooks may reach. ----
SITE_ADDRESS = environment.text("CELLWRIGHT_ADDRESS", f"http://{HOST}:{PORT}").rstrip("/")
WEBHOOK_HOSTS = environment.words("CELLWRIGHT_WEBHOOK_HOSTS")
MAIL_FROM = environment.text("CELLWRIGHT_MAIL_FROM", "")
EMAIL_TIMEOUT = 10  # Seconds.
globals().update(environment.mail_from_url(environment.text("CELLWRIGHT_MAIL", "smtp://localhost")))

# --- Who may read /metrics: whoever has this token; nobody where it is not set. -----------------------------------
METRICS_TOKEN = environment.secret("CELLWRIGHT_METRICS_TOKEN")

# --- Where traces go; "" for nowhere, and then nothing makes any. ------------------------------------------------
TRACES_TO = environment.text("OTEL_EXPORTER_OTLP_ENDPOINT", "")
if TRACES_TO:
    if _why_not := traces.why_not():
        raise ImproperlyConfigured(_why_not)
    MIDDLEWARE.insert(MIDDLEWARE.index("whitenoise.middleware.WhiteNoiseMiddleware") + 1, "webapp.traces.Traced")

# --- Limits and logs --------------------------------------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # Bytes; a configuration has a few thousand.
LOGGING = logs.configuration(environment.choice("CELLWRIGHT_LOG", logs.FORMS))
