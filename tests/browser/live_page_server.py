"""A small stand-in for the server: the real templates, scripts and pictures, over recorded events.

Pages go out under the app's content policy. The live socket is played by the test (Page.route_web_socket).
"""

import http.server
import json
import mimetypes
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import reduce
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.template.loader import render_to_string
from django.test import RequestFactory

from search_engine.architectures.reading import architecture_from_json
from search_engine.config.search import SearchConfig
from search_engine.config.searches import read_enas_config
from search_engine.drawing.svg import architecture_svg, pictures
from webapp.searches import live_state
from webapp.searches.api import policies
from webapp.searches.api.policies import DecisionList
from webapp.searches.option_results import decision_results
from webapp.searches.pages import shared_page
from webapp.searches.pages.settings_shown import settings_shown
from webapp.searches.policy_history import FROZEN, Columns

STATIC = Path(__file__).resolve().parents[2] / "frontend" / "static"
ID = "11111111-2222-4333-8444-555555555555"
HONESTY = (
    "Each child sees 2,000 small images once: enough to see the controller learn, too little to say how good a cell "
    "is in the end."
)

METER: dict[str, Any] = {
    "candidates": 3, "usual": 3, "fewest": 3, "most": 3, "epochs": 4, "measured": "accuracy", "networks": [],
    "correlation": None, "sentences": [], "waiting": "", "is_open": False,
}  # fmt: skip
ALONE: dict[str, Any] = {
    "verdict": "waiting", "waiting": "No random companion has run.", "sentences": [], "measured": "accuracy",
    "difference": None, "search": {}, "random": None, "is_over": True,
}  # fmt: skip
OWNED = {"role": "owner", "gets_files": True}  # As pages.watching says it of whoever owns what they look at.
ENDED: set[str] = set()  # Origins of servers that a test has ended: a page that still asks them is told so.

Query = dict[str, list[str]]


