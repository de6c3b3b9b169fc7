"""How long a lost job stood still, in rows that a test writes."""

import pytest

from tests.faults import recovery
from tests.faults.recovery import Watch
from tests.web.example_search import a_search
from webapp.accounts.models import User
from webapp.searches import leases
from webapp.searches.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of the watch: the last of these."""
    found = [100.0]
    monkeypatch.setattr(recovery.time, "monotonic", lambda: found[-1])
    return found


def held(worker: str) -> Job:
    claim = leases.claim(worker, [kind.value for kind in Job.Kind])
    assert claim is not None
    return Job.objects.get(pk=claim.job_id)


def test_a_lost_job_is_timed_until_somebody_has_it_and_until_it_is_computed(times: list[float]) -> None:
    a_search(User.objects.create(name="owner"))
    watch, job = Watch(), held("a")
    watch.strike("worker", [job], is_hasty=False)
    times.append(103.0)
    assert not watch.look()  # Nobody has noticed.
    leases.lose(job.pk, job.fence, "killed")
    assert not watch.look()
    times.append(105.0)
    again = held("b")
    assert not watch.look()
    times.append(107.0)
    leases.renew(again.pk, again.fence, progress=3)
    assert watch.look()
    assert (watch.seconds("taken"), watch.seconds("goes_on")) == ([5.0], [7.0])


def test_what_a_hasty_strike_follows_counts_in_no_figure(times: list[float]) -> None:
    a_search(User.objects.create(name="owner"))
    watch, job = Watch(), held("a")
    watch.strike("worker", [job], is_hasty=False)
    leases.lose(job.pk, job.fence, "killed")
    again = held("b")
    leases.renew(again.pk, again.fence, progress=3)
    assert watch.look()
    watch.strike("web server", [], is_hasty=True)
    assert watch.counts() == {"jobs lost and timed": 0}


def test_the_percentiles_are_figures_that_were_seen() -> None:
    assert [recovery._share([1.0, 2.0, 3.0, 4.0], share) for share in (0.5, 0.99)] == [2.0, 4.0]
