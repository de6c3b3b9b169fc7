"""The terminal: `python -m search_engine COMMAND`. Figures go to standard output, progress and mistakes to the other.

Only the commands that compute import PyTorch, and only when they run.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_engine.catalogue.published import LEFT_OUT, published_names, read_published
from search_engine.checkpoints import atomic_write
from search_engine.config.changes import Change
from search_engine.config.search import SearchConfig
from search_engine.config.searches import AnyEnasSearchConfig
from search_engine.drawing.svg import architecture_svg
from search_engine.errors import UserError
from search_engine.formats.base import CannotHold
from search_engine.formats.dialects import write
from search_engine.process_memory import start_again_keeping_memory
from search_engine.storage import storage_sentence
from search_engine.terminal.change_file import read_change_file
from search_engine.terminal.command_line import TABLE, parser
from search_engine.terminal.description import described
from search_engine.terminal.given import any_search_config, read_architecture, search_config, training_config
from search_engine.terminal.progress import follow_search, follow_training, progress_bar, progress_line
from search_engine.terminal.space_description import described_space
from search_engine.terminal.strategy_comparison import lines, outcome_of, report, runs_of

if TYPE_CHECKING:
    from search_engine.terminal.search_folder import SearchFolder

INTERRUPTED = 130  # What a shell expects of a program that Ctrl-C ended,
PIPE_CLOSED = 141  # and of one whose reader went away.


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 for success, 2 for a user's mistake, 130 after Ctrl-C."""
    options = parser().parse_args(arguments)
    try:
        return COMMANDS[options.command](options)
    except UserError as error:
        return _refuse(str(error))
    except BrokenPipeError:  # Whoever read standard output has enough, such as `head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except OSError as error:
        if sentence := storage_sentence(error):
            return _refuse(f"{sentence} What was done is kept: the same command goes on when files can be written.")
        return _refuse(f"{error.filename}: {error.strerror}." if error.filename else f"{error}.")
    except KeyboardInterrupt:
        return INTERRUPTED


def catalogue(options: argparse.Namespace) -> int:
    published = [read_published(name) for name in published_names()]
    if options.json:
        names = ("name", "title", "source", "note")
        rows = [{name: getattr(one, name) for name in names} | {"kind": one.architecture.kind} for one in published]
        _print_json(rows)
        return 0
    for one in published:
        print(f"{one.name:<28} {one.title}. {one.source}")
    _say(LEFT_OUT)
    return 0


def describe(options: argparse.Namespace) -> int:
    description = described(options) if options.space is None else described_space(options)
    if options.json:
        _print_json(description.to_json())
    else:
        print("\n".join(description.lines()))
    return 0


def draw(options: argparse.Namespace) -> int:
    atomic_write(options.out, architecture_svg(read_architecture(options.architecture)).encode())
    return 0


def convert(options: argparse.Namespace) -> int:
    text = write(read_architecture(options.architecture), options.to)
    if isinstance(text, CannotHold):
        return _refuse(text.sentence)
    if options.out is None:
        print(text, end="")
    else:
        atomic_write(options.out, text.encode())
    return 0


def search(options: argparse.Namespace) -> int:
    config = any_search_config(options.config, options.data_folder)
    changes = None if options.changes is None else read_change_file(options.changes, config)
    if not isinstance(config, SearchConfig):
        return _search_with_shared_weights(config, changes, options)

    import torch

    from search_engine.data.batches import prepare
    from search_engine.evaluators.finalists import FinalistTraining
    from search_engine.evaluators.standalone import StandaloneEvaluator
    from search_engine.terminal.search_folder import SearchFolder
    from search_engine.training.numerics import set_numerics

    set_numerics(config.reproducibility.threads)
    folder = SearchFolder(options.out, config, changes)
    was_finished = folder.is_finished
    with _interruptible() as is_interrupted:
        device = torch.device("cpu")
        data = prepare(config.data, seed=config.reproducibility.seed, folder=options.data_folder, device=device)
        events = folder.run(
            StandaloneEvaluator(config, device=device, folder=options.data_folder, data=data),
            data=data.description.to_json(),
            should_stop=is_interrupted,
            build_finalist=lambda finalist, checkpoint: FinalistTraining(
                config, **finalist.model_dump(exclude={"reward", "hash"}), data=data, device=device,
                checkpoint=checkpoint,
            ),
        )  # fmt: skip
        follow_search(folder, events, is_interrupted)
    folder.close()
    if not folder.is_finished:
        return _interrupted("search", options.out)
    if was_finished:
        _say("This search was finished already.")
    _print_found(folder, options)
    return 0


def _print_found(folder: "SearchFolder", options: argparse.Namespace) -> None:
    """What a search that is over has found."""
    from search_engine.terminal.finalist_files import RESULT

    best, result = folder.best(), folder.result
    if options.json:
        kept = {} if result is None else {"result": result.model_dump(include={"rank", "accuracy"})}
        _print_json({"fingerprint": folder.fingerprint, "best": best} | kept)
        return
    if best is not None:
        print(f"best reward {best['search']['reward']:.4f}: {options.out / 'best.json'}")
    if result is not None and result.accuracy is not None:
        print(f"final round: finalist {result.rank} is kept, held-out accuracy {result.accuracy:.4f}: "
              f"{options.out / RESULT}")  # fmt: skip
    print(f"fingerprint {folder.fingerprint}")


