"""Who most tests of the web act as, where files go, and what time it is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.web import loaded_code
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import clock


@pytest.fixture
def owner() -> User:
    return get_or_create_user("owner")


@pytest.fixture
def signed_in(owner: User, client: Client) -> Client:
    """A browser in which the owner is signed in."""
    client.force_login(owner)
    return client


@pytest.fixture
def store(settings: Any, tmp_path: Path) -> Path:
    """An empty folder of artifacts."""
    settings.ARTIFACTS_DIR = tmp_path / "store"
    return settings.ARTIFACTS_DIR


@pytest.fixture
def time() -> Iterator[list[float]]:
    """A clock that stands still until it is told to go: time[0] is now."""
    hand = [1000.0]
    with clock.replaced(lambda: hand[0]):
        yield hand


@pytest.fixture
def no_pickle() -> Iterator[None]:
    """Fails the test where this process reads a pickle or marshalled code meanwhile."""
    seen = loaded_code.listen()
    yield
    assert list(seen) == []
