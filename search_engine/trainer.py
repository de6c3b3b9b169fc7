"""The process that computes: it takes jobs as JSON lines on standard input and answers on standard output.

A worker drives it (`python -m search_engine.trainer --spool DIR --threads N --device cpu`). Requests are objects with
"do": learn, evaluate, retrain, share, teach, derive, score, train, bundle, measure; one job is under way at a time.
Two more are for the job under way: interrupt, and ask, for a score that is answered between two minibatches or rounds.
Files it makes lie in the spool under their SHA-256; files it needs come as paths. It never outlives its parent: when
standard input closes it exits at once, even in the middle of a computation.
"""

import argparse
import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn, TextIO

import torch

from search_engine.errors import DamagedFile, UserError
from search_engine.shared_jobs import CHECKPOINT_SECONDS
from search_engine.storage import storage_sentence
from search_engine.trainer_jobs import Message, Trainer
from search_engine.training.numerics import set_numerics

PROGRESS_SECONDS = 0.5  # The worker expects a line about once a second.


class Line:
    """The way to the parent: whole JSON lines, whichever thread sends them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        with self._lock:
            print(json.dumps(message, separators=(",", ":"), allow_nan=False), file=self._stream, flush=True)


def main(arguments: list[str]) -> NoReturn:
    """Serve jobs until standard input closes."""
    options = _parse(arguments)
    line = Line(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)  # Whatever any library prints goes to standard error, never between protocol lines.
    options.spool.mkdir(parents=True, exist_ok=True)
    set_numerics(options.threads)
    trainer = Trainer(
        spool=options.spool,
        data_folder=options.data or options.spool / "data",
        device=torch.device(options.device),
        checkpoint_seconds=options.checkpoint_seconds,
    )
    jobs: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(jobs, trainer), daemon=True).start()
    while True:
        request = jobs.get()
        try:
            _serve(trainer, request, line)
        except Exception as error:
            traceback.print_exc()
            trainer.has_failed.set()  # First, because the parent may close standard input when it reads the next line.
            line.send({"failed": {"message": f"{type(error).__name__}: {error}"}})
            os._exit(1)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m search_engine.trainer", description=__doc__)
    parser.add_argument("--spool", type=Path, required=True, help="folder for the files it makes")
    parser.add_argument("--threads", type=int, required=True, help="threads until a configuration says otherwise")
    parser.add_argument("--device", required=True, help='a PyTorch device, such as "cpu" or "cuda:0"')
    parser.add_argument("--data", type=Path, help='folder of downloaded data sets; "data" in the spool if not given')
    parser.add_argument(
        "--checkpoint-seconds", type=float, default=CHECKPOINT_SECONDS,
        help=f"how often phases of a search with shared weights leave a checkpoint ({CHECKPOINT_SECONDS:g})",
    )  # fmt: skip
    return parser.parse_args(arguments)


def _listen(jobs: "queue.SimpleQueue[Message]", trainer: Trainer) -> None:
    """Read requests as they come, and end the process with its parent.

    A job forgets what was meant for the one before; it is read here, in the order of the lines.
    """
    try:
        for text in sys.stdin:
            request = json.loads(text)
            if request["do"] == "interrupt":
                trainer.is_interrupted.set()
            elif request["do"] == "ask":
                trainer.asked.put(request)
            else:
                trainer.is_interrupted.clear()
                trainer.take_asked()
                jobs.put(request)
    except Exception:
        traceback.print_exc()
        os._exit(1)
    os._exit(1 if trainer.has_failed.is_set() else 0)


def _serve(trainer: Trainer, request: Message, line: Line) -> None:
    """Answer one request, with a count of progress about twice a second."""
    is_over = threading.Event()

    def tell_progress() -> None:
        while not is_over.wait(PROGRESS_SECONDS):
            line.send({"progress": trainer.progress})

    teller = threading.Thread(target=tell_progress, daemon=True)
    teller.start()
    try:
        ending = _send_events(trainer.job(request), line)
    except DamagedFile as error:  # Whoever asked looked at the file before: it goes wrong this moment, or is mended.
        ending = {"damaged": {"message": error.message}}
    except UserError as error:
        ending = {"refused": {"field": error.field, "message": error.message}}
    except Exception as error:
        sentence = storage_sentence(error)
        if sentence is None:
            raise
        ending = {"storage": {"message": sentence}}  # Whoever drives this process waits for the disk, and asks again.
    finally:
        is_over.set()
        teller.join()
    line.send(ending)  # After the last count of progress: what ends a job is its last line.


def _send_events(messages: Iterator[Message], line: Line) -> Message:
    """Pass events, checkpoints and scores on as they happen; returns the message that ends the job."""
    for message in messages:
        if not message.keys() & {"event", "checkpoint", "scored"}:
            return message
        line.send(message)
    raise AssertionError("a job ended without saying how")


if __name__ == "__main__":
    main(sys.argv[1:])
