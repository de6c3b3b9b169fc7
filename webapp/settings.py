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
from webapp import environment

HOME = Path(__file__).resolve().parent.parent
DATA_FOLDER = Path(environment.text("CELLWRIGHT_DATA", str(HOME / "var"))).expanduser().resolve()
ARTIFACTS_DIR = DATA_FOLDER / "artifacts"
DATA_SETS_DIR = DATA_FOLDER / "data-sets"  # Downloaded ones; the embedded one needs no folder.


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
TLS = environment.flag("CELLWRIGHT_TLS", False)
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = environment.words("CSRF_TRUSTED_ORIGINS")
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
    "webapp.docs",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
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
SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = TLS
CSRF_COOKIE_SAMESITE = "Lax"

# --- What a browser may do --------------------------------------------------------------------------------------
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
if TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # The proxy must set it, and drop a client's own.
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
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

# --- Limits and logs --------------------------------------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # Bytes; a configuration has a few thousand.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
}
