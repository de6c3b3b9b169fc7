"""Draws from a controller without what was drawn before: whatever a search knows already, it need not measure again."""

import torch
from torch import Tensor

from search_engine.strategies.controller import Controller, Scores
from search_engine.strategies.memory import Memory
from search_engine.strategies.program_controller import ProgramController

# Where the first draws hold too few that are new, rounds of more draws follow. When even they bring too few, the policy
# has said what it has to say, and a step takes what was drawn before.
MORE_ROUNDS = 3
TIMES = 4  # So many draws a round as there are children in a step.
AT_ONCE = 1000


def draw_new(
    controller: Controller | ProgramController,
    memory: Memory,
    count: int,
    generator: torch.Generator,
    masks: Tensor | None,
) -> tuple[Tensor, Scores]:
    """As the controller's own draw: decisions [B, D] with B = count, and their scores under the policy as it is."""
    drawn, scores = controller.draw(count, generator, masks)
    is_new: dict[tuple[int, ...], bool] = {}  # In the order of the draws.
    _note(drawn, memory, is_new)
    if sum(is_new.values()) == count:
        return drawn, scores
    for _ in range(MORE_ROUNDS):
        more, _ = controller.draw(min(TIMES * count, AT_ONCE), generator, masks)
        _note(more, memory, is_new)
        if sum(is_new.values()) >= count:
            break
    first_new = sorted(is_new, key=lambda decisions: not is_new[decisions])
    chosen = [*first_new, *map(tuple, drawn.tolist())][:count]  # The same twice only where there are too few to draw.
    decisions = torch.tensor(chosen)
    # With gradients, because without them PyTorch may take another kernel (controller.py).
    with torch.enable_grad():
        scores = controller.score(decisions, masks)
    return decisions, Scores(scores.log_probabilities.detach(), scores.entropies.detach(), scores.conditionals.detach())


def _note(drawn: Tensor, memory: Memory, is_new: dict[tuple[int, ...], bool]) -> None:
    for one in map(tuple, drawn.tolist()):
        if one not in is_new:
            is_new[one] = memory.is_new(one)
