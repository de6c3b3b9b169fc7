"""The images that are meant by what was typed behind --data, or stands in a file of settings."""

from pathlib import Path

from search_engine.data.descriptions import DESCRIPTIONS
from search_engine.data.own_images import keep_own_images
from search_engine.data.own_set import sha256_of_own
from search_engine.errors import ConfigError

FOLDER = "folder:"  # Before the path of a folder or zip where a name could be meant.


def named_images(name: str, folder: Path) -> str:
    """The name of a data set: a known one's, that of an own set that is kept, or of one that is kept now.

    folder: where sets are kept. Raises DataError where images cannot be taken, ConfigError where nothing is meant.
    """
    if any(known.name == name for known in DESCRIPTIONS) or sha256_of_own(name) is not None:
        return name
    path = Path(name.removeprefix(FOLDER)).expanduser()
    if name.startswith(FOLDER) or path.exists():
        return keep_own_images(path, folder)
    known = ", ".join(known.name for known in DESCRIPTIONS)
    raise ConfigError("data.name", f"is {name!r}; must be one of {known}, or a folder or zip with a folder per class.")
