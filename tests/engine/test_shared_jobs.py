"""The jobs of a search with shared weights: files, checkpoints, interruptions, and the same bits in the end."""

import hashlib
from pathlib import Path

import pytest
import torch

from search_engine import checkpoints
from search_engine.errors import CheckpointError
from search_engine.events import event_from_json
from search_engine.shared_jobs import SharedJobs
from search_engine.training.shared_building import prepare_shared
from tests.engine.toy_shared import shared_config

CPU = torch.device("cpu")
METHODS = pytest.mark.parametrize("method", ["enas-micro", "enas-macro", "enas-recurrent"])


class Jobs:
    """Runs jobs with a spool, as a worker would; interrupted as often as `interrupts` says."""

    def __init__(self, spool, config, *, interrupts=0, checkpoint_seconds=1000.0):
        spool.mkdir(exist_ok=True)
        self.spool, self.config, self.interrupts = spool, config, interrupts
        data = prepare_shared(config, folder=spool, device=CPU)
        self.jobs = SharedJobs(
            keep=lambda content: checkpoints.write_under_digest(spool, content),
            data_of=lambda _: data,
            is_interrupted=self._is_interrupted,
            device=CPU,
            checkpoint_seconds=checkpoint_seconds,
        )
        self.state = {"strategy": None, "weights": None, "checkpoint": None, "fingerprint": ""}
        self.checkpoints = 0

    def _is_interrupted(self):
        self.interrupts -= 1
        return self.interrupts >= 0

    def do(self, job, step=None):
        """Do a job, as often as it takes; its events."""
        while True:
            request = {"config": self.config.model_dump(mode="json"), **self.state}
            *messages, end = getattr(self.jobs, job)(request if step is None else request | {"step": step})
            kept = [message["checkpoint"] for message in messages if "checkpoint" in message]
            self.checkpoints += len(kept)
            if "done" in end:
                return [event_from_json(each["event"]) for each in messages if "event" in each], end["done"]
            assert end == {"interrupted": {}}
            self.state["checkpoint"] = str(self.spool / kept[-1])

    def whole(self):
        """All jobs of a search of two epochs: (events, fingerprint)."""
        events = []
        for step in range(2):
            shared, done = self.do("share", step)
            self.state |= {"strategy": self.path(done["state"]), "weights": self.path(done["weights"])}
            self.state["checkpoint"] = None
            taught, done = self.do("teach", step)
            self.state |= {"strategy": self.path(done["state"]), "checkpoint": None}
            self.state["fingerprint"] = taught[-1].fingerprint
            events += shared + taught
        derived, done = self.do("derive")
        return events + derived, done["fingerprint"]

    def path(self, name):
        return str(self.spool / name)


def without_seconds(events):
    return [event.model_copy(update={"seconds": 0.0}) if "seconds" in type(event).model_fields else event
            for event in events]  # fmt: skip


@METHODS
def test_a_search_that_is_interrupted_after_every_minibatch_and_round_ends_with_the_same_bits(method, tmp_path):
    config = shared_config(method)
    undisturbed = Jobs(tmp_path / "one", config)
    events, fingerprint = undisturbed.whole()
    disturbed = Jobs(tmp_path / "two", config, interrupts=10**6)
    again, same = disturbed.whole()
    assert same == fingerprint
    assert without_seconds(again) == without_seconds(events)
    assert undisturbed.checkpoints == 0 and disturbed.checkpoints == 2 * (4 + 2)  # None behind a last round.
    assert Path(undisturbed.state["weights"]).name == Path(disturbed.state["weights"]).name
    kinds = [event.kind for event in events]
    assert kinds == ["shared_epoch_ended", "controller_phase_ended"] * 2 + ["step_proposed"] + ["child_finished"] * 4


def test_checkpoints_come_by_the_clock_and_any_of_them_resumes(tmp_path):
    config = shared_config()
    whole = Jobs(tmp_path / "one", config)
    _, done = whole.do("share", 0)
    often = Jobs(tmp_path / "two", config, checkpoint_seconds=0.0)
    request = {"config": config.model_dump(mode="json"), **often.state, "step": 0}
    kept = [message["checkpoint"] for message in often.jobs.share(request) if "checkpoint" in message]
    assert 1 <= len(kept) <= 4  # Writing one takes time, and that is not spent again at once.
    for name in kept:
        *_, end = often.jobs.share(request | {"checkpoint": often.path(name)})
        assert end["done"] == done


def test_the_phase_names_the_file_of_the_weights_that_it_was_taught_under(tmp_path):
    jobs = Jobs(tmp_path, shared_config())
    _, done = jobs.do("share", 0)
    jobs.state |= {"strategy": jobs.path(done["state"]), "weights": jobs.path(done["weights"])}
    before = Path(jobs.state["weights"]).read_bytes()
    (event,), taught = jobs.do("teach", 0)
    assert event.weights_sha256 == done["weights"] == hashlib.sha256(before).hexdigest()
    assert taught["state"] != done["state"]
    assert Path(jobs.state["weights"]).read_bytes() == before


def test_a_shared_epoch_hands_the_strategy_on_unchanged(tmp_path):
    jobs = Jobs(tmp_path, shared_config())
    _, first = jobs.do("share", 0)
    jobs.state |= {"strategy": jobs.path(first["state"]), "weights": jobs.path(first["weights"])}
    _, second = jobs.do("share", 1)
    assert second["state"] == first["state"] and second["weights"] != first["weights"]


def test_a_checkpoint_of_a_phase_holds_no_weights(tmp_path):
    jobs = Jobs(tmp_path, shared_config())
    _, done = jobs.do("share", 0)
    jobs.state |= {"strategy": jobs.path(done["state"]), "weights": jobs.path(done["weights"])}
    jobs.interrupts = 1
    jobs.do("teach", 0)
    tensors, metadata = checkpoints.load(Path(jobs.state["checkpoint"]))
    assert metadata["kind"] == "teach" and metadata["position"]["rounds"] == 1
    shared, _ = checkpoints.load(Path(jobs.state["weights"]))
    assert not set(shared) & set(tensors)


def test_a_checkpoint_of_another_step_or_phase_is_refused(tmp_path):
    jobs = Jobs(tmp_path, shared_config(), interrupts=1)
    jobs.do("share", 0)
    request = {"config": jobs.config.model_dump(mode="json"), **jobs.state}
    with pytest.raises(CheckpointError, match='is no checkpoint of "share" in step 1'):
        list(jobs.jobs.share(request | {"step": 1}))
    with pytest.raises(CheckpointError, match='is no checkpoint of "teach" in step 0'):
        list(jobs.jobs.teach(request | {"step": 0}))


def test_progress_grows_over_the_jobs(tmp_path):
    jobs = Jobs(tmp_path, shared_config())
    counts = []
    _, done = jobs.do("share", 0)
    counts.append(jobs.jobs.progress)
    jobs.state |= {"strategy": jobs.path(done["state"]), "weights": jobs.path(done["weights"])}
    jobs.do("teach", 0)
    counts.append(jobs.jobs.progress)
    assert counts == [4, 4 + 3 * 2 + 1]
