"""Searches: started, listed, waited for, looked into and steered."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal
from uuid import UUID

from search_engine.config.base import Config
from webapp.client.architectures import Architecture
from webapp.client.children import Child
from webapp.client.connection import Connection, Json
from webapp.client.drawn import table
from webapp.client.errors import CellwrightError, Problem, unless_wrong
from webapp.client.replies import ChildFacts, Cost, SearchFacts
from webapp.client.search_figures import SearchFigures
from webapp.client.search_tests import SearchTests
from webapp.client.streams import Stream

PAGE = 200
Sort = Literal["reward", "parameters", "mult_adds", "seconds", "step"]
AnyConfig = Config | Mapping[str, Any] | str


class Search(Stream):
    """A search.

    figures: what Plotly draws of it; tests: what is known of how much its rewards and scores mean.
    """

    KIND: ClassVar[Literal["searches", "trainings"]] = "searches"
    facts: SearchFacts

    def _take(self, found: dict[str, Any]) -> None:
        self.facts = SearchFacts(**found)

    def __str__(self) -> str:
        best = "" if self.facts.best_reward is None else f", best {self.facts.best_reward:.4f}"
        return f"{self.facts.name}: {self.state}, {self._progress}{best}"

    @property
    def _progress(self) -> str:
        children = f"{self.facts.done} of {self.facts.total} children"
        return f"{self.facts.steps_told} of {self.facts.epochs} epochs, {children}" if self.facts.epochs else children

    def _repr_html_(self) -> str:
        best = "none yet" if self.facts.best_reward is None else f"{self.facts.best_reward:.4f}"
        rows = [("State", self.state), ("Progress", self._progress), ("Best reward", best)]
        return table(self.facts.name or "Search", self.page, rows)

    @property
    def figures(self) -> SearchFigures:
        return SearchFigures(self._connection, self.path, self.facts.name or "Search")

    @property
    def tests(self) -> SearchTests:
        return SearchTests(self._connection, self.path)

    # --- What it found

    def children(
        self, sort: Sort = "step", order: Literal["asc", "desc"] = "asc", *,
        decision: int | None = None, option: int | None = None, at: int | None = None,
    ) -> Iterator[ChildFacts]:  # fmt: skip
        """Children with a verdict, page by page as they are read.

        decision, option: only those that took this option there, both counted from 0. at: those that there were after
        this event.
        """
        path = f"{self.path}/children" if at is None else f"{self.path}/states/children"
        page, pages = 1, 1
        while page <= pages:
            found = self._connection.get(
                path, sort=sort, order=order, page=page, size=PAGE, decision=decision, option=option, at=at
            )
            yield from (ChildFacts(**each) for each in found["children"])
            page, pages = page + 1, found["pages"]

    def child(self, step: int, slot: int) -> Child:
        return Child(self._connection, self.id, self._connection.get(f"{self.path}/children/{step}/{slot}"))

    def best(self) -> Child:
        """The child with the best measured reward. Raises CellwrightError before the first one."""
        for facts in self.children("reward", "desc"):
            if facts.reward is not None and not facts.reason:
                return self.child(facts.step, facts.slot)
        raise CellwrightError(404, [Problem("", "No child of this search has a reward yet.")])

    def children_csv(self) -> str:
        return self._connection.content(f"{self.path}/children.csv").decode()

    def save_rewards(self, target: str | Path) -> Path:
        """The curve of rewards as a page that needs nothing else."""
        return self._connection.save(f"{self.path}/rewards.html", Path(target))

    def curve(self, first: float = 0, last: float = 10**9, *, points: int = 500, at: int | None = None) -> Json:
        """Rewards between two places, thinned without losing the lowest and the highest. at: as after this event."""
        return self._connection.get(f"{self.path}/curve", first=first, last=last, points=points, at=at)

    def policy(self, points: int = 200) -> Json:
        """The controller's policy step by step, thinned to at most so many steps."""
        return self._connection.get(f"{self.path}/policy", points=points)

    def decisions(self) -> list[dict[str, Any]]:
        """What came of every option of every decision, in the order of the space."""
        found: list[dict[str, Any]] = self._connection.get(f"{self.path}/decisions")["decisions"]
        return found

    def decision_lines(self, axes: int = 12, lines: int = 200) -> Json:
        """Children as lines over their decisions: parallel coordinates."""
        return self._connection.get(f"{self.path}/decision-lines", axes=axes, lines=lines)

    # --- While it runs

    def change_limits(self, **limits: float | None) -> Json:
        """children or epochs, workers, hours; None for no limit of the last two. Answers with those in force."""
        return self._connection.post(f"{self.path}/limits", limits)

    def changes(self) -> Json:
        """What was changed while it ran, as a terminal reads it to repeat the search."""
        return self._connection.get(f"{self.path}/changes")

    def ban(self, bans: Mapping[str, Sequence[str]]) -> Json:
        """By a kind of decisions or the name of one: options. An empty list takes a ban back. Answers with all."""
        body = {"bans": {where: list(options) for where, options in bans.items()}}
        return self._connection.post(f"{self.path}/steer", body)["bans"]

    def propose(self, architecture: Architecture) -> tuple[int, int]:
        """Have it trained as one more child; its step and slot."""
        found = self._connection.post(f"{self.path}/proposals", {"architecture": architecture.json})
        return found["step"], found["slot"]

    def start_companion(self) -> "Search":
        """Random search of the same settings beside it: the one that is there, or a new one."""
        return Searches(self._connection).get(self._connection.post(f"{self.path}/companion")["id"])


