import gzip
import re

import pytest
from django.conf import settings
from django.test import Client

from tests.web.example_search import a_search
from webapp.accounts.models import User
from webapp.compression import Compressed

GZIP = {"Accept-Encoding": "gzip, br"}
SCRIPT = f"{settings.STATIC_URL}js/live/state.js"


@pytest.fixture
def owner(db):
    return User.objects.create(name="owner")


@pytest.fixture
def browser(owner):
    client = Client(headers=GZIP)
    client.force_login(owner)
    return client


def test_a_page_and_an_answer_of_the_api_travel_compressed(browser, owner):
    search = a_search(owner, children=20)
    for path in (f"/searches/{search.pk}", f"/api/searches/{search.pk}/children"):
        packed = browser.get(path)
        plain = Client(headers={"Cookie": f"sessionid={browser.cookies['sessionid'].value}"}).get(path)
        assert packed["Content-Encoding"] == "gzip" and "Accept-Encoding" in packed["Vary"]
        assert "Content-Encoding" not in plain and "Accept-Encoding" in plain["Vary"]
        assert len(packed.content) < len(plain.content) / 2
        assert _without_tokens(gzip.decompress(packed.content)) == _without_tokens(plain.content)


def test_a_script_is_compressed_once_and_stays_the_same_script(browser, monkeypatch):
    monkeypatch.setattr(Compressed, "_files", {})
    first, second = browser.get(SCRIPT), browser.get(SCRIPT)
    source = (settings.HOME / "frontend/static/js/live/state.js").read_bytes()
    assert gzip.decompress(first.content) == source and first.content == second.content
    assert first["Content-Length"] == str(len(first.content)) and "immutable" in first["Cache-Control"]
    assert list(Compressed._files) == [SCRIPT]


def test_whoever_cannot_read_gzip_gets_the_script_as_it_is():
    answer = Client().get(SCRIPT)
    assert "Content-Encoding" not in answer and answer["Vary"] == "Accept-Encoding"
    assert b"".join(answer).startswith(b"/**")


def test_a_part_of_a_file_and_an_unchanged_one_are_left_alone(browser):
    part = browser.get(SCRIPT, headers={"Range": "bytes=0-9"})
    assert part.status_code == 206 and "Content-Encoding" not in part and len(b"".join(part)) == 10
    tag = browser.get(SCRIPT)["ETag"]
    again = browser.get(SCRIPT, headers={"If-None-Match": tag})
    assert again.status_code == 304 and not again.getvalue()


def _without_tokens(page):
    """A page's tokens against forgery are new in every answer."""
    return re.sub(rb'(csrf-token" content|csrfmiddlewaretoken" value)="\w+"', b"", page)
