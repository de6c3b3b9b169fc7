"""Our own JSON: holds every architecture."""

import json
from collections.abc import Mapping

from search_engine.architectures.reading import Architecture, architecture_from_json
from search_engine.errors import ArchitectureError
from search_engine.formats.base import CannotHold, Found


def read(text: str) -> Found:
    """The architecture, or the one inside an object that has "architecture". Raises ArchitectureError."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
            raise ArchitectureError("", f"the text ends inside the JSON, on line {error.lineno}.") from error
        raise ArchitectureError("", f"line {error.lineno}, column {error.colno} is not JSON: {error.msg}.") from error
    except (ValueError, RecursionError) as error:
        raise ArchitectureError("", "the text is no JSON of an architecture.") from error
    if isinstance(value, Mapping) and isinstance(value.get("architecture"), Mapping):
        value = value["architecture"]
    return Found(architecture_from_json(value))


def write(architecture: Architecture) -> str | CannotHold:
    return json.dumps(architecture.to_json(), indent=2) + "\n"
