"""What a child's reward is compared with: a moving mean of the rewards of earlier steps."""

import math
from collections.abc import Mapping, Sequence
from typing import Any


class RewardBaseline:
    """An exponential moving mean over steps, and the running deviation from it.

    The paper gives the weight (NASNet, A.2: 0.95) but neither the first value nor the order. Here the first value is
    the mean of the first step: from 0, every child of that step would look good and pure noise would move the policy
    far. A step is compared with the mean before its own rewards are mixed in, which does not depend on its luck.
    """

    def __init__(self, decay: float) -> None:
        self._decay = decay
        self.value: float | None = None
        self._mean_square: float | None = None

    def advantages(self, rewards: Sequence[float], *, normalise: bool) -> list[float]:
        """How much better than the baseline each reward of a step is; then mixes the step in.

        normalise: divide by the root of the moving mean square, this step included, so that one lucky step after
            equal ones cannot be divided by nearly nothing.
        """
        mean = math.fsum(rewards) / len(rewards)
        before = mean if self.value is None else self.value
        advantages = [reward - before for reward in rewards]
        square = math.fsum(advantage * advantage for advantage in advantages) / len(advantages)
        self.value = self._mixed(self.value, mean)
        self._mean_square = self._mixed(self._mean_square, square)
        if not normalise or self._mean_square == 0:
            return advantages
        return [advantage / math.sqrt(self._mean_square) for advantage in advantages]

    def to_json(self) -> dict[str, Any]:
        return {"value": self.value, "mean_square": self._mean_square}

    def load_json(self, value: Mapping[str, Any]) -> None:
        self.value = value["value"]
        self._mean_square = value["mean_square"]

    def _mixed(self, before: float | None, now: float) -> float:
        return now if before is None else self._decay * before + (1 - self._decay) * now


class BaselineOfEach(RewardBaseline):
    """The same as in the released code of ENAS: it starts at 0 and moves by every reward, before that is compared."""

    def __init__(self, decay: float) -> None:
        super().__init__(decay)
        self.value = 0.0

    def advantages(self, rewards: Sequence[float], *, normalise: bool) -> list[float]:
        assert not normalise, "the released code divides advantages by nothing"
        advantages = []
        for reward in rewards:
            self.value = self._mixed(self.value, reward)
            advantages.append(reward - self.value)
        return advantages
