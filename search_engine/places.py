"""Where a child stands among all children of a search."""


def place_among_children(step: int, slot: int, step_size: int) -> float:
    """From 0. What a person proposed, whose slots begin at step_size, stands a hundredth each behind its last."""
    if slot < step_size:
        return step * step_size + slot
    return (step + 1) * step_size - 1 + (slot - step_size + 1) / 100