class Played:
    """One recorded stream, seen up to its event number n."""

    def __init__(self, kind: str, events: list[dict[str, Any]], n: int) -> None:
        self.kind, self.events, self.n = kind, events, n
        self.posts: list[str] = []
        self.is_random = False  # Whether the API calls it random search.
        self.wanted: dict[str, Any] = {}  # What the honesty meter was asked for last.
        self.comparison: dict[str, Any] | None = None  # What the API says of it and random search.
        self.trainings: list[dict[str, Any]] = []  # Of its children, as the API lists them.
        # What the API says of its shared scores, and of it and a random companion with shared weights.
        self.meter: dict[str, Any] = METER
        self.meter_cost: dict[str, Any] = {"networks": 3, "seconds": None, "errors": []}
        self.shared_comparison: dict[str, Any] = ALONE
        self.scores: dict[str, Any] = {"scores": [], "is_open": False}  # That its shared weights were asked for.

    def state(self, n: int | None = None) -> dict[str, Any]:
        shown = self.events[: self.n if n is None else n]
        return reduce(live_state.apply, shown, live_state.initial(self.kind))

    def page(self) -> str:
        row = SimpleNamespace(id=ID, name="Two-minute demo")
        if self.events and "epochs" in self.events[0]:
            return self._shared_page(row)
        context = {
            self.kind: row, "state": self.state(),
            "page": {"kind": self.kind, "id": ID, **self._compares(), **OWNED},
            "honesty": HONESTY,
            "settings": settings_shown(SearchConfig, SearchConfig().model_dump(mode="json")),
            "origin": {"title": "child 3.4", "url": "#"},
            "command": "python -m search_engine evaluate checkpoint.safetensors --data fashion-mnist-10k",
        }  # fmt: skip
        return _rendered(f"{self.kind}_live.html", context)

    def _shared_page(self, row: SimpleNamespace) -> str:
        """Of a search with shared weights, whose first epoch was estimated at twelve seconds."""
        config = read_enas_config(self.events[0]["config"])
        context = {
            "search": row, "config": config, "state": self.state(), "honesty": shared_page.honesty(config),
            "page": shared_page.page_facts(ID, config, epoch_seconds=12.0)
            | {"has_companion": self.shared_comparison["random"] is not None, **OWNED},
            "settings": settings_shown(type(config), config.model_dump(mode="json")),
        }  # fmt: skip
        return _rendered("shared_live.html", context)

    def _compares(self) -> dict[str, bool]:
        if self.comparison is None:
            return {}
        return {"compares": True, "has_companion": self.comparison["companion"] is not None}

    def architecture(self, step: int, slot: int) -> Any:
        proposals = [e for e in self.events if e["kind"] == "step_proposed" and e["step"] == step]
        return architecture_from_json(proposals[0]["proposals"][slot]["architecture"])

    def decisions(self) -> dict[tuple[int, int], list[int]]:
        """What every child took, by its place."""
        steps = [e for e in self.events[: self.n] if e["kind"] == "step_proposed"]
        return {(e["step"], child["slot"]): child["decisions"] for e in steps for child in e["proposals"]}

    def policy(self, points: int) -> dict[str, Any]:
        kind = "controller_phase_ended" if "epochs" in self.events[0] else "step_proposed"
        columns = Columns()
        for event in self.events[: self.n]:
            if event["kind"] == kind:
                columns.add(event["n"], event["step"], event["policy"], event["entropies"])
        return asdict(columns.shown(points)) | {"threshold": FROZEN, "is_random": self.is_random}

    def results(self) -> dict[str, Any]:
        rows = [e for e in self.events[: self.n] if e["kind"] == "child_finished"]
        counted = [e for e in rows if e["reward"] is not None and e["twin"] is None]
        taken, rewards = self.decisions(), [e["reward"] for e in counted]
        decisions = [(each["name"], each["options"]) for each in self.state()["decisions"]]
        found = decision_results(decisions, [taken[e["step"], e["slot"]] for e in counted], rewards)
        mean = sum(rewards) / len(rewards) if rewards else None
        told = DecisionList(weighs_cost=False, done=len(rows), counted=len(counted), mean=mean,
                            decisions=[policies.decision_json(each) for each in found])  # fmt: skip
        return told.model_dump()

    def children(self, query: dict[str, list[str]]) -> dict[str, Any]:
        rows = [e for e in self.events[: self.n] if e["kind"] == "child_finished"]
        if "decision" in query:
            taken, (at,), (option,) = self.decisions(), map(int, query["decision"]), map(int, query["option"])
            rows = [e for e in rows if taken[e["step"], e["slot"]][at] == option]
        key = query["sort"][0]
        rows.sort(key=lambda e: (e["step"], e["slot"]) if key == "step" else e[key] or 0)
        if query["order"][0] == "desc":
            rows.reverse()
        size, page = int(query["size"][0]), int(query["page"][0])
        return {"children": rows[(page - 1) * size : page * size], "total": len(rows), "page": page,
                "pages": max(1, -(-len(rows) // size)), "size": size}  # fmt: skip


def _rendered(template: str, context: dict[str, Any]) -> str:
    request = RequestFactory().get(f"/searches/{ID}")
    request.user = SimpleNamespace(is_authenticated=True, name="Owner")
    return render_to_string(template, context, request)


class _Handler(http.server.BaseHTTPRequestHandler):
    played: Played

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        for pattern, answer in self.ANSWERS:
            if found := re.fullmatch(pattern, address.path):
                answer(self, parse_qs(address.query), *found.groups())
                return
        self.send_error(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.played.posts.append(self.path)
        if self.path.endswith(("/honesty-meter", "/honesty-meter/stop")):
            self.played.wanted = json.loads(body)
            self._json(self.played.meter)
            return
        if self.path.endswith("/resume"):
            self._json({"errors": [{"field": "", "message": "It is not paused."}]}, status=409)
        else:
            self._json({})

    def _page(self, query: Query) -> None:
        self._send(self.played.page().encode(), "text/html", policy=True)

    def _empty(self, query: Query) -> None:
        self._send(b"<!doctype html><title>Empty</title><link rel=icon href='data:,'>", "text/html")

    def _static(self, query: Query, name: str) -> None:
        file = STATIC / name
        self._send(file.read_bytes(), mimetypes.guess_type(name)[0] or "text/plain")

    def _picture(self, query: Query, step: str, slot: str, which: str) -> None:
        pieces = pictures(architecture := self.played.architecture(int(step), int(slot)))
        svg = pieces[which].svg if which in pieces else architecture_svg(architecture)
        self._send(svg.encode(), "image/svg+xml")

    def _epoch_picture(self, query: Query, step: str, which: str) -> None:
        kind, part = shared_page.PICTURES[which]
        event = next(e for e in self.played.events if e["kind"] == kind and e["step"] == int(step))
        shown = event if part is None else event[part]
        self._send(architecture_svg(architecture_from_json(shown["architecture"])).encode(), "image/svg+xml")

    def _example_picture(self, query: Query) -> None:
        event = next(e for e in self.played.events if e["kind"] == "shared_epoch_ended")
        self._send(architecture_svg(architecture_from_json(event["architecture"])).encode(), "image/svg+xml")

    def _trainings(self, query: Query) -> None:
        self._json({"trainings": self.played.trainings, "total": len(self.played.trainings)})

    def _shared_comparison(self, query: Query) -> None:
        self._json(self.played.shared_comparison)

    def _honesty_meter(self, query: Query) -> None:
        self._json(self.played.meter)

    def _meter_cost(self, query: Query) -> None:
        self._json(self.played.meter_cost)

    def _scores(self, query: Query) -> None:
        self._json(self.played.scores)

    def _training_picture(self, query: Query) -> None:
        self._send((STATIC.parents[1] / "tests/golden/cells/nasnet-a.svg").read_bytes(), "image/svg+xml")

    def _children(self, query: Query) -> None:
        self._json(self.played.children(query))

    def _policy_history(self, query: Query) -> None:
        self._json(self.played.policy(int(query["points"][0])))

    def _decisions(self, query: Query) -> None:
        self._json(self.played.results())

    def _events(self, query: Query) -> None:
        after, limit = int(query["after"][0]), int(query["limit"][0])
        shown = self.played.events[: self.played.n]
        self._json({"events": shown[after : after + limit], "last": self.played.n})

    def _comparison(self, query: Query) -> None:
        self._json(self.played.comparison)

    def _workers(self, query: Query) -> None:
        state = {"device": "cpu", "job": "child 3.4", "seen": 0.4, "is_here": True, "is_drained": False}
        serves = {"stream": ID, "stream_name": "Ours", "stream_url": f"/searches/{ID}"}
        self._json({"workers": [{"name": f"worker-{number}", **state, **serves} for number in range(2)]})

    def _time_left(self, query: Query) -> None:
        """Nothing is known, so that the strip shows the pace of the events."""
        self._json({"seconds": None, "why": "No worker is there.", "at": 0.0})

    def _artifacts(self, query: Query) -> None:
        artifact = {"id": ID, "label": "Checkpoint", "filename": "checkpoint.safetensors", "size": 1_254_000}
        result = artifact | {"label": "Result", "filename": "result.safetensors"}
        is_training = self.played.kind == "training"
        self._json({"artifacts": [artifact], "bundle": "absent"} if is_training else {"artifacts": [artifact, result]})

    ANSWERS: ClassVar = (
        ("/live", _page),
        ("/empty", _empty),
        (re.escape(settings.STATIC_URL) + "(.+)", _static),
        (r"/searches/[^/]+/children/(\d+)/(\d+)/(both|normal|whole)\.svg", _picture),
        (r"/searches/[^/]+/epochs/(\d+)/([a-z]+)\.svg", _epoch_picture),
        (r"/searches/[^/]+/example\.svg", _example_picture),
        (r"/searches/[^/]+/scores/[^/]+\.svg", _example_picture),
        ("/api/trainings", _trainings),
        (r"/api/searches/[^/]+/children/(\d+)/(\d+)/(picture)\.svg", _picture),
        (r"/api/trainings/[^/]+/picture\.svg", _training_picture),
        (r"/api/searches/[^/]+/children", _children),
        (r"/api/(?:searches|trainings)/[^/]+/events", _events),
        (r"/api/searches/[^/]+/policy", _policy_history),
        (r"/api/searches/[^/]+/decisions", _decisions),
        (r"/api/searches/[^/]+/comparison", _comparison),
        (r"/api/searches/[^/]+/shared-comparison", _shared_comparison),
        (r"/api/searches/[^/]+/honesty-meter", _honesty_meter),
        (r"/api/searches/[^/]+/scores", _scores),
        (r"/api/searches/[^/]+/honesty-meter/cost", _meter_cost),
        ("/api/workers", _workers),
        (r"/api/(?:searches|trainings)/[^/]+/time-left", _time_left),
        (r"/api/(?:searches|trainings)/[^/]+/artifacts", _artifacts),
    )

    def _json(self, value: Any, status: int = 200) -> None:
        self._send(json.dumps(value).encode(), "application/json", status=status)

    def _send(self, body: bytes, kind: str, *, policy: bool = False, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if policy:
            self.send_header("Content-Security-Policy", _policy())
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Quiet."""


def _policy() -> str:
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


@contextmanager
def served(played: Played) -> Iterator[str]:
    """The address of the page while it is served."""
    handler = type("Handler", (_Handler,), {"played": played})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    origin = f"http://127.0.0.1:{server.server_port}"
    ENDED.discard(origin)
    try:
        yield f"{origin}/live"
    finally:
        ENDED.add(origin)
        server.shutdown()
        server.server_close()
