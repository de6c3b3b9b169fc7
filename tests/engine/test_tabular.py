"""The tabular evaluator and the table that it reads. The numbers are made up."""

from itertools import product
from pathlib import Path

import pytest

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.nas_bench_201 import NAS_BENCH_201_OPERATIONS, NasBench201Architecture
from search_engine.errors import DataError
from search_engine.evaluators.benchmark_table import Entry, read_table
from search_engine.evaluators.tabular import NOT_MEASURED, TabularEvaluator
from search_engine.formats import nas_bench_201
from search_engine.returning import Returning
from search_engine.strategies.base import Evaluation, Proposal

FIRST = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|avg_pool_3x3~1|none~2|"
SECOND = FIRST.replace("none~0", "nor_conv_1x1~0")
HEAD = "index,arch,val12,test12,test200\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(text)
    return path


def evaluated(evaluator: TabularEvaluator, architecture: object) -> Evaluation:
    steps = Returning(evaluator.evaluate(Proposal(2, 3, (0,) * 6, -1.0, architecture)))  # type: ignore[arg-type]
    assert list(steps) == []
    return steps.returned


def test_the_reward_is_the_short_training_and_the_score_the_long_one(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, HEAD + f"0,{FIRST},63.364,69.55,85.8633\n1,{SECOND},10,10,9.5\n"))
    assert len(table) == 2
    cell = nas_bench_201.read(FIRST).architecture
    assert table.find(cell) == Entry(reward=pytest.approx(0.63364), score=pytest.approx(0.858633))
    evaluation = evaluated(TabularEvaluator(table), cell)
    assert (evaluation.step, evaluation.slot, evaluation.reward) == (2, 3, pytest.approx(0.63364))
    assert evaluation.reason is None and evaluation.accuracy == evaluation.reward


def test_nothing_that_a_strategy_is_told_holds_the_score(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, HEAD + f"0,{FIRST},50,50,77\n"))
    evaluation = evaluated(TabularEvaluator(table), nas_bench_201.read(FIRST).architecture)
    assert 0.77 not in [getattr(evaluation, name) for name in Evaluation.__slots__]


def test_what_the_table_does_not_hold_is_lost_with_a_reason(tmp_path: Path) -> None:
    evaluator = TabularEvaluator(read_table(written(tmp_path, HEAD + f"0,{FIRST},50,50,77\n")))
    cell = Cell((Block((0, 1), ("identity", "identity"), "add"),), (2,))
    for other in (nas_bench_201.read(SECOND).architecture, CellArchitecture(cell, cell)):
        evaluation = evaluated(evaluator, other)
        assert (evaluation.reward, evaluation.reason) == (None, NOT_MEASURED)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "has no column 'arch'; its first line must name arch, val12, test200."),
        ("arch,val12\n", "has no column 'test200'"),
        (HEAD, "is empty: below its first line it must name at least one cell."),
        (HEAD + "0,|none~0|,1,1,1\n", "line 2: has no cell of NAS-Bench-201 in the column 'arch': "),
        (HEAD + "0\n", "line 2: has no cell of NAS-Bench-201 in the column 'arch': "),
        (
            HEAD + f"0,{FIRST},1,1,1\n0,{SECOND},many,1,1\n",
            "line 3: has 'many' in the column 'val12'; must be a number",
        ),
        (HEAD + f"0,{FIRST},nan,1,1\n", "line 2: has 'nan' in the column 'val12'; must be a number from 0 to 100."),
        (HEAD + f"0,{FIRST},1,1,101\n", "line 2: has '101' in the column 'test200'; must be a number from 0 to 100."),
        (HEAD + f"0,{FIRST},1,1\n", "line 2: has None in the column 'test200'"),
        (HEAD + f"0,{FIRST},1,1,1\n1,{FIRST},1,1,1\n", "line 3: names a cell that an earlier line names already."),
    ],
)
def test_a_wrong_table_is_refused_with_its_name_and_line(tmp_path: Path, text: str, wrong: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(DataError) as refused:
        read_table(path)
    assert wrong in str(refused.value) and str(path) in str(refused.value)


def test_a_table_that_is_not_there_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"missing\.csv: cannot be read: No such file or directory\."):
        read_table(tmp_path / "missing.csv")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"arch,val12,test200\n\xff\xfe\x00")
    with pytest.raises(DataError, match="is not a table"):
        read_table(path)


def test_a_whole_table_has_every_cell_of_the_space(tmp_path: Path) -> None:
    operations = NAS_BENCH_201_OPERATIONS[:2]
    cells = [NasBench201Architecture(each) for each in product(operations, repeat=6)]
    lines = [f"0,{str(nas_bench_201.write(cell)).strip()},{place},0,{place / 2}\n" for place, cell in enumerate(cells)]
    table = read_table(written(tmp_path, HEAD + "".join(lines)))
    assert [table.find(cell).reward for cell in cells] == pytest.approx([place / 100 for place in range(64)])