class Searches:
    """Yours, and those that others share with you."""

    PATH = "/api/searches"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> Iterator[Search]:
        """Newest first."""
        offset, total = 0, 1
        while offset < total:
            found = self._connection.get(self.PATH, limit=PAGE, offset=offset)
            yield from (Search(self._connection, each) for each in found["searches"])
            offset, total = offset + PAGE, found["total"]

    def get(self, search_id: UUID | str) -> Search:
        return Search(self._connection, self._connection.get(f"{self.PATH}/{search_id}"))

    def presets(self) -> Json:
        """Where one may start from: {"presets", "controllers"}."""
        return self._connection.get("/api/presets")

    def preset(self, name: str) -> dict[str, Any]:
        """The configuration of a preset, to be changed and started."""
        found = {each["name"]: each["config"] for each in self.presets()["presets"]}
        if name not in found:
            raise CellwrightError(404, [Problem("config", f"is {name!r}; presets are {', '.join(found)}.")])
        config: dict[str, Any] = found[name]
        return config

    def estimate(self, config: AnyConfig, *, companion: bool = False) -> Cost:
        """What it would cost. Raises CellwrightError at what is wrong with it. Starts nothing."""
        body = {"config": self._json(config), "companion": companion}
        return Cost(**unless_wrong(self._connection.post(f"{self.PATH}/estimate", body)))

    def start(
        self, config: AnyConfig, *, companion: bool = False, workers: int | None = None, hours: float | None = None,
        key: str = "",
    ) -> Search:  # fmt: skip
        """config: of the engine, its JSON form, or the name of a preset. companion: random search runs beside it.

        workers, hours: limits from the start. key: a text of your own; the same one starts it once, however often the
        script runs.
        """
        limits = {"workers": workers, "hours": None if hours is None else float(hours)}
        body = {"config": self._json(config), "companion": companion, "limits": limits}
        return self.get(self._connection.post(self.PATH, body, key=key)["id"])

    def start_group(self, of: Search | AnyConfig, seeds: Sequence[int], strategies: Sequence[str] = ()) -> list[Search]:
        """The same search once for each seed and strategy, in one group; those that are there are not started again."""
        found = self._connection.post("/api/groups", self._group(of, seeds, strategies))
        return [self.get(each) for each in found["started"]]

    def estimate_group(self, of: Search | AnyConfig, seeds: Sequence[int], strategies: Sequence[str] = ()) -> Cost:
        return Cost(**unless_wrong(self._connection.post("/api/groups/estimate", self._group(of, seeds, strategies))))

    def _group(self, of: Search | AnyConfig, seeds: Sequence[int], strategies: Sequence[str]) -> dict[str, Any]:
        origin = {"search": str(of.id)} if isinstance(of, Search) else {"config": self._json(of)}
        return origin | {"seeds": list(seeds), "strategies": list(strategies)}

    def _json(self, config: AnyConfig) -> dict[str, Any]:
        if isinstance(config, str):
            return self.preset(config)
        return config.model_dump(mode="json") if isinstance(config, Config) else dict(config)
