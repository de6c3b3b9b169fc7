"""A whole search in one folder and one process, which goes on when it is started again.

config.json           what was asked for
events.jsonl          everything that happened
changes.json          what was changed on the way, where anything was: see config.changes
strategy.safetensors  the strategy's state after the last step; strategy-before.safetensors: after the one before
children.csv          one row per child; best.json: the best architecture
finalist-N.safetensors, result.safetensors  the final round, where there is one: see finalist_files
rewards.html          the curve of rewards, once the search has finished: a page that needs nothing else
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from search_engine.architectures.reading import architecture_from_json
from search_engine.checkpoints import atomic_write
from search_engine.config.base import Config
from search_engine.config.changes import Change, step_sizes
from search_engine.config.search import SearchConfig
from search_engine.errors import UserError
from search_engine.evaluators.base import Evaluator
from search_engine.evaluators.replaying import Replaying, evaluation_of
from search_engine.evaluators.reusing import Reusing
from search_engine.events import (
    ChildFinished,
    ControllerUpdated,
    DecisionShown,
    Event,
    ProposalShown,
    ResultKept,
    SearchStarted,
    StepProposed,
)
from search_engine.figures import RewardPoint, StepPoint, reward_figure
from search_engine.final_round import FinalRound
from search_engine.places import place_among_children
from search_engine.runner import run
from search_engine.spaces.nasnet import NasnetSpace
from search_engine.strategies.base import Strategy
from search_engine.strategies.build import build_strategy, encode_strategy, load_strategy
from search_engine.terminal.change_file import changes_of, events_of, keep_changes, refuse_other_bans
from search_engine.terminal.event_file import EventFile
from search_engine.terminal.finalist_files import BuildFinalist, FinalistFiles
from search_engine.terminal.generations import newest, replace
from search_engine.terminal.result_files import write_best, write_table

COLUMNS = (
    "step", "slot", "reward", "reason", "twin_step", "twin_slot", "parameters", "mult_adds", "seconds",
    "log_probability", "hash", "decisions", "accuracy", "over", "latency_ms",
)  # fmt: skip


class SearchFolder:
    """One search and its files."""

    def __init__(self, folder: Path, config: SearchConfig, changes: Sequence[Change] | None = None) -> None:
        """changes: all that there are; None for those that the folder knows.

        Raises UserError where the folder holds another search or is in use, or where the changes contradict what was
        drawn already, CheckpointError where it is damaged.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._config = config
        self.fingerprint = ""
        with ExitStack() as unless_ready:
            self._log = unless_ready.enter_context(closing(EventFile(folder / "events.jsonl")))
            claim_folder(folder, config, "search")
            self._changes = changes_of(folder, config, changes)
            self._sizes = step_sizes(config, self._changes)
            self._refuse_contradictions()
            self._strategy = build_strategy(config, self._changes)
            saved = 0
            extra = newest(folder / "strategy.safetensors", lambda path: load_strategy(path, self._strategy))
            if extra is not None:
                saved, self.fingerprint = extra["events"], extra["fingerprint"]
            # What happened after the last saved step is given out again as it comes. Only a second crash within the
            # next moment would lose it, and then it is computed again. Without any saved step, that is everything.
            self._past = self._log.cut(saved)
            keep_changes(folder, self._changes)
            unless_ready.pop_all()

    @property
    def is_finished(self) -> bool:
        return self._strategy.is_finished and (not self._config.finals.children or self.result is not None)

    @property
    def result(self) -> ResultKept | None:
        """What the final round ended with; None before that, and where there is none."""
        return next((event for event in reversed(self._log.events) if isinstance(event, ResultKept)), None)

    @property
    def children(self) -> int:
        """How many children the search will try in all."""
        return self._sizes.children

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened up to the last saved step, and since."""
        return tuple(self._log.events)

    def run(
        self,
        evaluator: Evaluator,
        *,
        data: Mapping[str, Any],
        should_stop: Callable[[], bool],
        build_finalist: BuildFinalist | None = None,
    ) -> Generator[Event, None, None]:
        """Search to the end, or until `should_stop`; each event is on its way to the disk when it is given out.

        data: what the images are, as events.SearchStarted shows it. build_finalist: how a finalist is trained; needed
        where the configuration wants any. Whoever stops pulling between steps loses nothing: finished children are not
        trained again, nor are finished epochs of a finalist.
        """
        final_round = self._final_round(build_finalist)
        for event in self._events(self._remembering(evaluator), final_round, data, should_stop):
            self._log.append(event)
            yield event
        if self.is_finished:
            page = self._figure().to_html(include_plotlyjs=True)
            atomic_write(self._folder / "rewards.html", page.encode())

    def best(self) -> dict[str, Any] | None:
        """The best measured child, the first one among equals: its architecture, and its place and reward."""
        proposals = self._proposals()
        measured = [event for event in self._verdicts() if event.reward is not None and event.reason is None]
        if not measured:
            return None
        best = max(measured, key=lambda event: (event.reward, -event.step, -event.slot))
        proposal = proposals[best.step, best.slot]
        place = {"step": best.step, "slot": best.slot, "reward": best.reward, "hash": proposal.hash}
        return proposal.architecture | {"search": place}

    def close(self) -> None:
        self._log.close()

    def _events(
        self,
        evaluator: Evaluator,
        final_round: FinalRound | None,
        data: Mapping[str, Any],
        should_stop: Callable[[], bool],
    ) -> Generator[Event, None, None]:
        if not self._log.events:
            yield self._started(data)
        for change in events_of(self._changes, self._config):
            if change not in self._log.events:
                yield change
        shown = max((event.step for event in self._log.events if isinstance(event, StepProposed)), default=-1)
        yield from run(
            self._strategy,
            evaluator,
            fingerprint=self.fingerprint,
            shown=shown,
            final_round=final_round,
            should_stop=should_stop,
            save=self._save,
        )

    def _started(self, data: Mapping[str, Any]) -> SearchStarted:
        decisions = NasnetSpace(self._config.space).decisions
        return SearchStarted(
            config=self._config.model_dump(mode="json"),
            decisions=tuple(DecisionShown(name=decision.name, options=decision.options) for decision in decisions),
            data=dict(data),
            children=self._config.budget.children,
            step_size=self._config.strategy.step_size,
        )

    def _refuse_contradictions(self) -> None:
        before = changes_of(self._folder, self._config, None)
        drawn_to = max((event.step for event in self._log.events if isinstance(event, StepProposed)), default=-1)
        refuse_other_bans(self._config, before, self._changes, range(drawn_to + 1))
        for event in self._log.events:
            if not isinstance(event, StepProposed):
                continue
            drawn, wanted = sum(not each.off_policy for each in event.proposals), self._sizes.size(event.step)
            if drawn != wanted:
                raise UserError(
                    "--changes", f"would give step {event.step} {wanted} children, and it was drawn with {drawn}."
                )

    def _final_round(self, build: BuildFinalist | None) -> FinalRound | None:
        """The final round that is still to come, knowing the children of the steps before."""
        if not self._config.finals.children or self.result is not None:
            return None
        assert build is not None, "this search has a final round, and nobody says how its finalists are trained"
        final_round = FinalRound(self._config.finals.children, FinalistFiles(self._folder, build, self._past).train)
        proposals = self._proposals()
        for event in self._verdicts():
            if event.reward is not None and event.reason is None and event.twin is None:
                architecture = architecture_from_json(proposals[event.step, event.slot].architecture)
                final_round.remember(event.step, event.slot, architecture, event.reward, event.accuracy)
        return final_round

    def _remembering(self, evaluator: Evaluator) -> Evaluator:
        """The evaluator, spared what is known: children finished since the last saved step, and twins."""
        replaying = Replaying(evaluator, self._past)
        if self._config.budget.reuse == "off":
            return replaying
        reusing = Reusing(replaying, lookahead=self._config.strategy.lookahead)
        proposals = self._proposals()
        for event in self._verdicts():
            reusing.remember(proposals[event.step, event.slot].hash, evaluation_of(event))
        return reusing

    def _save(self, strategy: Strategy, fingerprint: str) -> None:
        self._log.sync()
        self.fingerprint = fingerprint
        extra = {"events": len(self._log.events), "fingerprint": fingerprint}
        replace(self._folder / "strategy.safetensors", encode_strategy(strategy, extra))
        self._write_results()

    def _write_results(self) -> None:
        write_table(self._folder / "children.csv", COLUMNS, self._rows())
        if (best := self.best()) is not None:
            write_best(self._folder, best)

    def _rows(self) -> Iterator[list[Any]]:
        proposals = self._proposals()
        for event in self._verdicts():
            proposal = proposals[event.step, event.slot]
            yield [
                *(event.step, event.slot, event.reward, event.reason, *(event.twin or (None, None))),
                *(event.parameters, event.mult_adds, round(event.seconds, 3)),
                *(proposal.log_probability, proposal.hash, " ".join(map(str, proposal.decisions))),
                *(event.accuracy, event.over, event.latency and event.latency.ms),
            ]

    def _figure(self) -> go.Figure:
        size = self._config.strategy.step_size
        children = [
            RewardPoint(
                place_among_children(event.step, event.slot, size), event.reward, is_copied=event.twin is not None
            )
            for event in self._verdicts()
            if event.reward is not None and event.reason is None
        ]
        means = {event.step: event.mean_reward for event in self._log.events if isinstance(event, ControllerUpdated)}
        steps = [
            StepPoint(event.step * size + (size - 1) / 2, means.get(event.step), event.entropy)
            for event in self._log.events
            if isinstance(event, StepProposed)
        ]
        return reward_figure(children, steps, title=self._config.name or "Search", weighs_cost=self._config.weighs_cost)

    def _verdicts(self) -> list[ChildFinished]:
        return [event for event in self._log.events if isinstance(event, ChildFinished)]

    def _proposals(self) -> dict[tuple[int, int], ProposalShown]:
        return {
            (event.step, proposal.slot): proposal
            for event in self._log.events
            if isinstance(event, StepProposed)
            for proposal in event.proposals
        }


def claim_folder(folder: Path, config: Config, kind: str) -> None:
    """Write the configuration, or make sure that it is the one already there; else UserError.

    What an earlier version of the program did not know yet has its default.
    """
    path = folder / "config.json"
    if not path.exists():
        atomic_write(path, config.model_dump_json(indent=2).encode() + b"\n")
        return
    try:
        is_same = type(config).model_validate_json(path.read_bytes()) == config
    except ValueError:
        is_same = False
    if not is_same:
        raise UserError("--out", f"{folder} holds something else than this {kind}; choose another folder.")
