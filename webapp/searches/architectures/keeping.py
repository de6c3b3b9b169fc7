"""Reading what somebody pasted, and keeping, renaming and deleting it."""

from typing import Any

from django.conf import settings

from search_engine.errors import ArchitectureError
from search_engine.formats.dialects import Reading, read
from webapp.searches import clock
from webapp.searches.models import ImportedArchitecture

MOST_TEXT_BYTES = 100_000
LONGEST_NAME = 80  # Characters, as the row has it.
NO_NAME = f"is empty; must have 1 to {LONGEST_NAME} characters."


def read_pasted(text: str, dialect: str | None) -> Reading:
    """What was pasted. dialect: None recognises it. Raises ArchitectureError with one sentence."""
    _check_characters("text", text)
    size = len(text.encode())
    if size > MOST_TEXT_BYTES:
        raise ArchitectureError("text", f"has {size:,} bytes; must have at most {MOST_TEXT_BYTES:,}.")
    if not text.strip():
        raise ArchitectureError("text", "is empty; paste an architecture in one of the dialects.")
    return read(text, dialect)


def checked_name(name: str) -> str:
    """A name without blanks around it. Raises ArchitectureError at the field name."""
    _check_characters("name", name)
    name = " ".join(name.split())
    if not name:
        raise ArchitectureError("name", NO_NAME)
    if len(name) > LONGEST_NAME:
        raise ArchitectureError("name", f"has {len(name)} characters; must have at most {LONGEST_NAME}.")
    return name


def keep(owner: Any, name: str, reading: Reading, text: str) -> tuple[ImportedArchitecture, bool]:
    """The row, and whether it is new: the same architecture is kept once, under the name that it has already."""
    architecture = reading.architecture
    return ImportedArchitecture.objects.get_or_create(
        owner=owner,
        hash=architecture.hash,
        bundle="",
        defaults={
            "name": checked_name(name),
            "architecture": architecture.to_json(),
            "dialect": reading.dialect,
            "text": text,
            "created": clock.now(),
            "code_version": settings.CODE_VERSION,
        },
    )


def rename(row: ImportedArchitecture, name: str) -> None:
    row.name = checked_name(name)
    row.save(update_fields=["name"])


def delete(row: ImportedArchitecture) -> None:
    """Trainings of it stay: they hold its architecture themselves. A bundle that no row names is swept away."""
    row.delete()


def _check_characters(field: str, text: str) -> None:
    """What no database keeps and nobody pastes on purpose."""
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        raise ArchitectureError(field, "holds characters that are no text; copy it again from its source.")
