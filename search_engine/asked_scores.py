"""What shared weights say of an architecture that a person asks about, beside others on the same images or words.

Scoring changes nothing, so a search computes the same bits whether anybody asked or not. All answers under the same
weights are of the same minibatches, and those of other weights of the same search as well.
"""

import math
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from search_engine.architectures.reading import Architecture, architecture_from_json
from search_engine.config.searches import AnyEnasSearchConfig
from search_engine.errors import ArchitectureError
from search_engine.spaces.base import Space
from search_engine.spaces.build import build_space
from search_engine.spaces.holding import held
from search_engine.strategies.base import Strategy
from search_engine.training.shared_weights import SharedWeights
from search_engine.training.train import unless_out_of_memory

MINIBATCHES = 4  # Each answer is over so many validation minibatches.
FIRST = 10**9  # The first of them: rounds count theirs from 0, so that nothing is told which the controller saw.
DRAWS = 8  # So many architectures of the policy as it is show what it reaches on the same minibatches.

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Moment:
    """Under which weights and policy it is answered.

    step: of the shared epoch that trained the weights last, from 0; minibatches: that it had done, of `of`.
    """

    step: int
    minibatches: int
    of: int

    def to_json(self) -> Message:
        """As people count: epochs from 1."""
        return {"epoch": self.step + 1, "minibatches": self.minibatches, "of": self.of}


def answers(
    config: AnyEnasSearchConfig, strategy: Strategy, weights: SharedWeights, moment: Moment, asked: Iterable[Message]
) -> Iterator[Message]:
    """An answer for each {"id", "architecture", "best"}; best: an architecture to compare with, or None.

    Either {"id", "refused": a sentence}, or {"id", "reward", "best", "policy", "at", "over", "draws"}: rewards as the
    strategy is told them, each the mean over so many minibatches: of the architecture, of the best one (None where
    there is none), and the mean of so many draws from the policy.
    """
    space = build_space(config.space)
    policy: float | None = None
    for request in asked:
        try:
            reward = _reward(weights, _read(space, request["architecture"]))
            best = None if request["best"] is None else _reward(weights, _read(space, request["best"]))
            policy = _policy_mean(config, strategy, weights, moment) if policy is None else policy
        except (ArchitectureError, _TooLarge) as refused:
            yield {"id": request["id"], "refused": str(refused)}
        except Exception as error:  # Our bug, which must not cost the search its epoch: whoever asked is told.
            traceback.print_exc()
            yield {"id": request["id"], "refused": f"Scoring it failed with an error of this program: {error!r}."}
        else:
            found = {"reward": reward, "best": best, "policy": policy, "at": moment.to_json()}
            yield {"id": request["id"], **found, "over": MINIBATCHES, "draws": DRAWS}


class _TooLarge(Exception):
    """There is not enough memory to score it."""


def _read(space: Space, value: Message) -> Architecture:
    return held(space, architecture_from_json(value))


def _reward(weights: SharedWeights, architecture: Architecture) -> float:
    """The mean over all minibatches."""
    scores = unless_out_of_memory(
        lambda: [weights.score(architecture, FIRST + number) for number in range(MINIBATCHES)]
    )  # fmt: skip
    if isinstance(scores, str):
        raise _TooLarge("Scoring it ran out of memory.")
    return math.fsum(score.reward for score in scores) / len(scores)


def _policy_mean(
    config: AnyEnasSearchConfig, strategy: Strategy, weights: SharedWeights, moment: Moment
) -> float:  # fmt: skip
    """Of the policy as it is, without what is banned in the epoch of the weights."""
    under = moment.step * config.phases.rounds
    drawn = strategy.sample(DRAWS, purpose="asked", number=moment.step, under=under).proposals
    return math.fsum(_reward(weights, proposal.architecture) for proposal in drawn) / len(drawn)
