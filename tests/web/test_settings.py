"""The environment is read strictly and documented; the web process is locked down and never loads PyTorch."""

import ast
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from webapp import environment
from webapp.docs import settings_page

ROOT = Path(__file__).resolve().parents[2]


READERS = ("text", "number", "flag", "words", "secret", "choice")


def variables_read() -> dict[str, Any]:
    """Names that the program asks the environment for, with the default where it stands in the code as a constant."""
    found: dict[str, Any] = {}
    texts = [path.read_text() for path in (ROOT / "webapp").rglob("*.py")]
    for text in texts:
        for call in ast.walk(ast.parse(text)) if "environment." in text else ():
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            if getattr(call.func.value, "id", "") == "environment" and call.func.attr in READERS:
                default = call.args[1] if len(call.args) > 1 else ast.Constant("")
                found[ast.literal_eval(call.args[0])] = getattr(default, "value", None)
    return found


def test_every_variable_that_is_read_is_listed_with_a_sentence_and_its_default_and_nothing_else_is() -> None:
    listed, read = settings_page.listed(), variables_read()
    assert len(read) > 15
    assert sorted(each.name for each in listed) == sorted(read)
    for each in listed:
        assert re.match(r"[A-Z0-9].*[.:]", each.meaning), each
        if read[each.name] is not None and isinstance(read[each.name], str | int):
            assert each.default == str(int(read[each.name]) if read[each.name] in (True, False) else read[each.name])


def test_the_table_of_settings_in_the_docs_is_the_one_that_the_list_makes() -> None:
    assert settings_page.PAGE.read_text() == settings_page.page(), "Run: make docs"


def test_nothing_but_the_readers_looks_into_the_environment() -> None:
    reading = re.compile(r"os\.(environ|getenv)")
    ours = {"environment.py", "asgi.py", "celery.py", "up.py", "trainer_process.py", "settings.py"}
    # The client, which runs in other people's programs; and what CUDA's own variable hides of the machine.
    allowed = ours | {"cellwright.py", "devices.py"}
    found = {path.name for path in (ROOT / "webapp").rglob("*.py") if reading.search(path.read_text())}
    assert found <= allowed, found - allowed  # Three hand it on, or ask how many cores there are.


@pytest.mark.parametrize("given", ["many", "-1", "1.5", "70000", "٣"])
def test_a_number_that_is_none_or_out_of_range_is_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("CELLWRIGHT_PORT", given)
    with pytest.raises(ImproperlyConfigured, match="CELLWRIGHT_PORT"):
        environment.number("CELLWRIGHT_PORT", 8000, low=1, high=65535)


@pytest.mark.parametrize("given", ["yes", "true", "2", "no"])
def test_a_flag_is_one_or_zero(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("DEBUG", given)
    with pytest.raises(ImproperlyConfigured, match="must be 1 or 0"):
        environment.flag("DEBUG", False)


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLWRIGHT_WORKERS", " ")
    assert environment.number("CELLWRIGHT_WORKERS", 4, low=0, high=9) == 4
    assert environment.words("NOT_SET_AT_ALL") == []


def test_a_choice_is_one_of_its_options_and_the_first_when_it_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.choice("CELLWRIGHT_LOG", ("text", "json")) == "text"
    monkeypatch.setenv("CELLWRIGHT_LOG", "xml")
    with pytest.raises(ImproperlyConfigured, match="CELLWRIGHT_LOG is 'xml'; must be text or json"):
        environment.choice("CELLWRIGHT_LOG", ("text", "json"))


def test_a_secret_that_can_be_guessed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLWRIGHT_METRICS_TOKEN", "short")
    with pytest.raises(ImproperlyConfigured, match="CELLWRIGHT_METRICS_TOKEN can be guessed"):
        environment.secret("CELLWRIGHT_METRICS_TOKEN")


def test_a_database_url_becomes_djangos_notation() -> None:
    found = environment.database_from_url("postgresql://ann:p%40ss@db.example:5433/cells?sslmode=require")
    assert found == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "cells",
        "USER": "ann",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }
    assert environment.database_from_url("sqlite:////tmp/a.sqlite3")["NAME"] == "/tmp/a.sqlite3"


