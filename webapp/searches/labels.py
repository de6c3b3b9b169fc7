"""What a person writes on a search or a training to find it again: its name, tags and notes, and the archive.

Nothing of it changes what is computed, so none of it is an event.
"""

import re
import uuid
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from search_engine.errors import UserError
from webapp.searches import clock, planner
from webapp.searches.lifecycle import CommandRefused
from webapp.searches.models import Stream

LONGEST_NAME, LONGEST_TAG, LONGEST_NOTES = 80, 30, 4000  # Characters.
MOST_TAGS = 20
ENDED = (Stream.State.STOPPED, Stream.State.FINISHED, Stream.State.FAILED)
_TAG = re.compile(rf"[\w.+:/-]{{1,{LONGEST_TAG}}}")


def label(stream_id: uuid.UUID, wanted: dict[str, Any]) -> None:
    """Write "name", "tags", "notes" or "archived" (whether it stands in the archive), only what is there.

    All of it or nothing. Raises UserError for a tag that is none, and CommandRefused where what has not ended would be
    archived.
    """
    with transaction.atomic():
        stream = planner.locked_stream(stream_id)
        written = {name: wanted[name] for name in ("name", "notes") if name in wanted}
        if "tags" in wanted:
            written["tags"] = tags_of(wanted["tags"])
        if "archived" in wanted:
            written["archived"] = _archived(stream, wanted["archived"])
        Stream.objects.filter(pk=stream_id).update(**written)


def tags_of(words: Sequence[str]) -> list[str]:
    """As they are kept: in lower case, each once, rising. Raises UserError for the first that is no tag."""
    tags = sorted({_tag(word) for word in words})
    if len(tags) > MOST_TAGS:
        raise UserError("tags", f"are {len(tags)}; must be at most {MOST_TAGS}.")
    return tags


def _tag(word: str) -> str:
    tag = word.strip().lower()
    if not _TAG.fullmatch(tag):
        found = word if len(word) <= LONGEST_TAG else word[:LONGEST_TAG] + "…"
        rule = f"each must be one word of at most {LONGEST_TAG} letters, digits and the signs . + : / _ -"
        raise UserError("tags", f'hold "{found}"; {rule}')
    return tag


def _archived(stream: Stream, wanted: bool) -> float | None:
    """Since when: what stands there keeps its time."""
    if not wanted:
        return None
    if stream.state not in ENDED:
        raise CommandRefused(stream, "archived", ENDED)
    return stream.archived or clock.now()
