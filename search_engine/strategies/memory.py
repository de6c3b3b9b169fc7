"""What a controller's search remembers of itself: what it drew before, and the best of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from search_engine.spaces.bans import Banned
from search_engine.strategies.uniform_draws import digest_of


class Memory:
    """best: the different architectures of highest reward, as (decisions, reward), the best first; the older of equals.

    A reward that was measured with luck stays: what is remembered is what was measured, not what is true.
    """

    def __init__(self, size: int) -> None:
        """size: how many of the best there are at most."""
        self._size = size
        self._drawn: set[int] = set()  # Digests of decisions: some bytes a child, whatever the space.
        self.best: tuple[tuple[tuple[int, ...], float], ...] = ()

    def is_new(self, decisions: Sequence[int]) -> bool:
        return digest_of(decisions) not in self._drawn

    def note_drawn(self, architectures: Sequence[Sequence[int]]) -> None:
        self._drawn |= set(map(digest_of, architectures))

    def note_rewards(self, rewarded: Sequence[tuple[tuple[int, ...], float]]) -> None:
        """rewarded: decisions and reward, in the order of their slots. Of one that comes again the better counts."""
        best: dict[tuple[int, ...], float] = {}
        for decisions, reward in sorted((*self.best, *rewarded), key=lambda one: -one[1]):
            best.setdefault(decisions, reward)
        self.best = tuple(best.items())[: self._size]

    def best_without(self, banned: Banned) -> list[tuple[int, ...]]:
        """The decisions of the best, of those that hold nothing that is banned."""
        gone = banned or ((),) * len(self.best[0][0] if self.best else ())
        return [
            decisions
            for decisions, _ in self.best
            if not any(option in out for option, out in zip(decisions, gone, strict=True))
        ]

    def to_json(self) -> dict[str, Any]:
        return {"drawn": sorted(self._drawn), "best": [[list(decisions), reward] for decisions, reward in self.best]}

    def load_json(self, value: Mapping[str, Any]) -> None:
        self._drawn = set(value["drawn"])
        self.best = tuple((tuple(decisions), reward) for decisions, reward in value["best"])
