"""What the JSON forms and the hashes of all kinds of architecture share."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from search_engine.errors import ArchitectureError

FORMAT_VERSION = 1


def digest(canonical: Any) -> str:
    """SHA-256 of a canonical encoding, lists and names in JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(canonical, separators=(",", ":")).encode()).hexdigest()


def whole_numbers(value: Any, field: str) -> tuple[int, ...]:
    """A list of whole numbers. Raises ArchitectureError at the field."""
    if not isinstance(value, list | tuple) or any(type(number) is not int for number in value):
        raise ArchitectureError(field, "must be a list of whole numbers.")
    return tuple(value)


def rows(value: Mapping[str, Any], name: str, keys: tuple[str, ...]) -> list[Mapping[str, Any]]:
    """The list of objects at `name`, each with these keys. Raises ArchitectureError at what is wrong."""
    found = value.get(name)
    if not isinstance(found, list):
        raise ArchitectureError(name, f"must be a list of objects with {', '.join(keys)}.")
    for index, row in enumerate(found):
        if not isinstance(row, Mapping) or any(key not in row for key in keys):
            raise ArchitectureError(f"{name}.{index}", f"must be an object with {', '.join(keys)}.")
    return found
