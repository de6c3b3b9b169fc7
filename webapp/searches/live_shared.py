"""What the live state knows of shared weights: epoch by epoch, bounded. Its twin: frontend/static/js/live/shared.js.

A row of `curve` is one epoch: {"step", "loss", "trained", "learning_rate", "shared_seconds"} once the shared weights
have learned, and "held_out", "mean_reward", "best_reward", "baseline", "entropy", "entropies", "stretches",
"phase_seconds" once the controller has. trained, held_out: accuracy on images, perplexity on text, while learning and
on validation minibatches. entropies: by `families`. stretches: mean rewards within the phase, of the latest epochs
alone. `guess`: what guessing gives in that figure, by frequency on text, at random on images. `since`: when the phase
that goes on began.
"""

from typing import Any

from webapp.searches.bounded_lists import Limits, thinned

State = dict[str, Any]
WireEvent = dict[str, Any]

_NOT_TOLD: State = {
    "held_out": None, "mean_reward": None, "best_reward": None, "baseline": None, "entropy": None, "entropies": [],
    "stretches": [], "phase_seconds": None,
}  # fmt: skip


def started(event: WireEvent) -> State:
    """The part of the state that is there for shared weights alone."""
    is_text = event["data"].get("kind") == "text"
    return {
        "epochs": event["epochs"], "epochs_shared": 0, "steps_told": 0, "since": event["at"], "is_text": is_text,
        "guess": _guess(event["data"]), "families": [], "curve": [], "drawn": None, "best": None, "sampled": None,
    }  # fmt: skip


def _guess(data: State) -> float | None:
    if data.get("kind") == "text":
        return data["unigram_perplexity"]["valid"] if data.get("unigram_perplexity") else None
    classes = len(data.get("classes", []))
    return 1 / classes if classes else None


def shared_epoch_ended(after: State, event: WireEvent, limits: Limits) -> None:
    shared = after["shared"]
    row = {
        "step": event["step"],
        "loss": event["loss"],
        "trained": _figure(event),
        "learning_rate": event["learning_rate"],
        "shared_seconds": event["seconds"],
        **_NOT_TOLD,
    }
    after["shared"] = {
        **shared,
        "epochs_shared": event["step"] + 1,
        "since": event["at"],
        "drawn": {"step": event["step"], "hash": event["hash"]},
        "curve": thinned([*shared["curve"], row], limits.epochs, "step", "mean_reward"),
    }


def controller_phase_ended(after: State, event: WireEvent, limits: Limits) -> None:
    shared = after["shared"]
    told = {
        "held_out": _figure(event),
        "mean_reward": event["mean_reward"],
        "best_reward": event["best_reward"],
        "baseline": event["baseline"],
        "entropy": event["entropy"],
        "entropies": list(event["family_entropies"].values()),
        "stretches": event["curve"],
        "phase_seconds": event["seconds"],
    }
    rows = [{**row, **told} if row["step"] == event["step"] else row for row in shared["curve"]]
    newest = len(rows) - limits.curve
    after["shared"] = {
        **shared,
        "steps_told": event["step"] + 1,
        "since": event["at"],
        "families": list(event["family_entropies"]),
        "curve": [{**row, "stretches": []} if place < newest else row for place, row in enumerate(rows)],
        "best": _scored(event, "best"),
        "sampled": _scored(event, "sampled"),
    }
    after["updates"] += 1
    after["fingerprint"] = event["fingerprint"]


def _figure(event: WireEvent) -> float | None:
    """Accuracy or perplexity, whichever is there."""
    return event.get("accuracy", event.get("perplexity"))


def _scored(event: WireEvent, which: str) -> State:
    return {"step": event["step"], "hash": event[which]["hash"], "reward": event[which]["reward"]}
