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

ROOT = Path(__file__).resolve().parents[2]


def variables_read() -> set[str]:
    """Names that settings.py asks the environment for."""
    tree = ast.parse((ROOT / "webapp/settings.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return {
        ast.literal_eval(call.args[0])
        for call in calls
        if getattr(call.func.value, "id", "") == "environment" and call.func.attr in ("text", "number", "flag", "words")
    }


def test_every_variable_is_documented_with_a_sentence_and_nothing_else_is() -> None:
    example = (ROOT / "deploy/.env.example").read_text()
    documented = re.findall(r"^([A-Z_]+)=", example, flags=re.MULTILINE)
    assert set(documented) == variables_read()
    assert len(documented) == len(set(documented))
    for paragraph in example.strip().split("\n\n")[1:]:
        assert re.match(r"# [A-Z0-9].*[.:]", paragraph), paragraph


def test_nothing_but_the_readers_looks_into_the_environment() -> None:
    reading = re.compile(r"os\.(environ|getenv)")
    allowed = {"environment.py", "asgi.py", "celery.py", "up.py", "trainer_process.py", "settings.py"}
    found = {path.name for path in (ROOT / "webapp").rglob("*.py") if reading.search(path.read_text())}
    assert found <= allowed, found - allowed  # The last three hand it on, or ask how many cores there are.


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
    secure = _in_a_fresh_process(
        "print(settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE)", CELLWRIGHT_TLS="1"
    )
    assert secure.split() == ["True", "True"]


def _in_a_fresh_process(code: str, **variables: Any) -> str:
    lines = f"import django; django.setup(); from django.conf import settings; {code}"
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "webapp.settings"} | variables
    done = subprocess.run(
        [sys.executable, "-c", lines], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout
