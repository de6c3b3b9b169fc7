"""What each command may do to a search or training in each state, and how it is answered: races are held to this.

A state here is the row's, and "waiting" for what is paused because a disk refused. Between two commands a worker may
end what is running or paused, never anything else.
"""

from collections.abc import Callable
from typing import Any

from search_engine.errors import ConfigError
from webapp.searches import deletion, lifecycle
from webapp.searches.models import Search, Stream

OPEN = ("running", "paused", "waiting")
ENDED = ("stopped", "finished", "failed")
# (state, command) -> the state after it; what is not here is refused with a sentence, and changes nothing.
AFTER = {
    ("running", "pause"): "paused",
    ("waiting", "pause"): "paused",
    ("paused", "resume"): "running",
    ("waiting", "resume"): "running",
    **{(state, "stop"): "stopped" for state in OPEN},
    **{(state, "prioritise"): state for state in OPEN},
    **{(state, "change"): state for state in OPEN},  # Limits, of searches alone.
    **{(state, "delete"): "deleting" for state in (*OPEN, *ENDED, "deleting")},
}
# States that the log tells of when a command was applied; of a second deletion nothing.
TOLD = {"pause": "paused", "resume": "running", "stop": "stopped", "delete": "deleting"}
ENDS_BY_ITSELF = ("finished", "failed")

COMMANDS: dict[str, Callable[[Any], None]] = {
    "pause": lifecycle.pause,
    "resume": lifecycle.resume,
    "stop": lifecycle.stop,
    "delete": deletion.delete,
    "prioritise": lambda stream_id: lifecycle.prioritise(stream_id, 1),
    "change": lambda stream_id: change(stream_id),
}
# Over HTTP: method, end of the address, body, and the status of what is applied. Refused is 409, gone is 404.
REQUESTS: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "pause": ("post", "/pause", {}, 200),
    "resume": ("post", "/resume", {}, 200),
    "stop": ("post", "/stop", {}, 200),
    "delete": ("delete", "", {}, 202),
    "prioritise": ("patch", "", {"priority": "first"}, 200),
}
REFUSED, GONE = 409, 404


def change(search_id: Any) -> None:
    """One child or epoch more, where it is not too late for that, and at most two workers."""
    search = Search.objects.get(pk=search_id)
    more = {"epochs": search.epochs + 1} if search.epochs else {"children": search.total + 1}
    try:
        lifecycle.change_limits(search_id, {**more, "workers": 2})
    except ConfigError:
        lifecycle.change_limits(search_id, {"workers": 2})


def state_of(stream_id: Any) -> str:
    """The state in the words of this table; "gone" when no row is left."""
    row = Stream.objects.filter(pk=stream_id).values_list("state", "reason").first()
    if row is None:
        return "gone"
    state, reason = row
    return "waiting" if state == "paused" and reason else str(state)
