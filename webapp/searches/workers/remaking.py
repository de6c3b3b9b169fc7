"""The strategy or the shared weights of a search got damaged: the job that made them is done again, from the files
before them, and makes the same bytes. Nothing of it is handed in but the file.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from webapp.searches import artifacts, results
from webapp.searches.leases import Claim
from webapp.searches.models import Job, Search
from webapp.searches.workers.trainer_process import Message
from webapp.searches.workers.trainer_requests import Request, is_whole, learn_request, path_of

GOES_ON_FROM_FILES = (Job.Kind.LEARN, *Job.PHASES)
WEIGHTS, STRATEGY = "file of the shared weights", "state of the controller"

log = logging.getLogger(__name__)
Ask = Callable[[Request], Message]  # Has a trainer do this, and returns what it says at the end.


class CannotRemake(Exception):
    """What it could be made from is damaged too, or came out differently. The message is a sentence for the user."""


class Remaking:
    """Of the search whose job was claimed."""

    def __init__(self, claim: Claim, spool: Path) -> None:
        self._claim = claim
        self._spool = spool
        self._search = Search.objects.get(pk=claim.stream_id)

    @property
    def config(self) -> Request:
        config: Request = self._search.config
        return config

    def damaged(self) -> tuple[str, ...]:
        """What is not as it was put into the store, in the order in which it can be made again."""
        search = self._search
        named = {WEIGHTS: search.weights, STRATEGY: search.strategy_state}
        found = [what for what, sha256 in named.items() if sha256 and not is_whole(self._claim, sha256)]
        if search.epochs_shared > search.steps_told:  # The newest weights were trained under this strategy.
            found.reverse()
        return tuple(found)

    def remake(self, what: str, ask: Ask) -> None:
        """Put the file into the store again. Raises CannotRemake."""
        search = self._search
        wanted = search.weights if what == WEIGHTS else search.strategy_state
        is_anew = not self._has(search.weights_before if what == WEIGHTS else search.strategy_before)
        log.error("The %s of search %s, %s, is damaged or gone; it is made again", what, search.pk, wanted)
        if not search.epochs:
            made = self._learned(ask, is_anew)
        elif what == WEIGHTS:
            made = self._shared(ask)["weights"]
        elif search.steps_told == 0:
            made = self._shared(ask)["state"]
        else:
            made = self._taught(ask)
        if made != wanted:
            raise CannotRemake(f"The {what} is damaged, and came out differently when it was computed again.")
        if (self._spool / made).exists():  # Of equal files the first was put already.
            artifacts.put(self._spool / made)
        results.record_damage_of_search(self._claim.job_id, self._claim.fence, what, is_anew=is_anew)

    def _learned(self, ask: Ask, is_anew: bool) -> str:
        """The strategy of a search that trains its children one by one: from the updates, whose rewards are rows."""
        search = self._search
        step, state = (-1, None) if is_anew else (search.steps_told - 1, self._source(search.strategy_before, STRATEGY))
        made = ""
        for each in range(step, search.steps_told):
            made = ask(learn_request(search, each, state))["state"]
            state = str(self._spool / made)
        return made

    def _shared(self, ask: Ask) -> Message:
        """What the last shared epoch left."""
        search = self._search
        step = search.epochs_shared - 1
        strategy = search.strategy_state if search.epochs_shared > search.steps_told else search.strategy_before
        sources: Request = {"strategy": None, "weights": None}  # As before the first epoch.
        if step > 0:
            weights = self._source(search.weights_before, WEIGHTS)
            sources = {"strategy": self._source(strategy, WEIGHTS), "weights": weights}
        return ask(
            {"do": "share", "step": step, "config": search.config, "changes": search.changes}
            | {"checkpoint": None, **sources}
        )

    def _taught(self, ask: Ask) -> str:
        """What the last controller phase left."""
        search = self._search
        weights = search.weights if search.epochs_shared == search.steps_told else search.weights_before
        request: Request = {"do": "teach", "step": search.steps_told - 1, "config": search.config}
        request |= {"changes": search.changes, "checkpoint": None}
        sources = {
            "strategy": self._source(search.strategy_before, STRATEGY), "weights": self._source(weights, STRATEGY),
        }  # fmt: skip
        made: str = ask(request | sources | {"fingerprint": ""})["state"]
        return made

    def _source(self, sha256: str, what: str) -> str:
        if not self._has(sha256):
            raise CannotRemake(f"The {what} is damaged, and so is what it could be computed from again.")
        return str(path_of(self._claim, sha256))

    def _has(self, sha256: str) -> bool:
        return is_whole(self._claim, sha256)
