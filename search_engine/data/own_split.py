"""The test part of a user's own images: drawn once, the same share of every class, a function of seed and content."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

SEED = 1
SHARE = 0.2  # Of every class, rounded to whole images, at least one.


@dataclass(frozen=True, slots=True)
class Member:
    """An image as far as the draw goes. digest: SHA-256 of the file it came from; path: where that stood."""

    label: int
    digest: str
    path: str


def draw_test(members: Sequence[Member], *, seed: int = SEED, share: float = SHARE) -> list[int]:
    """Indices of the test images, rising. Each class gives `share` of its images; a class of one image gives none.

    Images are ordered by the SHA-256 of seed and content, so neither names nor the order of files matter.
    """
    by_label: dict[int, list[int]] = {}
    for index, member in enumerate(members):
        by_label.setdefault(member.label, []).append(index)

    def order(index: int) -> tuple[str, str]:
        member = members[index]
        return hashlib.sha256(f"{seed} {member.digest}".encode()).hexdigest(), member.path

    chosen: list[int] = []
    for indices in by_label.values():
        wanted = min(len(indices) - 1, max(1, round(share * len(indices))))
        chosen += sorted(indices, key=order)[:wanted]
    return sorted(chosen)
