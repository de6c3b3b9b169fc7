"""The stand-in server's answers for a replay: states near an event, the line of events, the children as they were."""

from typing import Any, ClassVar

from search_engine.config.search import SearchConfig
from search_engine.config.searches import read_enas_config
from tests.browser import live_page_server
from tests.browser.live_page_server import HONESTY, ID, Played
from webapp.searches.pages import shared_page
from webapp.searches.pages.settings_shown import settings_shown

EVERY = 500  # Events from one state of the server's to the next.
MARKS = {"step_proposed": "step", "shared_epoch_ended": "step", "job_lost": "loss", "state_changed": "end"}


class Replayed(Played):
    """A recorded stream whose page is a replay, opened after event `at`; n of its events have happened."""

    def __init__(self, kind: str, events: list[dict[str, Any]], at: int = 1, n: int | None = None) -> None:
        super().__init__(kind, events, len(events) if n is None else n)
        self.at = at
        self.asked: list[str] = []

    def page(self) -> str:
        state = self.state(self.at)
        flags = {
            "only_looks": True, "is_guest": False, "is_replay": True, "last": self.n, "wanted": self.at,
            "at": self.events[self.at - 1]["at"],
        }  # fmt: skip
        row = live_page_server.SimpleNamespace(id=ID, name="Two-minute demo")
        if "epochs" in self.events[0]:
            config = read_enas_config(self.events[0]["config"])
            facts = shared_page.page_facts(ID, config, epoch_seconds=12.0) | {"has_companion": False}
            context = {
                "search": row, "config": config, "state": state, "honesty": HONESTY, "page": facts | flags,
                "settings": [],
            }  # fmt: skip
            return live_page_server._rendered("shared_live.html", context)
        context = {
            self.kind: row, "state": state, "page": {"kind": self.kind, "id": ID, **flags}, "honesty": HONESTY,
            "settings": settings_shown(SearchConfig, SearchConfig().model_dump(mode="json")),
        }  # fmt: skip
        return live_page_server._rendered(f"{self.kind}_live.html", context)


class ReplayHandler(live_page_server._Handler):
    """Answers for a Replayed too."""

    played: Replayed

    def _states(self, query: dict[str, list[str]]) -> None:
        n = min(int(query["at"][0]), self.played.n) // EVERY * EVERY
        self.played.asked.append(f"states {query['at'][0]}")
        at = self.played.events[n - 1]["at"] if n else None
        self._json({"state": self.played.state(n), "at": at, "last": self.played.n})

    def _timeline(self, query: dict[str, list[str]]) -> None:
        shown = self.played.events[: self.played.n]
        marks = [{"n": e["n"], "at": e["at"], "kind": MARKS[e["kind"]]} for e in shown if e["kind"] in MARKS]
        self._json({"last": self.played.n, "ticks": [[e["n"], e["at"]] for e in shown], "marks": marks})

    def _children_then(self, query: dict[str, list[str]]) -> None:
        then = Played("search", self.played.events, int(query["at"][0]))
        self._json(then.children(query))

    def _decisions_then(self, query: dict[str, list[str]]) -> None:
        then = int(query["at"][0]) if "at" in query else self.played.n
        self._json(Played("search", self.played.events, then).results())

    ANSWERS: ClassVar = (
        (r"/api/searches/[^/]+/decisions", _decisions_then),
        (r"/api/(?:searches|trainings)/[^/]+/states", _states),
        (r"/api/(?:searches|trainings)/[^/]+/timeline", _timeline),
        (r"/api/searches/[^/]+/states/children", _children_then),
        *live_page_server._Handler.ANSWERS,
    )
