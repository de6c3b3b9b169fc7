"""What the JSON forms and the hashes of all kinds of architecture share."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from search_engine.errors import ArchitectureError

FORMAT_VERSION = 1
_LONGEST_KEY = 60  # Characters of an unknown key that a refusal repeats.


def digest(canonical: Any) -> str:
    """SHA-256 of a canonical encoding, lists and names in JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(canonical, separators=(",", ":")).encode()).hexdigest()


def only_parts(value: Mapping[str, Any], place: str, what: str, parts: tuple[str, ...]) -> None:
    """Raises ArchitectureError at the first key of `value` that is none of `parts`: a slip must not be left out.

    place: the field that holds the value, "" for all of an architecture. what: its name in a sentence.
    """
    for key in value:
        if key not in parts:
            shown = str(key)[:_LONGEST_KEY]
            field = f"{place}.{shown}" if place else shown
            raise ArchitectureError(field, f"is no part of {what}, which has {', '.join(parts[:-1])} and {parts[-1]}.")


def whole_numbers(value: Any, field: str) -> tuple[int, ...]:
    """A list of whole numbers. Raises ArchitectureError at the field."""
    if not isinstance(value, list | tuple) or any(type(number) is not int for number in value):
        raise ArchitectureError(field, "must be a list of whole numbers.")
    return tuple(value)


def rows(value: Mapping[str, Any], name: str, keys: tuple[str, ...]) -> list[Mapping[str, Any]]:
    """The list of objects at `name`, each with these keys and no other. Raises ArchitectureError at what is wrong."""
    found = value.get(name)
    if not isinstance(found, list):
        raise ArchitectureError(name, f"must be a list of objects with {', '.join(keys)}.")
    for index, row in enumerate(found):
        if isinstance(row, Mapping):
            only_parts(row, f"{name}.{index}", f"an entry of {name}", keys)
        if not isinstance(row, Mapping) or any(key not in row for key in keys):
            raise ArchitectureError(f"{name}.{index}", f"must be an object with {', '.join(keys)}.")
    return found
