"""What the environment says: strict readers, and the two notations of one Redis address."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

LEAST_SECRET = 32  # Characters of one that programs send.


def text(name: str, default: str) -> str:
    """The variable as it stands, without surrounding blanks; an empty one counts as not set."""
    return os.environ.get(name, "").strip() or default


def number(name: str, default: int, *, low: int, high: int) -> int:
    """The variable as a whole number between low and high, both included."""
    given = text(name, str(default))
    if not given.isascii() or not given.isdigit() or not low <= int(given) <= high:
        raise ImproperlyConfigured(f"{name} is {given!r}; must be a whole number between {low} and {high}.")
    return int(given)


def flag(name: str, default: bool) -> bool:
    """The variable as yes or no: 1 or 0."""
    given = text(name, "1" if default else "0")
    if given not in ("0", "1"):
        raise ImproperlyConfigured(f"{name} is {given!r}; must be 1 or 0.")
    return given == "1"


def words(name: str) -> list[str]:
    """The variable as a list of words between commas; [] when it is not set."""
    return [word.strip() for word in text(name, "").split(",") if word.strip()]


def choice(name: str, options: Sequence[str]) -> str:
    """The variable as one of these; the first of them when it is not set."""
    given = text(name, options[0])
    if given not in options:
        raise ImproperlyConfigured(f"{name} is {given!r}; must be {' or '.join(options)}.")
    return given


def secret(name: str) -> str:
    """The variable as a secret that cannot be guessed; "" when it is not set."""
    given = text(name, "")
    if given and len(given) < LEAST_SECRET:
        raise ImproperlyConfigured(f"{name} can be guessed: leave it out, or set {LEAST_SECRET} or more characters.")
    return given


def database_from_url(url: str) -> dict[str, object]:
    """Django's notation of postgresql://user:password@host:port/name?option=value, or of sqlite:////absolute/path."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and parts.path.startswith("/"):
        return sqlite_database(unquote(parts.path[1:] if parts.path.startswith("//") else parts.path))
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        raise ImproperlyConfigured(
            "DATABASE_URL must look like postgresql://user:password@host:5432/name or sqlite:////absolute/path."
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def sqlite_database(path: str) -> dict[str, object]:
    """SQLite for many processes: writers queue instead of failing, readers never wait.

    With deferred transactions, 8 writers got 67 "database is locked" in 1,600 transactions; with these options none.
    """
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
        # A file, because the sockets' threads share it; one for each process, so that two runs do not meet.
        "TEST": {"NAME": f"{path}.test-{os.getpid()}"},
    }


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where one is, and by whose rights: "" for what the machine itself knows. endpoint: "" for Amazon's own."""

    name: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    key: str = ""
    secret: str = ""
    token: str = ""


def folder_or_bucket(given: str, default: Path, **more: str) -> tuple[Path, Bucket | None]:
    """A folder, "" for the default one; or s3://bucket/prefix. more: what is known of the bucket beside."""
    parts = urlsplit(given)
    if parts.scheme == "s3" and parts.netloc and not parts.query:
        if bool(more.get("key")) != bool(more.get("secret")):
            raise ImproperlyConfigured("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together: set both or none.")
        return default, Bucket(parts.netloc, parts.path.strip("/"), **more)
    folder = Path(given or default).expanduser()
    if not folder.is_absolute():
        raise ImproperlyConfigured(
            f"CELLWRIGHT_ARTIFACTS is {given!r}; must be the whole path of a folder, or s3://bucket/prefix."
        )
    return folder, None


def mail_from_url(url: str) -> dict[str, object]:
    """Django's settings for smtp://user:password@host:port; smtp+tls:// begins in plain text, smtps:// encrypted."""
    parts = urlsplit(url)
    ports = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
    if parts.scheme not in ports or not parts.hostname:
        raise ImproperlyConfigured("CELLWRIGHT_MAIL must look like smtp+tls://user:password@host:587 or smtps://host.")
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or ports[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
    }


def broker_from_redis(url: str) -> str:
    """Celery's notation of a Redis address: redis-py says unix:///path, kombu wants redis+socket:///path.

    Without a Redis the address is that of a queue inside this process: messages then reach nobody else, which costs
    nothing because workers are also rung by the reconciler and look by themselves.
    """
    if not url:
        return "memory://"
    if url.startswith("unix://"):
        return "redis+socket://" + url.removeprefix("unix://")
    if url.startswith(("redis://", "rediss://")):
        return url
    raise ImproperlyConfigured("REDIS_URL must start with redis://, rediss:// or unix://.")
