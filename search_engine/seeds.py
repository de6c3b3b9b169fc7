"""Every random number comes from a fresh generator, seeded by what it is for.

Nothing about randomness is ever saved: a step can be repeated anywhere, in any order, because the
seed of each draw is a pure function of the search's seed and of the place where the draw happens.
"""

import hashlib
from dataclasses import dataclass


def derive(seed: int, purpose: str, *place: int) -> int:
    """The seed of one draw: 63 bits of SHA-256 over the search's seed, a purpose and a place.

    purpose: a fixed word such as "ask", "weights", "order".
    place: what numbers the draw, most often step, slot, epoch.
    """
    text = ":".join([str(seed), purpose, *map(str, place)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


@dataclass(frozen=True, slots=True)
class Seeds:
    """Where the randomness of one training comes from: the seed of the search or training, and the place in it."""

    seed: int
    place: tuple[int, ...] = ()

    def of(self, purpose: str, *more: int) -> int:
        return derive(self.seed, purpose, *self.place, *more)
