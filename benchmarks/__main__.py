"""`make bench`: every figure the program promises, measured in one run on this machine.

Prints a table (figure, wanted, measured, machine) and exits 1 when a figure is missed. Ratios are taken side by side
in one process; single times depend on the machine and on what else it does.

With names of parts ("child_step", "controller_speed", "image_supernets", "web", ...) only those run.
"""

import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. wanted: the bound in words; met: whether it holds."""

    name: str
    wanted: str
    measured: str
    met: bool


def child_step() -> Iterator[Figure]:
    from benchmarks.child_step import measure

    found = measure()
    ratio = found["ratio"]
    yield Figure("child step against plain contiguous f32, CPU time", ">= 1.6 x", f"{ratio:.2f} x", ratio >= 1.6)


def controller_speed() -> Iterator[Figure]:
    from benchmarks.controller_speed import measure

    wanted = {"nasnet": 1000, "enas-micro": 1000, "enas-macro": 2000, "enas-recurrent": 2000}
    for kind, speed in measure().items():
        least = wanted[kind]
        name = f"{kind} architectures drawn per CPU-second, batches of 20"
        yield Figure(name, f">= {least:,}", f"{speed:,.0f}", speed >= least)


def image_supernets() -> Iterator[Figure]:
    from benchmarks.supernet_step import measure

    # Of layout alone: what was measured when the layout was chosen. Of all paths: that what is left out is saved.
    wanted = {"micro": {"train": 1.3, "reward": 1.3}, "macro": {"train": 1.4, "reward": 1.8}}
    for kind in ("micro", "macro"):
        found = measure(kind)
        for what, title in (("train", "a training step"), ("reward", "a reward pass")):
            plain, all_paths = found[what]["contiguous"], found[what]["all_paths"]
            images = f"{found['images_per_cpu_second'][what]:,.0f} images per CPU-second"
            yield Figure(f"ENAS {kind}, {title} against contiguous layout, CPU time", f">= {wanted[kind][what]} x",
                         f"{plain:.2f} x ({images})", plain >= wanted[kind][what])  # fmt: skip
            yield Figure(f"ENAS {kind}, {title} against all paths computed, CPU time", ">= 2 x", f"{all_paths:.2f} x",
                         all_paths >= 2)  # fmt: skip
        peak = found["peak_megabytes"]
        text = ", ".join(f"{way.replace('_', ' ')} {megabytes:,.0f} MB" for way, megabytes in peak.items())
        yield Figure(f"ENAS {kind}, peak memory of a training step", "half of all paths", text,
                     peak["ours"] <= peak["all_paths"] / 2)  # fmt: skip


def recurrent_supernet() -> Iterator[Figure]:
    from benchmarks.recurrent_supernet_step import measure

    found = measure()
    for part, name in (("train", "training step"), ("reward", "reward pass")):
        yield Figure(f"ENAS recurrent, {name} against all paths, CPU time", ">= 3 x",
                     f"{found[part]:.2f} x ({found['words_per_cpu_second'][part]:,.0f} words a CPU-second)",
                     found[part] >= 3)  # fmt: skip
    peak = found["peak_megabytes"]
    yield Figure("ENAS recurrent, peak memory of a training step", "half of all paths",
                 f"{peak['ours']:,.0f} MB, all paths {peak['all_paths']:,.0f} MB",
                 peak["ours"] <= peak["all_paths"] / 2)  # fmt: skip


def web() -> Iterator[Figure]:
    from benchmarks.web_figures import measure

    found = measure()
    yield Figure("first page", "< 1 s", f"{found['first_page_seconds']:.2f} s", found["first_page_seconds"] < 1)
    yield Figure(
        "an event on the page after its commit, 99 %",
        "< 250 ms",
        f"{found['event_ms_p99']:.0f} ms (median {found['event_ms_p50']:.0f}, {found['events']} events)",
        found["event_ms_p99"] < 250,
    )
    first = found["first_reward_seconds"]
    yield Figure("from start to the first reward", "< 30 s", f"{first:.1f} s", first < 30)
    yield Figure("the demo, from start to finished", "< 180 s", f"{found['demo_seconds']:.0f} s",
                 found["demo_seconds"] < 180)  # fmt: skip


def editor() -> Iterator[Figure]:
    from benchmarks.editor_figures import measure

    for name, milliseconds in measure().items():
        yield Figure(f"picture and counts behind an edit of {name}", "< 200 ms", f"{milliseconds:.0f} ms",
                     milliseconds < 200)  # fmt: skip


def demo_learns() -> Iterator[Figure]:
    from benchmarks.demo_learns import measure

    gains = measure()["seeds"]
    for seed in gains:
        text = (
            f"{seed['first_quarter']:.3f} to {seed['last_quarter']:.3f}, {seed['standard_errors']:.1f} standard errors"
        )
        yield Figure(f"demo, seed {seed['seed']}", ">= 3 standard errors", text, seed["standard_errors"] >= 3)
    good = sum(seed["standard_errors"] >= 3 for seed in gains)
    yield Figure("demo learns", "4 of 5 seeds", f"{good} of {len(gains)}", good >= 4 * len(gains) / 5)


PARTS: dict[str, Callable[[], Iterator[Figure]]] = {
    "child_step": child_step,
    "controller_speed": controller_speed,
    "image_supernets": image_supernets,
    "recurrent_supernet": recurrent_supernet,
    "web": web,
    "editor": editor,
    "demo_learns": demo_learns,
}
# A single seed may fall short; the line that counts them decides.
NOT_DECISIVE = "demo, seed"


def main(names: list[str]) -> int:
    if unknown := [name for name in names if name not in PARTS]:
        print(f"{unknown[0]!r} is no part; the parts are {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    table = Table("figure", "wanted", "measured", "", title=f"{platform.processor() or platform.machine()}, "
                  f"{os.cpu_count()} cores, Python {platform.python_version()}")  # fmt: skip
    missed = 0
    for name in names or PARTS:
        for figure in PARTS[name]():
            table.add_row(figure.name, figure.wanted, figure.measured, "met" if figure.met else "missed")
            print(f"{figure.name}: {figure.measured} (wanted {figure.wanted})", flush=True)
            missed += not figure.met and not figure.name.startswith(NOT_DECISIVE)
    Console().print(table)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
