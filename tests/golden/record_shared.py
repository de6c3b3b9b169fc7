"""Records tests/golden/streams/enas-*.json: the events of real tiny searches with shared weights, one of each space.

Run `python -m tests.golden.record_shared` only where what events hold has changed; make_streams folds what is recorded.
The searches take a minute in all. Times are set as make_streams sets them, measured seconds stay as they were.
"""

import tempfile
from pathlib import Path

import torch

from search_engine.config.deriving import DerivingConfig
from search_engine.config.phases import ControllerPhaseConfig, TextPhaseConfig
from search_engine.config.searches import AnyEnasSearchConfig
from search_engine.config.space import EnasMacroSpaceConfig, EnasMicroSpaceConfig, EnasRecurrentSpaceConfig
from search_engine.events import Event, StateChanged
from search_engine.shared_presets import MACRO_DEMO, MICRO_DEMO, RECURRENT_DEMO
from search_engine.terminal.shared_search_folder import SharedSearchFolder
from search_engine.training.shared_building import prepare_shared
from tests.golden.make_streams import write_stream

CPU = torch.device("cpu")
DERIVING = DerivingConfig(candidates=3)


def main() -> None:
    for name, config in (("enas-micro", _micro()), ("enas-macro", _macro()), ("enas-recurrent", _recurrent())):
        write_stream(name, "search", _recorded(config), None)


def _micro() -> AnyEnasSearchConfig:
    config = MICRO_DEMO.config
    data = config.data.model_copy(update={"train_examples": 200, "held_out_examples": 100})
    phases = ControllerPhaseConfig(rounds=4, score_batch=50)
    return _small(config, space=EnasMicroSpaceConfig(nodes=2), data=data, phases=phases)


def _macro() -> AnyEnasSearchConfig:
    config = MACRO_DEMO.config
    data = config.data.model_copy(update={"train_examples": 200, "held_out_examples": 100})
    phases = ControllerPhaseConfig(rounds=4, score_batch=50)
    return _small(config, space=EnasMacroSpaceConfig(layers=4), data=data, phases=phases)


def _recurrent() -> AnyEnasSearchConfig:
    config = RECURRENT_DEMO.config
    shared = config.shared.model_copy(update={"minibatches": 10})
    return _small(
        config.model_copy(update={"shared": shared}),
        space=EnasRecurrentSpaceConfig(nodes=4),
        phases=TextPhaseConfig(rounds=4, score_batch=8),
    )


def _small(config: AnyEnasSearchConfig, **parts: object) -> AnyEnasSearchConfig:
    shared = config.shared.model_copy(update={"epochs": 3})
    strategy = config.strategy.model_copy(update={"step_size": 4})
    changed = config.model_copy(update={"shared": shared, "strategy": strategy, "deriving": DERIVING, **parts})
    return type(config).model_validate(changed.model_dump())


def _recorded(config: AnyEnasSearchConfig) -> list[Event]:
    """All events of the search, which then is finished."""
    with tempfile.TemporaryDirectory() as folder:
        data = prepare_shared(config, folder=Path(folder), device=CPU)
        search = SharedSearchFolder(Path(folder) / "search", config)
        for _ in search.run(data, device=CPU, should_stop=lambda: False):
            pass
        search.close()
        return [*search.events, StateChanged(state="finished")]


if __name__ == "__main__":
    main()
