"""A search or a training is put first or later over HTTP."""

import json

import pytest

from tests.web.example_search import a_search, a_training
from webapp.accounts.models import User
from webapp.searches import lifecycle
from webapp.searches.models import Stream

pytestmark = pytest.mark.django_db


def patch(client, address, body):
    answer = client.patch(address, json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json()


@pytest.fixture
def owner(client):
    owner = User.objects.create(name="owner")
    client.force_login(owner)
    return owner


def test_the_priority_is_set_and_told_of_both_kinds(client, owner):
    search = a_search(owner, children=1)
    training = a_training(owner, search)
    for address in (f"/api/searches/{search.pk}", f"/api/trainings/{training.pk}"):
        assert client.get(address).json()["priority"] == "normal"
        for word in ("first", "later", "later"):
            assert patch(client, address, {"priority": word})[0] == 200
            assert client.get(address).json()["priority"] == word
    assert b'value="later" selected' in client.get(f"/searches/{search.pk}").content
    assert b'value="later" selected' in client.get(f"/trainings/{training.pk}").content


def test_another_word_another_owner_and_an_ended_search_are_refused(client, owner):
    search = a_search(owner)
    address = f"/api/searches/{search.pk}"
    status, answer = patch(client, address, {"priority": "now"})
    assert status == 422 and answer["errors"][0]["field"] == "priority"
    assert patch(client, address, {"priority": 7})[0] == 422
    lifecycle.stop(search.pk)
    assert patch(client, address, {"priority": "first"})[0] == 409
    client.force_login(User.objects.create(name="stranger"))
    assert patch(client, address, {"priority": "first"})[0] == 404
    assert Stream.objects.get().priority == 0