def _search_with_shared_weights(
    config: AnyEnasSearchConfig, changes: Sequence[Change] | None, options: argparse.Namespace
) -> int:
    from search_engine.terminal.shared_search_run import run_shared_search

    with _interruptible() as is_interrupted:
        outcome = run_shared_search(
            config, options.out, changes=changes, data_folder=options.data_folder, is_interrupted=is_interrupted
        )  # fmt: skip
    if outcome is None:
        return _interrupted("search", options.out)
    if options.json:
        _print_json(outcome)
        return 0
    print(f"best candidate, reward {outcome['best']['search']['reward']:.4f}: {options.out / 'best.json'}")
    for trained in outcome["trained"]:
        if "failed" in trained:
            _say(f"{trained['folder']}: {trained['failed']}")
            continue
        name = "test_accuracy" if "test_accuracy" in trained else "test_perplexity"
        print(f"trained from scratch, {name.replace('_', ' ')} {trained[name]:.4f}: {trained['folder']}")
    print(f"fingerprint {outcome['fingerprint']}")
    return 0


def compare(options: argparse.Namespace) -> int:
    from search_engine.terminal.search_runs import run_to_its_end

    runs = runs_of(search_config(options.config, options.data_folder), options.strategies.split(","), options.seeds)
    outcomes = []
    with _interruptible() as is_interrupted:
        for number, run in enumerate(runs, 1):
            _say(f"{run.name}, run {number} of {len(runs)}")
            folder = options.out / run.name
            events = run_to_its_end(run.config, folder, data_folder=options.data_folder, is_interrupted=is_interrupted)
            if events is None:
                return _interrupted("comparison", options.out)
            outcomes.append(outcome_of(run, events))
    figures = report(outcomes, weighs_cost=runs[0].config.weighs_cost)
    atomic_write(options.out / "comparison.json", json.dumps(figures, indent=2).encode() + b"\n")
    if options.json:
        _print_json(figures)
    else:
        print("\n".join(lines(figures)))
    return 0


def tabular(options: argparse.Namespace) -> int:
    if options.table is None:
        raise UserError("TABLE.csv", f"is missing; name a file here or in {TABLE}.")

    import torch

    from search_engine.evaluators.benchmark_table import read_table
    from search_engine.terminal.tabular_search import figures_of, lines, run_on, settings_of

    torch.set_num_threads(1)
    kinds, seeds, evaluations = options.strategies.split(","), options.seeds, options.evaluations
    settings = settings_of(kinds, seeds=seeds, evaluations=evaluations)
    table = read_table(options.table)
    figures = []
    with progress_bar() as bar:
        task = bar.add_task("", total=seeds * len(settings))
        for kind, config in settings.items():
            bar.update(task, description=kind)
            progress_line(kind)
            runs = []
            for seed in range(1, seeds + 1):
                runs.append(run_on(table, config, seed=seed, evaluations=evaluations))
                bar.advance(task)
            figures.append(figures_of(kind, runs))
    if options.json:
        _print_json(figures)
    else:
        print("\n".join(lines(figures)))
    return 0


def train(options: argparse.Namespace) -> int:
    config = training_config(options)

    import torch

    from search_engine.terminal.training_folder import TrainingFolder
    from search_engine.training.kept import build_training
    from search_engine.training.numerics import set_numerics

    set_numerics(config.reproducibility.threads)
    folder = TrainingFolder(options.out, build_training(config, folder=options.data_folder, device=torch.device("cpu")))
    if folder.result is not None:
        _say("This training was finished already.")
    else:
        with _interruptible() as is_interrupted:
            follow_training(config.recipe.epochs, folder.run(), is_interrupted)
    folder.close()
    if (result := folder.result) is None:
        return _interrupted("training", options.out)
    _print_figures(options, result)
    return 0


def evaluate(options: argparse.Namespace) -> int:
    from search_engine.export.kept_file import read_kept_network
    from search_engine.training.numerics import set_numerics

    network = read_kept_network(options.network)
    set_numerics(network.config.reproducibility.threads)
    _print_figures(options, network.score(options.data, folder=options.data_folder))
    return 0


def export(options: argparse.Namespace) -> int:
    from search_engine.export.bundle import make_bundle
    from search_engine.export.kept_file import read_kept_network
    from search_engine.training.numerics import set_numerics

    network = read_kept_network(options.network)
    set_numerics(network.config.reproducibility.threads)
    bundle = make_bundle(network)
    atomic_write(options.out, bundle.content)
    if bundle.remark:
        _say(bundle.remark)
    return 0


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Within this block the first Ctrl-C is only noted: the work stops at the next event. The second ends it."""
    pressed = []

    def note(*_: object) -> None:
        pressed.append(True)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupted(what: str, folder: Path) -> int:
    _say(f"Stopped. Run the same command again to go on with the {what} in {folder}.")
    return INTERRUPTED


def _print_figures(options: argparse.Namespace, figures: dict[str, Any]) -> None:
    if options.json:
        _print_json(figures)
        return
    for name, figure in figures.items():
        print(f"{name.replace('_', ' '):<20} {figure}")


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2))


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _refuse(message: str) -> int:
    _say(" ".join(message.split()))
    return 2


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "catalogue": catalogue,
    "describe": describe,
    "draw": draw,
    "convert": convert,
    "search": search,
    "compare": compare,
    "tabular": tabular,
    "train": train,
    "evaluate": evaluate,
    "export": export,
}

# They train networks; what else computes does so for seconds. A process starts again before PyTorch is loaded.
TRAINING = ("search", "compare", "train")

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in TRAINING:
        start_again_keeping_memory()
    sys.exit(main())
