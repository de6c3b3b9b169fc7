"""What a person bans in a running search, as options of its decisions."""

from collections.abc import Mapping, Sequence

from search_engine.config.changes import Change, bans_in_force
from search_engine.errors import ConfigError
from search_engine.spaces.base import Decision

Banned = tuple[tuple[int, ...], ...]  # For each decision its banned options, rising; () where nothing at all is banned.


def banned_at(decisions: Sequence[Decision], changes: Sequence[Change], step: int) -> Banned:
    """What must not be drawn in a step. Raises ConfigError, as check_bans does."""
    return _banned(decisions, bans_in_force(changes, step))


def check_changes(decisions: Sequence[Decision], changes: Sequence[Change]) -> None:
    """Raises ConfigError at the first ban that these decisions do not hold, or that leaves one without an option."""
    for place, change in enumerate(changes):
        if change.bans:
            before = bans_in_force(changes[:place], change.from_step)
            try:
                check_bans(decisions, before, change.bans)
            except ConfigError as error:
                raise ConfigError(f"changes.{place}.{error.field}", error.message) from error


def check_bans(
    decisions: Sequence[Decision], before: Mapping[str, Sequence[str]], bans: Mapping[str, Sequence[str]]
) -> None:
    """before: what is in force; bans: what is to take its place, see config.changes.Change. Raises ConfigError at
    "bans" and the name of a place."""
    for where, options in bans.items():
        meant = [decision for decision in decisions if where in (decision.family, decision.name)]
        if not meant:
            families = ", ".join(dict.fromkeys(decision.family for decision in decisions))
            raise ConfigError(f"bans.{where}", f"is no decision of this search; must be one of its, or {families}.")
        known = {option for decision in meant for option in decision.options}
        for option in options:
            if option not in known:
                raise ConfigError(f"bans.{where}", f"names {option!r}, which is no option there.")
    banned = _banned(decisions, {**before, **bans})
    for decision, gone in zip(decisions, banned, strict=bool(banned)):
        if len(gone) == len(decision.options):
            field = next((name for name in bans if name in (decision.family, decision.name)), "")
            raise ConfigError(f"bans.{field}".rstrip("."), f"would leave {decision.name} without an option.")


def _banned(decisions: Sequence[Decision], words: Mapping[str, Sequence[str]]) -> Banned:
    gone = tuple(
        tuple(
            index
            for index, option in enumerate(decision.options)
            if option in words.get(decision.family, ()) or option in words.get(decision.name, ())
        )
        for decision in decisions
    )
    return gone if any(gone) else ()
