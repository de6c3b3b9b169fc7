"""What a person may be called."""

import unicodedata
from typing import Any

from search_engine.errors import UserError
from webapp.accounts.models import User

LONGEST_NAME = 150
_SIGNS = ".-_'@+"
TAKEN = UserError("name", "is taken by somebody else; choose another one.")


def checked_name(given: str, *, besides: Any = None) -> str:
    """The name as it is kept. besides: the primary key of the user who has it already. Raises UserError."""
    name = unicodedata.normalize("NFC", given)
    if not name.strip():
        raise UserError("name", "is empty; choose one.")
    if len(name) > LONGEST_NAME:
        raise UserError("name", f"has {len(name):,} characters; at most {LONGEST_NAME} are possible.")
    wrong = next((sign for sign in name if not _may_stand(sign)), None)
    if wrong is not None:
        shown = wrong if wrong.isprintable() else f"U+{ord(wrong):04X}"
        raise UserError(
            "name", f"has {shown!r} in it; letters, figures, single blanks and {' '.join(_SIGNS)} are possible."
        )
    if name != " ".join(name.split()):
        raise UserError("name", "has a blank too many; single ones between words are possible.")
    # Two people whose names differ in the size of letters alone would be taken for each other.
    if User.objects.filter(name__iexact=name).exclude(pk=besides).exists():
        raise TAKEN
    return name


def _may_stand(sign: str) -> bool:
    # Letters of any script with their marks, and figures: no invisible signs, nothing that turns the direction.
    return sign == " " or sign in _SIGNS or unicodedata.category(sign)[0] in "LMN"
