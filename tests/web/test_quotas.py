"""Quotas: what is used and reserved, what is refused before a row exists, and that two cannot take the last place."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from search_engine.errors import UserError
from tests.web.example_search import CONFIG, a_search, a_training, demo_json
from webapp.accounts.models import User
from webapp.searches import deletion, leases, lifecycle, quotas, running_time
from webapp.searches.models import Job, OwnData, Search, Stream
from webapp.searches.quotas import GIGABYTE, HOUR, Usage, Weight

pytestmark = pytest.mark.django_db


def allow(user: User, **quota: float | None) -> None:
    User.objects.filter(pk=user.pk).update(**quota)


def test_whoever_has_no_quota_may_do_anything(owner: User) -> None:
    assert quotas.refusals(owner, Weight(1e12, 10**15)) == []


def test_open_searches_and_trainings_count_and_those_that_have_ended_do_not(owner: User) -> None:
    open_one = a_search(owner, children=1)
    ended = a_training(owner, open_one)
    lifecycle.stop(ended.pk)
    assert quotas.usage_of(owner).running == 1
    allow(owner, most_running=1)
    with pytest.raises(UserError, match="You have 1 searches and trainings open; your quota is 1"):
        quotas.reserve(owner, Weight())
    lifecycle.stop(open_one.pk)
    quotas.reserve(owner, Weight())


def test_hours_are_reserved_while_it_is_open_and_counted_when_it_has_ended(owner: User) -> None:
    search = a_search(owner)
    Stream.objects.filter(pk=search.pk).update(reserved_seconds=5 * HOUR, worked_seconds=HOUR)
    assert quotas.usage_of(owner).worker_seconds == 5 * HOUR
    allow(owner, most_worker_hours=6.0)
    assert [str(error) for error in quotas.refusals(owner, Weight(worker_seconds=2 * HOUR))] == [
        "This takes about 2.0 hours of workers; of your quota of 6 there are 1.0 left. "
        "Make it smaller, or ask an administrator for more."
    ]
    lifecycle.stop(search.pk)
    assert quotas.usage_of(owner).worker_seconds == HOUR
    assert quotas.refusals(owner, Weight(worker_seconds=2 * HOUR)) == []


def test_what_a_worker_spends_on_a_job_is_counted_when_it_lets_the_job_go(owner: User, time: list[float]) -> None:
    search = a_search(owner, children=0)
    claim = leases.claim("w", [Job.Kind.LEARN])
    assert claim is not None
    time[0] += 3.0
    leases.renew(claim.job_id, claim.fence, 1)
    time[0] += 1.5
    leases.release(claim.job_id, claim.fence)
    assert Stream.objects.get(pk=search.pk).worked_seconds == pytest.approx(4.5)


def test_a_clock_that_is_set_forward_spends_nothing(owner: User, time: list[float]) -> None:
    search = a_search(owner, children=0)
    claim = leases.claim("w", [Job.Kind.LEARN])
    assert claim is not None
    time[0] += 1000.0
    running_time.clock_was_set(999.0)
    lifecycle.stop(search.pk)
    assert Stream.objects.get(pk=search.pk).worked_seconds == pytest.approx(1.0)


def test_hours_that_were_spent_stay_spent_when_the_search_is_deleted(owner: User, store: Any) -> None:
    search = a_search(owner)
    Stream.objects.filter(pk=search.pk).update(worked_seconds=7 * HOUR)
    deletion.delete(search.pk)
    assert deletion.remove_deleted() == 1
    assert quotas.usage_of(owner) == Usage(running=0, bytes=0, worker_seconds=7 * HOUR)


def test_bytes_of_uploads_and_reservations_count(owner: User) -> None:
    search = a_search(owner)
    Stream.objects.filter(pk=search.pk).update(reserved_bytes=2 * 10**9)
    OwnData.objects.create(owner=owner, title="x", filename="x.zip", size=10**9, created=0, touched=0)
    assert quotas.usage_of(owner).bytes == 3 * GIGABYTE
    allow(owner, most_bytes=4 * 10**9)
    assert [str(error) for error in quotas.refusals(owner, Weight(bytes=2 * 10**9), starts=False)] == [
        "This needs about 2.0 GB; of your quota of 4.0 GB there are 1.0 left. "
        "Delete what you no longer need, or ask an administrator for more."
    ]
    assert quotas.refusals(owner, Weight(bytes=10**9), starts=False) == []


def test_an_upload_above_the_quota_is_refused_before_a_row_exists(signed_in: Client, owner: User) -> None:
    allow(owner, most_bytes=1000)
    answer = signed_in.post("/api/data/uploads", {"filename": "x.zip", "size": 2000}, content_type="application/json")
    assert answer.status_code == 422 and "GB" in answer.json()["errors"][0]["message"]
    assert not OwnData.objects.exists()


def test_a_search_above_the_quota_is_refused_in_a_sentence_that_the_estimate_says_before(
    signed_in: Client, owner: User
) -> None:
    allow(owner, most_running=0)
    body = {"config": demo_json()}
    estimate = signed_in.post("/api/searches/estimate", body, content_type="application/json").json()
    answer = signed_in.post("/api/searches", body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "", "message": estimate["notes"][0]}]
    assert estimate["notes"][0].startswith("You have 0 searches and trainings open; your quota is 0.")
    assert not Search.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_who_start_at_once_only_as_many_begin_as_the_quota_lets(owner: User) -> None:
    allow(owner, most_running=1)
    refused: list[str] = []
    gate = threading.Barrier(20)

    def start() -> None:
        try:
            gate.wait()
            lifecycle.create_search(owner, CONFIG, decisions=(), data={}, weight=Weight())
        except UserError as error:
            refused.append(error.message)
        finally:
            connection.close()

    threads = [threading.Thread(target=start) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Search.objects.count() == 1
    assert len(refused) == 19
