"""Steering a search while it runs: options that a person bans, pins (by banning the others) or takes back, and
architectures that a person proposes.

A ban takes effect with the next update of the controller: what is drawn already stays. It is a change like a new total
(see limits), so the fingerprint follows from the configuration and `Search.changes`, and a terminal can repeat it.
Functions expect the stream's lock to be held.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from search_engine.config.changes import Change, bans_in_force, is_steered, last_that_draws, read_changes
from search_engine.config.search import SearchConfig
from search_engine.config.searches import read_search_config
from search_engine.errors import ConfigError
from search_engine.events import ArchitectureProposed, SearchSteered
from search_engine.spaces.bans import check_bans
from search_engine.spaces.build import build_space
from search_engine.spaces.proposals import decisions_of
from webapp.searches import limits
from webapp.searches.models import Search

Bans = Mapping[str, Sequence[str]]  # By a kind of decisions or the name of one; see config.changes.Change.
FOREVER = 10**9  # Behind every step.
MOST_PROPOSALS = 50  # For one step; they are trained beside what is drawn, and nobody counted them in the cost.


def steer(search: Search, bans: Bans) -> list[SearchSteered]:
    """Let these bans take the place of what was banned at the same places; the events, none where all is so already.

    Raises ConfigError at the place that cannot be as wanted, or at "" where nothing will be drawn any more.
    """
    config = read_search_config(search.config)
    changes = read_changes(search.changes, config)
    in_force = bans_in_force(changes, FOREVER)
    wanted = {where: tuple(banned) for where, banned in bans.items() if set(banned) != set(in_force.get(where, ()))}
    check_bans(build_space(config.space).decisions, in_force, bans)
    if not wanted:
        return []
    from_step = limits.next_step(search, config)
    if from_step > last_that_draws(config, changes):
        raise ConfigError("", _why_too_late(search, "a ban"))
    _change(search, Change(from_step=from_step, bans=wanted))
    return [SearchSteered(bans=wanted, from_step=from_step)]


def propose(search: Search, architecture: Mapping[str, Any]) -> list[ArchitectureProposed]:
    """Let an architecture be trained beside the next step that is drawn; see config.changes.Change.

    Raises ConfigError at "architecture", or within it, where the search cannot take it.
    """
    config = read_search_config(search.config)
    if not isinstance(config, SearchConfig):
        raise ConfigError(
            "architecture",
            "cannot be trained by this search, whose architectures share their weights; they can give it a score.",
        )
    space = build_space(config.space)
    try:
        proposed = space.decode(decisions_of(space, architecture))
    except ConfigError as error:
        raise ConfigError(error.field.replace("proposal", "architecture", 1), error.message) from error
    from_step = limits.next_step(search, config)
    if from_step > last_that_draws(config, read_changes(search.changes, config)):
        raise ConfigError("", _why_too_late(search, "a proposal"))
    if len(_proposals(search, from_step)) >= MOST_PROPOSALS:
        raise ConfigError("", f"{MOST_PROPOSALS} are proposed for step {from_step} already; more can be for the next.")
    _change(search, Change(from_step=from_step, proposal=proposed.to_json()))
    return [ArchitectureProposed(architecture=proposed.to_json(), hash=proposed.hash, from_step=from_step)]


def place_of_last_proposal(search: Search) -> tuple[int, int]:
    """The step and slot of the child that it will be. There must be one."""
    step = [change["from_step"] for change in search.changes if "proposal" in change][-1]
    return step, search.config["strategy"]["step_size"] + len(_proposals(search, step)) - 1


def bans_of(search: Search) -> dict[str, tuple[str, ...]]:
    """What is banned now, or from the next update on."""
    return bans_in_force(read_changes(search.changes, read_search_config(search.config)), FOREVER)


def first_steered(search: Search) -> int | None:
    """The first step, or epoch, that was drawn under a ban, counted from 0; None for a search that nobody steered."""
    return next((change["from_step"] for change in search.changes if is_steered([change])), None)


def steered_in_words(search: Search, random: Search | None) -> tuple[str, ...]:
    """What a comparison of a search with its random companion, where there is one, must say of steering."""
    said: tuple[str, ...] = ()
    if (since := first_steered(search)) is not None:
        said += (
            f"This search was steered by a person from {_step_name(search, since)} on, and random search was not: "
            "a difference may come from what was banned rather than from what the controller learned.",
        )
    if random is not None and first_steered(random) is not None:
        said += ("The random companion was steered by a person, so it is no uniform draw of the whole space.",)
    return said


def done_by_people(search: Search) -> str:
    """What people did to a search, as the end of a sentence about it; "" where they left it to itself."""
    done = []
    if (since := first_steered(search)) is not None:
        done.append(f"was steered by a person from {_step_name(search, since)} on")
    if proposed := sum("proposal" in change for change in search.changes):
        done.append(f"got {proposed} architecture{'s' if proposed > 1 else ''} that a person proposed")
    return " and ".join(done)


def _step_name(search: Search, step: int) -> str:
    return f"epoch {step + 1}" if search.epochs else f"step {step}"


def _proposals(search: Search, step: int) -> list[Any]:
    return [change["proposal"] for change in search.changes if "proposal" in change and change["from_step"] == step]


def _change(search: Search, change: Change) -> None:
    search.changes = [*search.changes, change.to_json()]
    read_changes(search.changes, read_search_config(search.config))  # It can come true, or this is our bug.
    Search.objects.filter(pk=search.pk).update(changes=search.changes)
    limits.take_updates_back(search)


def _why_too_late(search: Search, what: str) -> str:
    if search.epochs:
        return f"The candidates are being drawn, so {what} would change nothing any more."
    return f"All {search.total:,} children are drawn, so {what} would change nothing unless there were more of them."
