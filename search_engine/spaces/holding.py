"""Whether a space holds an architecture that somebody brings, and how the space itself writes it."""

from search_engine.architectures.reading import Architecture
from search_engine.errors import ArchitectureError
from search_engine.spaces.base import Space


def held(space: Space, architecture: Architecture) -> Architecture:
    """The architecture as the space writes it: isomorphic ones take different paths through shared weights.

    Raises ArchitectureError at "architecture" where the space does not hold it.
    """
    try:
        return space.decode(space.encode(architecture))
    except ArchitectureError as error:
        what = str(error).rstrip(".")
        raise ArchitectureError("architecture", f"is not in the space of this search ({what}).") from error
