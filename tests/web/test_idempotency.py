import threading

import pytest
from django.db import IntegrityError, connection

from webapp.accounts.models import User
from webapp.searches import idempotency
from webapp.searches.models import Group, Request

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return User.objects.create(name="owner")


def making_a_group(owner):
    def act():
        group = Group.objects.create(owner=owner, name="made")
        return 201, {"id": str(group.pk)}

    return act


def once(owner, key="k", path="/api/searches", body=b"{}"):
    return idempotency.once(owner, key, path, body, making_a_group(owner))


def test_the_same_request_again_gets_the_same_reply_and_does_nothing(owner):
    assert once(owner) == once(owner)
    assert Group.objects.count() == 1


def test_without_a_key_every_request_counts(owner):
    assert once(owner, key="") != once(owner, key="")
    assert Request.objects.count() == 0


def test_keys_of_two_people_have_nothing_to_do_with_each_other(owner):
    assert once(owner) != once(User.objects.create(name="other"))


@pytest.mark.parametrize("change", [{"body": b"{ }"}, {"path": "/api/trainings"}])
def test_a_key_that_is_used_for_another_request_is_refused(owner, change):
    once(owner)
    with pytest.raises(idempotency.KeyReused):
        once(owner, **change)
    assert Group.objects.count() == 1


def test_a_request_that_failed_may_be_tried_again_with_its_key(owner):
    def fail():
        Group.objects.create(owner=owner)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        idempotency.once(owner, "k", "/api/searches", b"{}", fail)
    assert Group.objects.count() == 0
    assert once(owner)[0] == 201


def test_whoever_is_overtaken_is_undone_and_gets_the_first_reply(owner, monkeypatch):
    first = once(owner)
    look = idempotency._earlier

    def look_before_the_other_commits(*arguments):
        monkeypatch.setattr(idempotency, "_earlier", look)

    monkeypatch.setattr(idempotency, "_earlier", look_before_the_other_commits)
    assert once(owner) == first
    assert Group.objects.count() == 1


def test_a_broken_rule_of_the_database_is_not_taken_for_a_repetition(owner):
    def break_a_rule():
        Group.objects.create(pk=Group.objects.create(owner=owner).pk, owner=owner)

    with pytest.raises(IntegrityError):
        idempotency.once(owner, "k", "/api/searches", b"{}", break_a_rule)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_one_thing(owner):
    replies = []

    def send():
        try:
            replies.append(once(owner))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(replies) == 6 and replies == [replies[0]] * 6
    assert Group.objects.count() == 1
