"""Strategies on the same budget over several seeds: which runs there are, and what their rewards say.

DIR/ppo-seed-1/, DIR/random-seed-1/, ...   one folder per run, as `search` makes it
DIR/comparison.json                        the figures, once all runs have ended

A run is the unit: intervals and tests are over seeds, by search_engine.run_groups. With one seed the difference
to random search is tested child by child and said to be of one run. What counts as a reward is the rule of
search_engine.comparison.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from search_engine import comparison, run_groups
from search_engine.config.finals import FinalsConfig
from search_engine.config.members import member_config, strategies_of
from search_engine.config.search import SearchConfig
from search_engine.errors import UserError
from search_engine.events import ChildFinished, Event

STRATEGIES = strategies_of(SearchConfig)
RANDOM = "random"
MOST_SEEDS = 100


@dataclass(frozen=True, slots=True)
class Run:
    """One search of the comparison."""

    strategy: str
    seed: int
    config: SearchConfig

    @property
    def name(self) -> str:
        return f"{self.strategy}-seed-{self.seed}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found. best: None without any reward; late: rewards of its last steps; rewards: all that count."""

    strategy: str
    seed: int
    best: float | None
    late: tuple[float, ...]
    rewards: tuple[float, ...]


def runs_of(config: SearchConfig, strategies: Sequence[str], seeds: int) -> tuple[Run, ...]:
    """All runs, seed by seed: the configuration's own seed and those after it. Raises UserError.

    The strategy that the configuration names keeps its settings; another one has its defaults, with the same children
    per step and as many steps ahead. Final rounds are left out: strategies are compared by their children.
    """
    check_runs(strategies, seeds, most_seeds=MOST_SEEDS)
    first = config.reproducibility.seed
    return tuple(
        Run(strategy, seed, _config_of(config, strategy, seed))
        for seed in range(first, first + seeds)
        for strategy in strategies
    )


def check_runs(strategies: Sequence[str], seeds: int, *, most_seeds: int) -> None:
    """What the flags of these names say. Raises UserError."""
    unknown = [name for name in strategies if name not in STRATEGIES]
    if unknown or not strategies or len(set(strategies)) < len(strategies):
        raise UserError(
            "--strategies", f"is {','.join(strategies)!r}; must name some of {', '.join(STRATEGIES)}, once."
        )
    if not 1 <= seeds <= most_seeds:
        raise UserError("--seeds", f"is {seeds}; must be from 1 to {most_seeds:,}.")


def outcome_of(run: Run, events: Sequence[Event]) -> Outcome:
    """What the log of a finished run says."""
    size, children = run.config.strategy.step_size, run.config.budget.children
    steps = -(-children // size)
    first_late = steps - comparison.late_steps(steps)
    counted = [
        (event.step, event.reward)
        for event in events
        if isinstance(event, ChildFinished) and event.reward is not None and event.twin is None
    ]
    rewards = tuple(reward for _, reward in counted)
    late = tuple(reward for step, reward in counted if step >= first_late and first_late < steps)
    return Outcome(run.strategy, run.seed, max(rewards, default=None), late, rewards)


def report(outcomes: Sequence[Outcome], *, weighs_cost: bool = False) -> dict[str, Any]:
    """The figures: one entry per strategy, and for each strategy but random its difference to random.

    weighs_cost: rewards are no shares, so differences are no points of percent.
    """
    names = list(dict.fromkeys(outcome.strategy for outcome in outcomes))
    by_name = {name: [outcome for outcome in outcomes if outcome.strategy == name] for name in names}
    figures: dict[str, Any] = {"strategies": [_figures(name, by_name[name], not weighs_cost) for name in names]}
    if RANDOM in by_name:
        others = [name for name in names if name != RANDOM]
        figures["against_random"] = [_against(name, by_name[name], by_name[RANDOM], weighs_cost) for name in others]
    return figures


def lines(figures: dict[str, Any]) -> list[str]:
    """The report for people."""
    shown = [f"{'strategy':<12} {'runs':>4} {'mean best':>22} {'mean of late children':>28}"]
    for row in figures["strategies"]:
        best, late = _spanned(row["best"], row["best_interval"]), _spanned(row["late"], row["late_interval"])
        shown.append(f"{row['strategy']:<12} {row['runs']:>4} {best:>22} {late:>28}")
    return shown + [row["sentence"] for row in figures.get("against_random", ())]


def _config_of(config: SearchConfig, strategy: str, seed: int) -> SearchConfig:
    without_finals = config.model_copy(update={"finals": FinalsConfig()})
    return member_config(without_finals, strategy=strategy, seed=seed)


def _figures(name: str, outcomes: Sequence[Outcome], is_share: bool) -> dict[str, Any]:
    bests = [outcome.best for outcome in outcomes if outcome.best is not None]
    lates = [_mean(outcome.late) for outcome in outcomes if outcome.late]
    return {
        "strategy": name,
        "runs": len(outcomes),
        "children": sum(len(outcome.rewards) for outcome in outcomes),
        "best": _mean(bests) if bests else None,
        "best_interval": _interval(bests, is_share),
        "late": _mean(lates) if lates else None,
        "late_interval": _interval(lates, is_share),
    }


def _against(name: str, ours: Sequence[Outcome], random: Sequence[Outcome], weighs_cost: bool) -> dict[str, Any]:
    """Late children of a strategy against all random children."""
    late = [outcome.late for outcome in ours if outcome.late]
    uniform = [outcome.rewards for outcome in random if outcome.rewards]
    if not late or not uniform:
        return {"strategy": name, "sentence": f"{name}: too few children for a comparison; a run needs two steps."}
    if len(late) == len(uniform) == 1:
        return {"strategy": name, **_child_by_child(name, late[0], uniform[0], weighs_cost)}
    found = run_groups.difference([_mean(each) for each in late], [_mean(each) for each in uniform])
    by = f"{abs(found.value):.4f}" if weighs_cost else f"{abs(100 * found.value):.1f} points"
    text = run_groups.sentence(found, first=name, second=RANDOM, figure="Mean of the late children", by=by)
    return {"strategy": name, "seeds": found.ours, "mean": found.value, "p": found.p, "sentence": text}


def _child_by_child(name: str, late: Sequence[float], uniform: Sequence[float], weighs_cost: bool) -> dict[str, Any]:
    found = comparison.difference(late, uniform)
    said = {
        "ahead": "is ahead of random",
        "undecided": "cannot be told from random",
        "not ahead": "is not better than random",
    }[found.verdict]
    value, low, high = (
        f"{figure:+.4f}" if weighs_cost else f"{100 * figure:+.1f}" for figure in (found.value, found.low, found.high)
    )
    by = value if weighs_cost else f"{value} points"
    span = f"{low} to {high}, p = {comparison.p_text(found.p)}"
    text = f"{name} {said}: {by} ({span}); one run of each, tested child by child."
    return {"seeds": 1, "mean": found.value, "p": found.p, "sentence": text}


def _interval(values: Sequence[float], is_share: bool) -> tuple[float, float] | None:
    if len(values) < 2:
        return None
    found = run_groups.spread(values, is_share=is_share)
    return (found.low, found.high) if found.low is not None and found.high is not None else None


def _spanned(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if interval is None else f"{value:.4f} ({interval[0]:.4f} to {interval[1]:.4f})"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
