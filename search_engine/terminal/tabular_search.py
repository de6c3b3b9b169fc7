"""Strategies on a table of trained networks (NAS-Bench-201): what each finds at equal numbers of evaluations.

The reward, which a strategy sees, is the validation accuracy after 12 epochs; the score is the test accuracy after 200
epochs of the network with the best reward so far. Evaluations are counted in two ways, each the same for all: every
network that is proposed counts, or every different one. Under the second rule a search that does not come so far keeps
its last score.
"""

import bisect
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from search_engine.config.search import SearchConfig
from search_engine.config.strategy import AnyStrategyConfig, EvolutionConfig, LocalSearchConfig, PpoConfig, RandomConfig
from search_engine.errors import UserError
from search_engine.evaluators.benchmark_table import BenchmarkTable
from search_engine.evaluators.tabular import TabularEvaluator
from search_engine.returning import Returning
from search_engine.spaces.nas_bench_201 import NasBench201Space
from search_engine.strategies.base import Evaluation, Proposal
from search_engine.strategies.build import build_strategy_for
from search_engine.terminal.strategy_comparison import check_runs

BUDGETS = (50, 100, 150, 200, 500, 1000)
MOST_EVALUATIONS, MOST_SEEDS = 100_000, 1000
# For this small space, one configuration each for all budgets; a strategy that is not named here has its defaults.
# Evolution and local search go child by child, as their papers' loops do.
SETTINGS: dict[str, AnyStrategyConfig] = {
    "random": RandomConfig(step_size=10),
    "evolution": EvolutionConfig(step_size=1),
    "local": LocalSearchConfig(step_size=1),
    "ppo": PpoConfig(
        learning_rate=0.015, baseline_decay=0.9, normalise_advantages=True, entropy_weight=0.03, hidden_size=32
    ),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One search. After each proposal: the score in percent, and how many different networks there were."""

    scores: Sequence[float]
    different: Sequence[int]
    cpu_seconds: float


def settings_of(kinds: Sequence[str], *, seeds: int, evaluations: int) -> dict[str, AnyStrategyConfig]:
    """Of every strategy that is asked for. Raises UserError, which names the flag of the terminal."""
    check_runs(kinds, seeds, most_seeds=MOST_SEEDS)
    if not 1 <= evaluations <= MOST_EVALUATIONS:
        raise UserError("--evaluations", f"is {evaluations}; must be from 1 to {MOST_EVALUATIONS:,}.")
    return {kind: SETTINGS.get(kind) or _defaults(kind) for kind in kinds}


def _defaults(kind: str) -> AnyStrategyConfig:
    return SearchConfig.model_validate({"strategy": {"kind": kind}}).strategy


def run_on(table: BenchmarkTable, config: AnyStrategyConfig, *, seed: int, evaluations: int) -> Run:
    """One search on the table."""
    began = time.process_time()
    strategy = build_strategy_for(NasBench201Space(), config, None, children=evaluations, seed=seed)
    evaluator = TabularEvaluator(table)
    best, score = -1.0, 0.0
    scores: list[float] = []
    different: list[int] = []
    proposed: set[tuple[int, ...]] = set()
    while not strategy.is_finished:
        told = []
        for proposal in strategy.ask():
            told.append(_evaluated(evaluator, proposal))
            reward, entry = told[-1].reward, table.find(proposal.architecture)
            if reward is not None and entry is not None and reward > best:
                best, score = reward, 100 * entry.score
            scores.append(score)
            proposed.add(proposal.decisions)
            different.append(len(proposed))
        strategy.tell(told)
    return Run(scores, different, time.process_time() - began)


def _evaluated(evaluator: TabularEvaluator, proposal: Proposal) -> Evaluation:
    steps = Returning(evaluator.evaluate(proposal))
    for _ in steps:
        pass
    return steps.returned


def at_different(run: Run, budget: int) -> float:
    """The score when so many different networks had been proposed, or at the end."""
    return run.scores[bisect.bisect_right(run.different, budget) - 1]


def figures_of(kind: str, runs: Sequence[Run]) -> dict[str, Any]:
    """Of one strategy over its seeds. Scores in percent as [mean, deviation over seeds] by budget; a deviation of one
    seed is None. different: networks among all that a search proposed; cpu_seconds: of one search; means."""
    budgets = [budget for budget in BUDGETS if budget <= len(runs[0].scores)] or [len(runs[0].scores)]
    return {
        "strategy": kind,
        "seeds": len(runs),
        "by_proposals": {budget: _spread([run.scores[budget - 1] for run in runs]) for budget in budgets},
        "by_different": {budget: _spread([at_different(run, budget) for run in runs]) for budget in budgets},
        "different": statistics.fmean(run.different[-1] for run in runs),
        "cpu_seconds": statistics.fmean(run.cpu_seconds for run in runs),
    }


def _spread(scores: list[float]) -> tuple[float, float | None]:
    return statistics.fmean(scores), statistics.stdev(scores) if len(scores) > 1 else None


def lines(figures: Sequence[dict[str, Any]]) -> list[str]:
    """The figures for people: a line for each strategy and way to count."""
    budgets = list(figures[0]["by_proposals"])
    shown = [f"{'strategy':<12} {'counted':<10}" + "".join(f"{budget:>16,}" for budget in budgets)]
    for each in figures:
        for rule in ("proposals", "different"):
            cells = "".join(f"{_spanned(*found):>16}" for found in each[f"by_{rule}"].values())
            shown.append(f"{each['strategy']:<12} {rule:<10}{cells}")
    return shown


def _spanned(mean: float, deviation: float | None) -> str:
    return f"{mean:.2f}" if deviation is None else f"{mean:.2f} ({deviation:.2f})"
