"""How a search with shared weights shows itself in a terminal."""

from collections.abc import Generator

from search_engine.events import ChildFinished, ControllerPhaseEnded, Event, SharedEpochEnded
from search_engine.terminal.progress import progress_bar, progress_line


def follow_shared_search(steps: int, done: int, events: Generator[Event, None, None]) -> None:
    """Show the events of a search until they end. steps, done: shared epochs, and how many of them lie behind."""
    with progress_bar() as bar:
        task = bar.add_task("shared weights", total=steps, completed=done)
        candidates: list[float] = []
        for event in events:
            if isinstance(event, SharedEpochEnded):
                text = f"shared loss {event.loss:.4f}{_quality(event)}"
                bar.update(task, description=text)
                progress_line(f"epoch {event.step + 1} of {steps}: {text}")
            elif isinstance(event, ControllerPhaseEnded):
                text = (
                    f"mean reward {event.mean_reward:.4f}, best {event.best_reward:.4f}{_quality(event, 'held-out ')}"
                )
                bar.update(task, completed=event.step + 1, description=text)
                progress_line(f"controller {event.step + 1} of {steps}: {text}, entropy {event.entropy:.2f}")
            elif isinstance(event, ChildFinished) and event.reward is not None:
                candidates.append(event.reward)
        if candidates:
            progress_line(f"{len(candidates)} candidates, best reward {max(candidates):.4f}")


def _quality(event: SharedEpochEnded | ControllerPhaseEnded, part: str = "") -> str:
    if event.accuracy is not None:
        return f", {part}accuracy {event.accuracy:.4f}"
    return f", {part}perplexity {'beyond numbers' if event.perplexity is None else format(event.perplexity, '.1f')}"
