"""/ready says in a word each what answers, tells no more to anybody, and costs nothing when it is asked often."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client

from webapp import ready
from webapp.supervisor import broker

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_seen_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "_seen", None)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[str]:
    """The address of a real one."""
    address = tmp_path / "valkey.sock"
    server = subprocess.Popen(broker.server_command(address), stdout=subprocess.DEVNULL)
    try:
        while not broker.answers(address):
            assert server.poll() is None
        yield f"unix://{address}"
    finally:
        server.kill()
        server.wait()


def test_everything_answers(client: Client, settings: Any, store: Path, valkey: str) -> None:
    settings.REDIS_URL = valkey
    answer = client.get("/ready")
    assert (answer.status_code, answer.content) == (200, b"database: ok\nbroker: ok\nartifacts: ok\n")
    assert "no-store" in answer.headers["Cache-Control"]


def test_without_an_address_the_broker_is_unused_and_that_is_no_trouble(client: Client, store: Path) -> None:
    answer = client.get("/ready")
    assert (answer.status_code, answer.content) == (200, b"database: ok\nbroker: unused\nartifacts: ok\n")


def test_a_database_that_is_away_is_one_word(client: Client, monkeypatch: pytest.MonkeyPatch, store: Path) -> None:
    class Away:
        def cursor(self) -> None:
            raise DatabaseError("hunter2")

    monkeypatch.setattr(ready, "connection", Away())
    answer = client.get("/ready")
    assert (answer.status_code, answer.content) == (503, b"database: away\nbroker: unused\nartifacts: ok\n")


def test_a_broker_that_is_away_is_one_word(client: Client, settings: Any, store: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # Taken, and nobody listens.
        settings.REDIS_URL = f"redis://:hunter2@127.0.0.1:{nobody.getsockname()[1]}/0"
        answer = client.get("/ready")
    assert (answer.status_code, answer.content) == (503, b"database: ok\nbroker: away\nartifacts: ok\n")


def test_a_folder_that_takes_no_files_is_one_word(client: Client, settings: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings.ARTIFACTS_DIR = tmp_path / "file" / "artifacts"
    answer = client.get("/ready")
    assert (answer.status_code, answer.content) == (503, b"database: ok\nbroker: unused\nartifacts: away\n")


def test_whoever_asks_again_within_a_second_is_told_what_was_seen(
    client: Client, store: Path, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with django_assert_num_queries(1):
        client.get("/ready")
    with django_assert_num_queries(0):
        client.get("/ready")
    monkeypatch.setattr(ready, "FRESH_SECONDS", 0.0)
    with django_assert_num_queries(1):
        client.get("/ready")
