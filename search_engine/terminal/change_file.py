"""What was changed in a search, as a file: one that is given, and the one that its folder keeps."""

import json
from collections.abc import Sequence
from pathlib import Path

from search_engine.checkpoints import atomic_write
from search_engine.config.changes import Change, read_changes
from search_engine.config.searches import AnySearchConfig
from search_engine.errors import ConfigError, UserError
from search_engine.events import LimitsChanged

NAME = "changes.json"


def read_change_file(path: Path, config: AnySearchConfig) -> tuple[Change, ...]:
    """The changes in a file, a JSON list, as the web's download has them. Raises UserError at "--changes"."""
    try:
        return read_changes(json.loads(path.read_bytes()), config)
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


def limits_changed(change: Change) -> LimitsChanged:
    """The event that says so."""
    totals = {"children": change.children, "epochs": change.epochs}
    limits = {name: total for name, total in totals.items() if total is not None}
    return LimitsChanged.model_validate({"limits": limits, "from_step": change.from_step})
