"""A search with shared weights without PyTorch: weights and strategies are hashes of all that they learned from.

Everything is a pure function of the configuration, as in the real engine, so what workers did under faults can be
compared with `straight_fingerprints`, one loop in one process.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from search_engine.config.enas_search import EnasMicroSearchConfig
from search_engine.config.reading import read_config
from search_engine.events import (
    ArchitectureScored,
    ChildFinished,
    ControllerPhaseEnded,
    ProposalShown,
    SharedEpochEnded,
    StepProposed,
    extend_by_phase,
    extend_fingerprint,
)
from tests.faults.fake_engine import OPTIONS, decode

MINIBATCHES = 3  # Of a shared epoch; behind each but the last there is a checkpoint.

State = dict[str, Any]


def small_config(
    *, epochs: int = 2, rounds: int = 3, candidates: int = 4, train: int = 1, seed: int = 1, name: str = "shared"
) -> EnasMicroSearchConfig:
    return read_config(
        EnasMicroSearchConfig,
        {
            "method": "enas-micro",
            "name": name,
            "strategy": {"kind": "random", "step_size": 2},
            "shared": {"epochs": epochs},
            "phases": {"rounds": rounds},
            "deriving": {"candidates": candidates, "train": train},
            "derived": {"normal_cells": 1, "filters": 4},
            "derived_recipe": {"epochs": 2},
            "reproducibility": {"seed": seed},
        },
    )


def encode(state: State) -> bytes:
    return json.dumps(state, sort_keys=True).encode()


def read(path: str | None, what: str, config: EnasMicroSearchConfig) -> State:
    """A file of a strategy or of weights; a fresh one where there is none."""
    if path is not None:
        state: State = json.loads(Path(path).read_text())
        return state
    return {"of": what, "value": digest([what, config.reproducibility.seed]), "at": 0}


def further(state: State, *learned: Any) -> State:
    """The state after one minibatch or round."""
    return {**state, "value": digest([state["value"], *learned]), "at": state["at"] + 1}


def at_rest(state: State) -> State:
    """As it is between two phases: its place inside one is forgotten."""
    return {**state, "at": 0}


def shared_epoch_ended(config: EnasMicroSearchConfig, step: int, weights: State) -> SharedEpochEnded:
    architecture = _architecture(weights, step)
    return SharedEpochEnded(
        step=step, epochs=config.epochs, minibatches=MINIBATCHES, loss=2.0 / (step + 1), accuracy=0.25,
        learning_rate=0.05, architecture=architecture.to_json(), hash=architecture.hash, seconds=1.0,
    )  # fmt: skip


def controller_phase_ended(
    config: EnasMicroSearchConfig, step: int, strategy: State, weights: State, fingerprint: str
) -> ControllerPhaseEnded:
    """strategy, weights: at rest, the strategy after the phase. fingerprint: before it."""
    state_sha256, weights_sha256 = digest(strategy), hashlib.sha256(encode(weights)).hexdigest()
    architecture = _architecture(strategy, step)
    scored = ArchitectureScored(architecture=architecture.to_json(), hash=architecture.hash, reward=0.5)
    return ControllerPhaseEnded(
        step=step, epochs=config.epochs, rounds=config.phases.rounds, seconds=1.0,
        policy=tuple(tuple(1 / len(options) for _ in options) for options in OPTIONS),
        entropies=(0.7, 1.1, 0.7), entropy=2.5, family_entropies={"input": 0.7, "operation": 0.9}, curve=(0.25, 0.5),
        mean_reward=0.375, best_reward=0.5, baseline=0.25, loss=None, divergence=None, accuracy=0.375, best=scored,
        sampled=scored, state_sha256=state_sha256, weights_sha256=weights_sha256,
        fingerprint=extend_by_phase(fingerprint, step, state_sha256, weights_sha256),
    )  # fmt: skip


def derived(
    config: EnasMicroSearchConfig, strategy: State, weights: State, fingerprint: str
) -> tuple[StepProposed, list[ChildFinished], str]:
    """Candidates, their scores, and the fingerprint of all."""
    drawn = []
    for slot in range(config.deriving.candidates):
        decisions = _decisions(strategy, slot)
        architecture = decode(decisions)
        drawn.append(
            ProposalShown(
                slot=slot, decisions=decisions, log_probability=-2.5, architecture=architecture.to_json(),
                hash=architecture.hash,
            )
        )  # fmt: skip
    policy = tuple(tuple(1 / len(options) for _ in options) for options in OPTIONS)
    proposed = StepProposed(step=0, policy=policy, entropies=(0.7, 1.1, 0.7), entropy=2.5, proposals=tuple(drawn))
    verdicts = [
        ChildFinished(
            step=0, slot=each.slot, reward=_share(weights, each.hash), parameters=10, mult_adds=20, seconds=0.5
        )
        for each in drawn
    ]
    children = [(each.architecture, verdict.reward) for each, verdict in zip(drawn, verdicts, strict=True)]
    return proposed, verdicts, extend_fingerprint(fingerprint, config.epochs, children, digest(strategy))


def straight_fingerprints(config: EnasMicroSearchConfig) -> list[str]:
    """After each step and after the candidates, in one process without faults."""
    strategy, weights = read(None, "strategy", config), read(None, "weights", config)
    fingerprints = [""]
    for step in range(config.epochs):
        for number in range(MINIBATCHES):
            weights = further(weights, strategy["value"], step, number)
        weights = at_rest(weights)
        for number in range(config.phases.rounds):
            strategy = further(strategy, weights["value"], step, number)
        strategy = at_rest(strategy)
        ended = controller_phase_ended(config, step, strategy, weights, fingerprints[-1])
        fingerprints.append(ended.fingerprint)
    return [*fingerprints, derived(config, strategy, weights, fingerprints[-1])[2]]


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, separators=(",", ":"), sort_keys=True).encode()).hexdigest()


def _architecture(state: State, number: int) -> Any:
    return decode(_decisions(state, number))


def _decisions(state: State, number: int) -> tuple[int, ...]:
    return tuple(
        int(digest([state["value"], number, place])[:8], 16) % len(options) for place, options in enumerate(OPTIONS)
    )


def _share(state: State, name: str) -> float:
    return int(digest([state["value"], name])[:12], 16) / 16**12
