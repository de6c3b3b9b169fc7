"""How log lines look: as text for people, or as one JSON object a line for machines, with what the line is about.

What a block is about is kept for the thread that runs it; a thread that is started inside begins with nothing.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

FORMS = ("text", "json")
_about: ContextVar[dict[str, str | int] | None] = ContextVar("about", default=None)


@contextmanager
def about(**what: str | int) -> Iterator[None]:
    """Lines inside the block say so too, beside what they say already. In the form of text nobody sees it."""
    before = _about.set({**(_about.get() or {}), **what})
    try:
        yield
    finally:
        _about.reset(before)


class JsonLines(logging.Formatter):
    """{"time", "level", "logger", "message"}, then what it is about, and "error" where there is a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= _about.get() or {}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)  # Of ASCII alone, so that no character in it ends the line.


def configuration(form: str) -> dict[str, Any]:
    """One of FORMS, as logging.config takes it."""
    lines: dict[str, Any] = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
            "json": {"()": "webapp.logs.JsonLines"},
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
    }
    if form == "json":  # These two would write lines of their own form.
        # By their own names: of a logger above them, everything below would be opened again, and with it uvicorn's list
        # of addresses that were asked for, which is closed because sign-in links stand in it.
        own = ("uvicorn.error", "multiprocessing")
        lines["loggers"] = {name: {"handlers": ["stderr"], "propagate": False} for name in own}
    return lines
