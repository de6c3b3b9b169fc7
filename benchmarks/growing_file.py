"""Files of measurements that take hours: a line of JSON each, and whoever is started goes on where the file ends."""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Line = dict[str, Any]


def read_lines(file: Path) -> list[Line]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def grow(file: Path, due: Sequence[Mapping[str, Any]], measure: Callable[..., Line]) -> Iterator[Line]:
    """due: the fields that tell one line from all others. What is in no line yet is measured, with these as arguments,
    written behind them, and yielded. Others may write into the file meanwhile."""
    for fields in due:
        if any(fields.items() <= line.items() for line in read_lines(file)):
            continue
        line = dict(fields) | measure(**fields)
        with file.open("a") as lines:
            lines.write(json.dumps(line) + "\n")
        yield line


def grow_a_part(file: Path, due: Sequence[Mapping[str, Any]], measure: Callable[..., Line], *, about: str) -> None:
    """As a program, of which several may run at once: --part 0/2 and --part 1/2."""
    arguments = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--part", default="0/1", help="which of how many programs this is, such as 0/2")
    part, _, parts = arguments.parse_args().part.partition("/")
    for line in grow(file, due[int(part) :: int(parts)], measure):
        print(", ".join(f"{name} {line[name]}" for name in due[0]), flush=True)
