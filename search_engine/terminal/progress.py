"""How a search or a training shows itself in a terminal: a bar where someone watches, else plain lines."""

import sys
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from search_engine.events import (
    ChildFinished,
    ControllerUpdated,
    EpochEnded,
    Event,
    FinalistEpochEnded,
    FinalistFinished,
    FinalistsChosen,
    ResultKept,
)

if TYPE_CHECKING:
    from search_engine.terminal.search_folder import SearchFolder

Events = Generator[Event, None, None]


def follow_search(folder: "SearchFolder", events: Events, is_interrupted: Callable[[], bool]) -> None:
    """Show the events of a search until they end, or until the next one after an interruption."""
    verdicts = [event for event in folder.events if isinstance(event, ChildFinished)]
    best = max((event.reward for event in verdicts if event.reward is not None), default=None)
    children, done = folder.children, len(verdicts)
    over = sum(event.over is not None for event in verdicts)
    with progress_bar() as bar:
        task = bar.add_task(_best(best), total=children, completed=done)
        for event in events:
            if isinstance(event, ChildFinished):
                done += 1
                over += event.over is not None
                if event.reward is not None and event.reason is None:
                    best = event.reward if best is None else max(best, event.reward)
                bar.update(task, completed=done, description=f"{_best(best)}{_over(over)}")
            elif isinstance(event, ControllerUpdated):
                progress_line(
                    f"step {event.step}: {done} of {children} children, {_mean(event)}, {_best(best)}{_over(over)}"
                )
                # An interruption is left to the search itself here: it saves this step before it stops.
                continue
            elif isinstance(event, FinalistsChosen):
                bar.remove_task(task)
                _follow_final_round(bar, len(event.finalists), events, is_interrupted)
                return
            if is_interrupted():
                events.close()
                return


def _follow_final_round(bar: Progress, finalists: int, events: Events, is_interrupted: Callable[[], bool]) -> None:
    """The rest of a search, from the moment its finalists were chosen."""
    task = bar.add_task("final round", total=finalists)
    done, best = 0, None
    progress_line(f"final round: {finalists} finalist{' is' if finalists == 1 else 's are'} trained again")
    for event in events:
        if isinstance(event, FinalistEpochEnded):
            bar.update(task, description=f"finalist {event.rank}: epoch {event.epoch} of {event.epochs}")
        elif isinstance(event, FinalistFinished):
            done += 1
            if event.accuracy is not None:
                best = event.accuracy if best is None else max(best, event.accuracy)
            bar.update(task, completed=done)
            progress_line(f"final round: {done} of {finalists} finalists, {_best(best, 'accuracy')}")
        elif isinstance(event, ResultKept):
            continue  # The search saves its result before it stops.
        if is_interrupted():
            events.close()
            return


def follow_training(epochs: int, events: Events, is_interrupted: Callable[[], bool]) -> None:
    """Show the events of a training until they end, or until the next one after an interruption."""
    with progress_bar() as bar:
        task = bar.add_task("training", total=epochs)
        for event in events:
            if isinstance(event, EpochEnded):
                figures = f"loss {event.loss:.4f}{_held_out(event)}"
                bar.update(task, completed=event.epoch, description=figures)
                progress_line(f"epoch {event.epoch} of {epochs}: {figures}")
                if is_interrupted() and event.epoch < epochs:
                    events.close()
                    return


def _held_out(event: EpochEnded) -> str:
    if event.perplexity is not None:
        return f", validation perplexity {event.perplexity:.2f}"
    return "" if event.accuracy is None else f", accuracy {event.accuracy:.4f}"


def progress_bar() -> Progress:
    """A bar on standard error, which draws nothing when nobody watches."""
    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=console, disable=not console.is_terminal)


def progress_line(text: str) -> None:
    if not sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)


def _best(best: float | None, of: str = "reward") -> str:
    return f"no {of} yet" if best is None else f"best {best:.4f}"


def _over(over: int) -> str:
    """Children over a bound, which were never trained; nothing where there are none."""
    return f", {over} over bounds" if over else ""


def _mean(event: ControllerUpdated) -> str:
    return "every child was lost" if event.mean_reward is None else f"mean {event.mean_reward:.4f}"
