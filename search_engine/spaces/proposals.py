"""Architectures that a person proposes to a running search: they must belong to its space."""

from collections.abc import Mapping, Sequence
from typing import Any

from search_engine.architectures.reading import architecture_from_json
from search_engine.config.changes import Change
from search_engine.errors import ArchitectureError, ConfigError
from search_engine.spaces.base import Space


def proposed_at(space: Space, changes: Sequence[Change], step: int) -> tuple[tuple[int, ...], ...]:
    """The decisions of what was proposed for a step, in the order in which it was. Raises ConfigError."""
    return tuple(
        decisions_of(space, change.proposal, f"changes.{place}.")
        for place, change in enumerate(changes)
        if change.proposal is not None and change.from_step == step
    )


def decisions_of(space: Space, proposal: Mapping[str, Any], before: str = "") -> tuple[int, ...]:
    """The decisions that lead to an architecture. Raises ConfigError at "proposal", behind `before`, where the space
    does not hold it."""
    try:
        return space.encode(architecture_from_json(proposal))
    except ArchitectureError as error:
        raise ConfigError(f"{before}proposal.{error.field}".rstrip("."), error.message) from error
