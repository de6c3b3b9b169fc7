"""docs/rewards.md, made of the pool of benchmarks/reward_pool.py: `python -m benchmarks.reward_page`."""

from typing import Any

from benchmarks.page import ROOT
from benchmarks.reward_pool import CHILDREN
from benchmarks.reward_replay import BUDGETS, MANY_DRAWN, OTHERS_DRAWN, measure

PAGE = ROOT / "docs/rewards.md"
_HEAD = """# What a reward is worth

Nearly all the time of a search goes into rewards, so a cheaper one is tempting: shorter trainings, fewer images, a
look at the untrained network. What each is worth was measured on {children} children of the NASNet space, drawn
evenly: three blocks, F = 8, one normal cell at each place and one reduction, on 14 pixels of Fashion-MNIST, 2,000
images to train on and 2,000 held out. Every child was trained for 12 epochs and in every cheaper way. The truth about
a child is its accuracy after the 12 epochs on 6,000 images that no training and no reward has seen.

## How well it ranks

Spearman's rank correlation with the truth, with a 95 % interval over children drawn again. 1: it ranks them as the
truth does; 0: as chance does. The cost counts in whole trainings of the same child.

| reward | cost | rank correlation |
|---|---|---|
"""
_CHOICES = """
## What a search finds with it

Random search that has as much time as so many mean trainings take, with each child's own seconds. The figure is how
far the truth of the child that it chose lies below the best truth of the pool, in points of accuracy: less is better.
In brackets, where the difference to whole trainings lies in 95 of 100 pools drawn again: where both ends are below 0,
it is better than they are.

| how a child is chosen | {budgets} |
|---|{lines}
"""
_TAIL = """
*Best of {many}*, {others}: so many are drawn for each child, and the one with the largest figure is trained. *Halving*:
children begin together, and only a part of them goes on after so many epochs (Jamieson and Talwalkar 2016). *Stopped
under the median*: a child ends where its accuracy lies under the median of those before it at the same epoch (Golovin
and others 2017). *Planned for*: a whole training whose learning rate comes down within so many epochs. *parameters*,
*mult_adds*, *snip*, *synflow*, *grad_norm*: of the untrained network, as Abdelfattah and others (2021) describe them.

## What is offered

**Screening**, in the form and in a file as `screening.drawn`: of so many architectures that are drawn for each child
the one with the most parameters is trained. On the pool five trainings with it find what takes ten without. It is off
unless asked for, as the papers train whatever they draw. Take it as an experiment as long as live searches over five
seeds have not confirmed it. It is for small networks of one size: where networks are large enough, it only makes
children slower. Shorter trainings and fewer images are settings of every search. Halving and stopping are not offered:
their intervals hold a 0.

## Repeat it

    python -m benchmarks.reward_pool
    python -m benchmarks.reward_replay
    python -m benchmarks.reward_page

The first trains what is missing of {wanted} children, about 45 seconds each; the others print the tables and write this
page.
"""


def page(found: dict[str, Any]) -> str:
    """found: as reward_replay.measure tells it."""
    ranks = "".join(
        f"| {name} | {found['costs'][name]:.3f} | {value:.2f} ({low:.2f} to {high:.2f}) |\n"
        for name, (value, low, high) in found["correlations"].items()
    )
    choices = "".join(
        f"| {name} | " + " | ".join(map(_cell, row)) + " |\n" for name, row in found["regrets"].items()
    )  # fmt: skip
    return (
        _HEAD.format(children=found["children"]) + ranks
        + _CHOICES.format(budgets=" | ".join(f"{each} trainings" for each in BUDGETS), lines="---|" * len(BUDGETS))
        + choices + _TAIL.format(many=MANY_DRAWN, others=" or ".join(map(str, OTHERS_DRAWN)), wanted=CHILDREN)
    )  # fmt: skip


def _cell(found: tuple[float, float, float] | None) -> str:
    if found is None:
        return "too few children"
    value, low, high = found
    return f"{value:.2f}" if low == high == 0.0 else f"{value:.2f} ({low:+.2f} to {high:+.2f})"  # Whole trainings.


if __name__ == "__main__":
    PAGE.write_text(page(measure()))