@pytest.mark.parametrize("url", ["mysql://host/name", "postgresql://host", "sqlite://relative.sqlite3", "nonsense"])
def test_a_database_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        environment.database_from_url(url)


def test_artifacts_lie_in_a_folder_or_in_a_bucket() -> None:
    assert environment.folder_or_bucket("", Path("/data/artifacts")) == (Path("/data/artifacts"), None)
    assert environment.folder_or_bucket("/mnt/files", Path("/data/artifacts")) == (Path("/mnt/files"), None)
    default, bucket = environment.folder_or_bucket("s3://ours/a/b/", Path("/data/artifacts"), key="k", secret="s")
    assert default == Path("/data/artifacts") and bucket == environment.Bucket("ours", "a/b", key="k", secret="s")
    assert environment.folder_or_bucket("s3://ours", Path("/x"))[1] == environment.Bucket("ours")
    for wrong in ("files", "s3:/ours/a", "s3://", "gs://ours", "s3://ours?versions"):
        with pytest.raises(ImproperlyConfigured, match="must be the whole path of a folder, or s3://bucket/prefix"):
            environment.folder_or_bucket(wrong, Path("/x"))
    with pytest.raises(ImproperlyConfigured, match="belong together"):
        environment.folder_or_bucket("s3://ours", Path("/x"), key="k")


def test_one_redis_address_serves_celery_too() -> None:
    assert environment.broker_from_redis("unix:///tmp/x/valkey.sock") == "redis+socket:///tmp/x/valkey.sock"
    assert environment.broker_from_redis("redis://host:6379/0") == "redis://host:6379/0"
    assert environment.broker_from_redis("") == "memory://"
    with pytest.raises(ImproperlyConfigured):
        environment.broker_from_redis("http://host")


def test_the_secret_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    first, second = (_in_a_fresh_process("print(settings.SECRET_KEY)", CELLWRIGHT_DATA=str(tmp_path)) for _ in range(2))
    assert first == second and len(first.strip()) > 40
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def test_a_data_folder_that_cannot_be_used_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env=os.environ | {"CELLWRIGHT_DATA": str(tmp_path / "file" / "folder")},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert found.returncode != 0
    assert len(found.stderr.strip().splitlines()) == 1 and "CELLWRIGHT_DATA" in found.stderr


def test_the_web_process_never_imports_pytorch(tmp_path: Path) -> None:
    code = "import sys, webapp.asgi, webapp.urls; print('torch' in sys.modules)"
    assert _in_a_fresh_process(code, CELLWRIGHT_DATA=str(tmp_path)).strip() == "False"


def test_the_version_is_the_first_heading_of_the_change_log() -> None:
    heading = next(line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## "))
    assert heading.split()[1] == settings.CODE_VERSION


def test_every_answer_carries_a_strict_policy(client: Client) -> None:
    policy = client.get("/sign-in").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.replace("style-src-attr 'unsafe-inline'", "")
    assert client.get("/sign-in").headers["Referrer-Policy"] == "same-origin"


def test_cookies_are_out_of_reach_for_scripts_and_other_sites() -> None:
    assert settings.SESSION_COOKIE_HTTPONLY and settings.SESSION_COOKIE_SAMESITE == "Lax"
    cookies = "settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE"
    secure = _in_a_fresh_process(f"print({cookies}, *settings.SECURE_REDIRECT_EXEMPT)", CELLWRIGHT_TLS="1")
    # The last three are asked past the proxy, over plain HTTP.
    assert secure.split() == ["True", "True", "^health$", "^ready$", "^metrics$"]


def _in_a_fresh_process(code: str, **variables: Any) -> str:
    lines = f"import django; django.setup(); from django.conf import settings; {code}"
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "webapp.settings"} | variables
    done = subprocess.run(
        [sys.executable, "-c", lines], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout
