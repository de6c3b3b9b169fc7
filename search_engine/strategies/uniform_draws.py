"""Decisions as such: uniform draws, which are the whole of random search and where others begin, and their digest."""

import math
from collections.abc import Sequence

from search_engine.seeds import derive
from search_engine.spaces.bans import Banned
from search_engine.spaces.base import Decision

Left = Sequence[Sequence[int]]  # For each decision its options that may be drawn, rising.


def options_left(decisions: Sequence[Decision], banned: Banned) -> list[list[int]]:
    """The options of each decision that may be drawn."""
    everything = [range(len(decision.options)) for decision in decisions]
    gone = banned or ((),) * len(everything)
    return [[option for option in all_ if option not in out] for all_, out in zip(everything, gone, strict=True)]


def uniform_decisions(seed: int, purpose: str, step: int, slot: int, left: Left) -> list[int]:
    """One option of each decision, by (seed, purpose, step, slot) alone."""
    # A digest modulo the number of options is the same in every version of Python; of 2 ** 63 values, the bias is
    # below 1e-17 of any number of options here.
    return [options[derive(seed, purpose, step, slot, index) % len(options)] for index, options in enumerate(left)]


def uniform_policy(decisions: Sequence[Decision], left: Left) -> tuple[tuple[float, ...], ...]:
    """How probable each option of each decision is."""
    return tuple(
        tuple(1 / len(options) if option in options else 0.0 for option in range(len(decision.options)))
        for options, decision in zip(left, decisions, strict=True)
    )


def uniform_entropies(left: Left) -> tuple[float, ...]:
    """In nats, of each decision. Their sum is minus the log-probability of each draw."""
    return tuple(math.log(len(options)) for options in left)


def digest_of(decisions: Sequence[int]) -> int:
    """63 bits that stand for a list of decisions."""
    return derive(0, "decisions", *decisions)
