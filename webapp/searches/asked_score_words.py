"""What a score that was asked for says, in sentences."""

from typing import Any

from search_engine.config.enas_search import EnasRecurrentSearchConfig
from search_engine.config.searches import AnyEnasSearchConfig
from webapp.searches.models import AskedScore, Search, Stream

NO_MEASURE = (
    "It says where this architecture stands among others that share these weights, and is no measure of a network that "
    "is trained by itself."
)


def sentences_of(row: AskedScore, config: AnyEnasSearchConfig) -> list[str]:
    """What was found and beside what, what it cannot say; or what it waits for, or why there is no score."""
    if row.state == AskedScore.State.REFUSED:
        return [row.reason]
    if row.state == AskedScore.State.WAITING:
        return [_waiting(row.search)]
    answer: dict[str, Any] = row.answer or {}
    found = (
        f"It scores {_figure(answer['reward'], config)} on {_part(answer['over'], config)}, {_weights(answer['at'])}."
    )
    return [found, _beside(row, answer, config), NO_MEASURE]


def _waiting(search: Search) -> str:
    if search.state == Stream.State.RUNNING:
        return "It comes between two minibatches, or as soon as a worker is free."
    if search.weights:
        return "It comes as soon as a worker is free."
    return "There are no stored weights yet: it comes when the search goes on."


def _beside(row: AskedScore, answer: dict[str, Any], config: AnyEnasSearchConfig) -> str:
    """With what the score compares: all of them on the same minibatches, under the same weights."""
    drawn = (
        f"{answer['draws']} architectures drawn from the policy score {_figure(answer['policy'], config)} on average"
    )
    if answer["best"] is None or row.best is None:
        return f"On the same minibatches, {drawn}."
    return f"On the same minibatches, {row.best['what']} scores {_figure(answer['best'], config)}, and {drawn}."


def _weights(at: dict[str, int]) -> str:
    if at["minibatches"] == at["of"]:
        return f"under the weights at the end of epoch {at['epoch']}"
    return f"under the weights of epoch {at['epoch']} after {at['minibatches']:,} of its {at['of']:,} minibatches"


def _part(minibatches: int, config: AnyEnasSearchConfig) -> str:
    if isinstance(config, EnasRecurrentSearchConfig):
        return f"{minibatches} validation minibatches"
    return f"{minibatches * config.phases.score_batch:,} held-out images"


def _figure(reward: float, config: AnyEnasSearchConfig) -> str:
    """An accuracy in per cent, or the perplexity that the reward stands for."""
    if not isinstance(config, EnasRecurrentSearchConfig):
        return f"{100 * reward:.2f} %"
    return f"perplexity {config.phases.scale / reward:,.1f}" if reward > 0 else "a perplexity beyond all bounds"
