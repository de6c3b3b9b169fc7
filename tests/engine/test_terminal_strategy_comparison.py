"""`compare`: which runs there are, what their rewards say, and that it goes on where it stopped."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from search_engine.__main__ import main
from search_engine.config.search import SearchConfig
from search_engine.errors import UserError
from search_engine.events import ChildFinished
from search_engine.terminal import search_runs
from search_engine.terminal.strategy_comparison import Outcome, lines, outcome_of, report, runs_of

TINY: dict[str, Any] = {
    "space": {"blocks": 1},
    "strategy": {"kind": "ppo", "step_size": 2, "learning_rate": 0.01},
    "child": {"normal_cells": 1, "reductions": 1, "filters": 2},
    "recipe": {"epochs": 1},
    "data": {"image_size": 8, "train_examples": 32, "held_out_examples": 20},
    "budget": {"children": 4},
    "reproducibility": {"seed": 5},
}
CONFIG: SearchConfig = SearchConfig.model_validate(TINY)


@pytest.fixture
def numerics_left_as_found() -> Any:
    yield
    torch.use_deterministic_algorithms(False)


def outcome(strategy: str, seed: int, late: list[float], rewards: list[float]) -> Outcome:
    return Outcome(strategy, seed, max(rewards, default=None), tuple(late), tuple(rewards))


def test_every_strategy_runs_with_every_seed_and_the_same_budget() -> None:
    runs = runs_of(CONFIG, ["ppo", "random"], 2)
    assert [run.name for run in runs] == ["ppo-seed-5", "random-seed-5", "ppo-seed-6", "random-seed-6"]
    for run in runs:
        assert run.config.strategy.kind == run.strategy and run.config.reproducibility.seed == run.seed
        assert (run.config.strategy.step_size, run.config.budget, run.config.recipe) == (
            2,
            CONFIG.budget,
            CONFIG.recipe,
        )
    assert runs[0].config.strategy == CONFIG.strategy


@pytest.mark.parametrize(
    ("strategies", "seeds", "words"),
    [
        (["ppo", "annealing"], 1, "is 'ppo,annealing'; must name some of ppo, ppo-replay, evolution, local, random"),
        (["ppo", "ppo"], 1, "once"),
        (["ppo"], 0, "--seeds: is 0; must be from 1 to 100"),
    ],
)
def test_a_wrong_request_is_refused_in_one_sentence(strategies: list[str], seeds: int, words: str) -> None:
    with pytest.raises(UserError, match="must") as refused:
        runs_of(CONFIG, strategies, seeds)
    assert words in str(refused.value)


def test_copied_and_lost_children_do_not_count_and_the_last_steps_are_late() -> None:
    config = CONFIG.model_copy(update={"budget": CONFIG.budget.model_copy(update={"children": 8})})
    run = runs_of(config, ["ppo"], 1)[0]
    rewards = [0.1, 0.9, None, 0.2, 0.3, 0.4, 0.5, 0.6]
    events = [
        ChildFinished(
            step=place // 2, slot=place % 2, reward=reward, reason="lost" if reward is None else None,
            twin=(0, 0) if place == 1 else None, parameters=1, mult_adds=1, seconds=1.0,
        )
        for place, reward in enumerate(rewards)
    ]  # fmt: skip
    found = outcome_of(run, events)
    assert found.rewards == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    assert found.late == (0.3, 0.4, 0.5, 0.6)  # A quarter of four steps is one, but at least two are late.
    assert found.best == 0.6


def test_over_several_seeds_the_run_is_the_unit() -> None:
    outcomes = []
    for seed in range(8):
        outcomes.append(outcome("ppo", seed, [0.70, 0.72], [0.6, 0.72]))
        outcomes.append(outcome("random", seed, [0.6], [0.65, 0.67]))
    figures = report(outcomes)
    ppo, random = figures["strategies"]
    assert (ppo["runs"], ppo["children"], ppo["best"], ppo["late"]) == (8, 16, pytest.approx(0.72), pytest.approx(0.71))
    assert ppo["best_interval"] == pytest.approx((0.72, 0.72)) and random["best"] == pytest.approx(0.67)
    (against,) = figures["against_random"]
    assert against["seeds"] == 8 and against["mean"] == pytest.approx(0.05) and against["p"] < 0.01
    assert against["sentence"].startswith("Mean of the late children: ppo is 5.0 points above random (p = ")
    assert "8 against 8 runs). That is more than the noise between seeds." in against["sentence"]


def test_two_seeds_have_a_wide_interval_and_cannot_show_more_than_chance() -> None:
    outcomes = []
    for seed in range(2):
        outcomes.append(outcome("ppo", seed, [0.6 + seed / 50], [0.70 + seed / 100]))
        outcomes.append(outcome("random", seed, [0.6], [0.56]))
    figures = report(outcomes)
    low, high = figures["strategies"][0]["late_interval"]
    # Student's t with one degree of freedom: 12.706 standard errors of 0.01 on both sides of 0.61.
    assert (low, high) == pytest.approx((0.61 - 0.12706, 0.61 + 0.12706), abs=1e-4)
    (against,) = figures["against_random"]
    assert against["p"] is None
    assert "2 against 2 runs cannot show more than chance: the least possible p is 0.33" in against["sentence"]


def test_one_seed_has_no_interval_over_runs_and_says_that_it_is_one_run() -> None:
    figures = report([outcome("ppo", 1, [0.5] * 5, [0.5] * 5), outcome("random", 1, [0.6] * 5, [0.6] * 5)])
    assert figures["strategies"][0]["best_interval"] is None
    (against,) = figures["against_random"]
    assert "ppo is not better than random: -10.0 points" in against["sentence"]
    assert "one run of each" in against["sentence"]
    assert lines(figures)[-1] == against["sentence"] and "0.5000" in lines(figures)[1]


def test_without_random_there_are_only_the_strategies() -> None:
    figures = report([outcome("ppo", 1, [], [])])
    assert "against_random" not in figures and figures["strategies"][0]["best"] is None


def test_the_command_compares_and_run_again_trains_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, numerics_left_as_found: None
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(TINY))
    command = ["compare", str(tmp_path / "config.json"), "--strategies", "ppo,random", "--seeds", "2"]
    command += ["--out", str(tmp_path / "out"), "--json"]
    assert main(command) == 0
    figures = json.loads(capsys.readouterr().out)
    assert [row["strategy"] for row in figures["strategies"]] == ["ppo", "random"]
    assert [row["children"] for row in figures["strategies"]] == [8, 8]
    assert figures["against_random"][0]["seeds"] == 2
    assert json.loads((tmp_path / "out" / "comparison.json").read_text()) == figures
    assert (tmp_path / "out" / "random-seed-6" / "events.jsonl").is_file()

    monkeypatch.setattr(search_runs, "StandaloneEvaluator", None)  # Whoever builds one fails.
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out) == figures


def test_an_interrupted_comparison_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], numerics_left_as_found: None
) -> None:
    run = runs_of(CONFIG, ["ppo"], 1)[0]
    calls = []

    def is_interrupted() -> bool:
        calls.append(1)
        return len(calls) > 4

    folder = tmp_path / "run"
    assert search_runs.run_to_its_end(run.config, folder, data_folder=tmp_path, is_interrupted=is_interrupted) is None
    events = search_runs.run_to_its_end(run.config, folder, data_folder=tmp_path, is_interrupted=lambda: False)
    assert events is not None and len(outcome_of(run, events).rewards) == 4
