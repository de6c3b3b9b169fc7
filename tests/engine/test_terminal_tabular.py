"""`tabular`: strategies on a table. The numbers are made up."""

import json
from itertools import product
from pathlib import Path

import pytest

from search_engine.__main__ import main
from search_engine.architectures.nas_bench_201 import NAS_BENCH_201_OPERATIONS, NasBench201Architecture
from search_engine.config.strategy import LocalSearchConfig, PpoReplayConfig, RandomConfig
from search_engine.errors import UserError
from search_engine.evaluators.benchmark_table import BenchmarkTable, Entry
from search_engine.formats import nas_bench_201
from search_engine.terminal.command_line import TABLE
from search_engine.terminal.tabular_search import Run, at_different, figures_of, lines, run_on, settings_of

CELLS = [NasBench201Architecture(each) for each in product(NAS_BENCH_201_OPERATIONS, repeat=6)]


def test_evaluations_are_proposals_or_different_networks() -> None:
    run = Run(scores=[1.0, 2.0, 2.0, 3.0, 4.0], different=[1, 2, 2, 3, 4], cpu_seconds=0.0)
    assert [at_different(run, budget) for budget in (1, 2, 3, 4, 9)] == [1.0, 2.0, 3.0, 4.0, 4.0]


def test_the_network_with_the_best_reward_so_far_is_scored() -> None:
    # The higher the reward the lower the score: whoever looked at scores would be found out.
    entries = {cell: Entry(reward=place / 15625, score=1 - place / 15625) for place, cell in enumerate(CELLS)}
    run = run_on(BenchmarkTable(entries), RandomConfig(step_size=50), seed=1, evaluations=1000)
    assert len(run.scores) == 1000 and list(run.scores) == sorted(run.scores, reverse=True) and run.scores[-1] < 1
    assert run.different[0] == 1 and run.different[-1] <= 1000


def test_figures_are_means_and_deviations_over_seeds() -> None:
    runs = [Run([score] * 60, list(range(1, 61)), 0.5) for score in (90.0, 92.0)]
    found = figures_of("random", runs)
    assert found["by_proposals"] == {50: (91.0, pytest.approx(2**0.5))} == found["by_different"]
    assert (found["seeds"], found["different"], found["cpu_seconds"]) == (2, 60, 0.5)
    assert lines([found])[1].split() == ["random", "proposals", "91.00", "(1.41)"]


def test_one_seed_has_no_deviation_and_few_evaluations_are_their_own_budget() -> None:
    found = figures_of("random", [Run([90.0] * 7, [1] * 7, 0.0)])
    assert found["by_proposals"] == {7: (90.0, None)}
    assert lines([found])[1].split() == ["random", "proposals", "90.00"]


def test_a_strategy_has_its_settings_for_the_table_or_its_defaults() -> None:
    found = settings_of(["local", "ppo-replay"], seeds=1, evaluations=1)
    assert found == {"local": LocalSearchConfig(step_size=1), "ppo-replay": PpoReplayConfig()}


@pytest.mark.parametrize(
    ("kinds", "seeds", "evaluations", "words"),
    [
        (["annealing"], 1, 1, "--strategies: is 'annealing'; must name some of"),
        (["random"], 0, 1, "--seeds: is 0; must be from 1 to 1,000."),
        (["random"], 1, 100_001, "--evaluations: is 100001; must be from 1 to 100,000."),
    ],
)
def test_what_cannot_run_is_refused_at_its_flag(kinds: list[str], seeds: int, evaluations: int, words: str) -> None:
    with pytest.raises(UserError) as refused:
        settings_of(kinds, seeds=seeds, evaluations=evaluations)
    assert words in str(refused.value)


def test_the_command_prints_the_same_figures_for_programs_and_for_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "table.csv"
    rows = [f"{str(nas_bench_201.write(cell)).strip()},{place % 90},{place % 80}" for place, cell in enumerate(CELLS)]
    table.write_text("\n".join(["arch,val12,test200", *rows]))
    flags = ["--strategies", "random,evolution", "--seeds", "2", "--evaluations", "60"]
    assert main(["tabular", str(table), "--json", *flags]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert [each["strategy"] for each in figures] == ["random", "evolution"]
    monkeypatch.setenv(TABLE, str(table))
    assert main(["tabular", *flags]) == 0
    shown = capsys.readouterr().out.splitlines()
    mean, deviation = figures[0]["by_proposals"]["50"]
    assert shown[1].split() == ["random", "proposals", f"{mean:.2f}", f"({deviation:.2f})"]


def test_without_a_table_it_says_where_to_name_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(TABLE, raising=False)
    assert main(["tabular"]) == 2
    assert capsys.readouterr().err == f"TABLE.csv: is missing; name a file here or in {TABLE}.\n"
