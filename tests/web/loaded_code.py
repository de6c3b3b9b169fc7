"""Notices when this process reads a pickle, or code that was marshalled, which a web process has no reason to do.

Python tells both to whoever listens (audit events). What imports modules reads marshalled code, and is left out.
"""

import sys
import traceback
from typing import Any

_EVENTS = {"pickle.find_class", "marshal.loads", "marshal.load", "shelve.open"}
_seen: list[str] = []
_is_listening = False


def listen() -> list[str]:
    """What is seen from now on, with its stack; the list goes on growing."""
    global _is_listening
    if not _is_listening:
        sys.addaudithook(_notice)  # For ever: Python takes no hook away.
        _is_listening = True
    _seen.clear()
    return _seen


def _notice(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _EVENTS:
        return
    stack = traceback.extract_stack()[:-1]
    if not (event.startswith("marshal") and any("importlib" in frame.filename for frame in stack)):
        _seen.append(f"{event} {arguments[:2]!r:.200}\n" + "".join(traceback.format_list(stack[-12:])))
