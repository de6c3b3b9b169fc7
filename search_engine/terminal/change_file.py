"""What was changed in a search, as a file: one that is given, and the one that its folder keeps."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from search_engine.architectures.reading import architecture_from_json
from search_engine.checkpoints import atomic_write
from search_engine.config.changes import Change, proposals_left_out, read_changes
from search_engine.config.searches import AnySearchConfig
from search_engine.errors import ConfigError, UserError
from search_engine.events import ArchitectureProposed, Event, LimitsChanged, SearchSteered
from search_engine.spaces.bans import banned_at, check_changes
from search_engine.spaces.build import build_space
from search_engine.spaces.proposals import decisions_of

NAME = "changes.json"


def read_change_file(path: Path, config: AnySearchConfig) -> tuple[Change, ...]:
    """The changes in a file, a JSON list, as the web's download has them. Raises UserError at "--changes"."""
    try:
        changes = read_changes(json.loads(path.read_bytes()), config)
        space = build_space(config.space)
        check_changes(space.decisions, changes)
        for place, change in enumerate(changes):
            if change.proposal is not None:
                decisions_of(space, change.proposal, f"changes.{place}.")
        return changes
    except ConfigError as error:
        raise UserError("--changes", f"{error.field} {error.message}") from error
    except ValueError as error:
        raise UserError("--changes", f"{path} does not hold JSON: {error}.") from error


def changes_of(folder: Path, config: AnySearchConfig, given: Sequence[Change] | None) -> tuple[Change, ...]:
    """Those that are given, or those that the folder of the search keeps."""
    if given is not None:
        return tuple(given)
    return read_change_file(folder / NAME, config) if (folder / NAME).exists() else ()


def keep_changes(folder: Path, changes: Sequence[Change]) -> None:
    """Let the folder know them; without any there is no file."""
    if changes or (folder / NAME).exists():
        content = json.dumps([change.to_json() for change in changes], indent=2)
        atomic_write(folder / NAME, content.encode() + b"\n")


def events_of(changes: Sequence[Change], config: AnySearchConfig) -> Iterator[Event]:
    """The events that say so."""
    for place, change in enumerate(changes):
        totals = {"children": change.children, "epochs": change.epochs}
        limits = {name: total for name, total in totals.items() if total is not None}
        if limits:
            left_out = proposals_left_out(config, changes[: place + 1]) or None
            told = {"limits": limits, "from_step": change.from_step, "proposals_left_out": left_out}
            yield LimitsChanged.model_validate(told)
        if change.bans:
            yield SearchSteered(bans=change.bans, from_step=change.from_step)
        if change.proposal is not None:
            yield proposed(change.proposal, change.from_step)


def proposed(architecture: dict[str, Any], from_step: int) -> ArchitectureProposed:
    """architecture: as JSON, of the search's space."""
    read = architecture_from_json(architecture)
    return ArchitectureProposed(architecture=read.to_json(), hash=read.hash, from_step=from_step)


def refuse_other_bans(config: AnySearchConfig, before: Sequence[Change], after: Sequence[Change], steps: range) -> None:
    """Raises UserError where these steps, which were drawn under the changes before, would have had other bans."""
    decisions = build_space(config.space).decisions
    for step in steps:
        if banned_at(decisions, before, step) != banned_at(decisions, after, step):
            raise UserError("--changes", f"would ban other options from step {step} on, which is drawn already.")
