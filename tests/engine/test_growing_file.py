"""Measurements of hours, in files that whoever comes next goes on with."""

from pathlib import Path

from benchmarks.growing_file import Line, grow, read_lines

DUE = [{"method": method, "seed": seed} for seed in (1, 2) for method in ("one", "other")]


def test_what_is_in_no_line_yet_is_measured_and_written(tmp_path: Path) -> None:
    file, asked = tmp_path / "lines.jsonl", []

    def measure(method: str, seed: int) -> Line:
        asked.append((method, seed))
        return {"figure": len(asked)}

    assert read_lines(file) == []
    first = next(grow(file, DUE, measure))  # And interrupted.
    assert first == {"method": "one", "seed": 1, "figure": 1} and read_lines(file) == [first]
    assert len(list(grow(file, DUE[1::2], measure))) == 2
    assert [line["figure"] for line in grow(file, DUE, measure)] == [4]
    assert asked == [("one", 1), ("other", 1), ("other", 2), ("one", 2)] and len(read_lines(file)) == 4
    assert list(grow(file, DUE, measure)) == []


def test_what_another_program_wrote_meanwhile_is_not_measured_again(tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    lines = grow(file, DUE[:2], lambda method, seed: {})
    next(lines)
    with file.open("a") as others:
        others.write('{"seed": 1, "method": "other", "figure": [1, {"deep": 2}]}\n')
    assert list(lines) == [] and len(read_lines(file)) == 2
