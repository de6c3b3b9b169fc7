"""What must always hold of a search with shared weights, beside what holds of every stream (see `checker`)."""

from collections.abc import Iterator

from search_engine.config.searches import read_enas_config
from search_engine.events import extend_by_phase, extend_fingerprint
from search_engine.schedule import MeasuredChild, best_children
from webapp.searches import shared_results
from webapp.searches.live_state import WireEvent
from webapp.searches.models import Artifact, AskedScore, Child, Job, Search, Stream, Training


def problems(search: Search, events: list[WireEvent]) -> Iterator[str]:
    """Everything that is wrong with its phases, files, fingerprint and trainings, a sentence each."""
    phases = [event for event in events if event["kind"] in ("shared_epoch_ended", "controller_phase_ended")]
    told = [(event["kind"], event["step"]) for event in phases]
    turns = [(kind, step) for step in range(search.epochs) for kind in ("shared_epoch_ended", "controller_phase_ended")]
    done = search.epochs_shared + search.steps_told
    if told != turns[:done] or search.epochs_shared - search.steps_told not in (0, 1):
        yield f"The log tells of the phases {told}; the row of {search.epochs_shared} and {search.steps_told}."
        return
    yield from _file_problems(search)
    yield from _fingerprint_problems(search, [each for each in phases if each["kind"] == "controller_phase_ended"])
    yield from _asked_problems(search)
    if search.state == Stream.State.FINISHED and search.steps_told != search.epochs:
        yield f"The search is finished after {search.steps_told} of {search.epochs} epochs."


def _file_problems(search: Search) -> Iterator[str]:
    """What can be downloaded is what the row goes on from."""
    offered = dict(Artifact.objects.filter(stream_id=search.pk).values_list("label", "sha256"))
    if offered.get(shared_results.WEIGHTS_LABEL, "") != search.weights:
        yield "The shared weights that can be downloaded are not those of the row."
    if search.steps_told and offered.get(shared_results.CONTROLLER_LABEL) != search.strategy_state:
        yield "The controller that can be downloaded is not that of the row."


def _asked_problems(search: Search) -> Iterator[str]:
    """Somebody is to answer what was asked."""
    waiting = AskedScore.objects.waiting(search.pk).count()
    jobs = Job.objects.filter(stream_id=search.pk, kind=Job.Kind.SCORE, state__in=(Job.State.DUE, Job.State.LEASED))
    if waiting and not jobs.exists():
        yield f"Scores were asked for, {waiting} of them are not there, and nobody is to compute them."


def _fingerprint_problems(search: Search, phases: list[WireEvent]) -> Iterator[str]:
    """The fingerprint follows from the phases, and then from the candidates."""
    fingerprint = ""
    for event in phases:
        fingerprint = extend_by_phase(fingerprint, event["step"], event["state_sha256"], event["weights_sha256"])
        if fingerprint != event["fingerprint"]:
            yield f"The fingerprint of step {event['step']} does not follow from its phases."
            return
    if phases and search.epochs_shared == search.steps_told and phases[-1]["weights_sha256"] != search.weights:
        yield "The row has other shared weights than the last controller phase was told under."
    children = [(child.architecture, child.reward) for child in Child.objects.filter(search=search).order_by("slot")]
    if children:
        fingerprint = extend_fingerprint(fingerprint, search.epochs, children, phases[-1]["state_sha256"])
    if fingerprint != search.fingerprint:
        yield "The row has another fingerprint than the log."


def missing_trainings(search: Search) -> Iterator[str]:
    """The best candidates are trained from scratch, or the search says why not. Not so where one was deleted since."""
    config = read_enas_config(search.config)
    measured = Child.objects.filter(search=search, reward__isnull=False, reason="")
    rows = measured.values_list("reward", "step", "slot", "hash")
    best = best_children((MeasuredChild(*row) for row in rows), config.deriving.train)
    trained = set(Training.objects.filter(child__search=search).values_list("child__slot", flat=True))
    missing = [child.slot for child in best if child.slot not in trained]
    if missing and not search.reason:
        yield f"The candidates {missing} are not trained from scratch."
