"""From a checked configuration to a running search or training: what the first event must carry is gathered here."""

import functools
from contextlib import suppress
from typing import Any

from django.conf import settings

from search_engine import cost
from search_engine.architectures.reading import Architecture, architecture_from_json
from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.config.data import DataConfig
from search_engine.config.language import OWN, LanguageTrainingConfig, TextDataConfig
from search_engine.config.layout import Layout
from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.config.searches import AnySearchConfig
from search_engine.config.trainings import AnyTrainingConfig
from search_engine.data.descriptions import DatasetDescription
from search_engine.data.text_reading import read_text, unigram_perplexity
from search_engine.errors import UserError
from search_engine.events import DecisionShown
from search_engine.network_plan import NetworkPlan, plan
from search_engine.recurrent_plan import recurrent_parameters
from search_engine.spaces.build import build_space
from webapp.searches import lifecycle, quotas
from webapp.searches.artifacts import ArtifactMissing, let_go
from webapp.searches.costs.estimate import live_speeds
from webapp.searches.costs.shared_estimate import cost_of_search, cost_of_training
from webapp.searches.datasets.described import describe
from webapp.searches.datasets.local_copy import bring_text
from webapp.searches.datasets.texts import text_for
from webapp.searches.models import Child, Group, ImportedArchitecture, Search, Training
from webapp.searches.quotas import Weight


def start_search(
    owner: Any,
    config: AnySearchConfig,
    *,
    group: Group | None = None,
    priority: int = 0,
    first_limits: dict[str, Any] | None = None,
) -> Search:
    """Start a search; its data must be known. group: of searches that belong together; first_limits: of workers and
    hours.

    Raises UserError where a quota of its owner does not allow it.
    """
    weight = search_weight(owner, config)
    decisions = [DecisionShown(name=each.name, options=each.options) for each in build_space(config.space).decisions]
    data = data_shown(config.data)
    return lifecycle.create_search(
        owner, config, decisions=decisions, data=data, group=group, priority=priority, first_limits=first_limits,
        weight=weight,
    )  # fmt: skip


def start_training(
    owner: Any,
    config: AnyTrainingConfig,
    child: Child | None,
    *,
    imported: ImportedArchitecture | None = None,
    published: str = "",
) -> Training:
    """Start a training; child, imported, published: where its architecture comes from, if from any of these.

    Its data must be known. Raises UserError where a quota of its owner does not allow it.
    """
    figures, weight = training_figures(config), training_weight(owner, config)
    return lifecycle.start_training(
        owner, config, **figures, child=child, imported=imported, published=published, weight=weight
    )


def search_weight(owner: Any, config: AnySearchConfig) -> Weight:
    """What a search will use, where its owner has a quota that asks for it; its data must be known."""
    if not quotas.weighs(owner):
        return Weight()
    cost = cost_of_search(config, live_speeds())
    workers = cost.workers if isinstance(config, SearchConfig) else 1  # Shared weights have one worker at a time.
    return Weight((cost.seconds or 0.0) * workers, cost.disk_bytes)


def training_weight(owner: Any, config: AnyTrainingConfig) -> Weight:
    """As of a search."""
    if not quotas.weighs(owner):
        return Weight()
    cost = cost_of_training(config, architecture_from_json(config.architecture), live_speeds())
    return Weight(cost.seconds or 0.0, cost.disk_bytes)


def training_figures(config: AnyTrainingConfig) -> dict[str, Any]:
    """What the first event of a training says of its data and its network: data, hash, parameters, mult_adds.

    Raises ConfigError where the data is not there.
    """
    architecture = architecture_from_json(config.architecture)
    if isinstance(config, LanguageTrainingConfig):
        assert isinstance(architecture, RecurrentArchitecture)
        data = _text_shown(config.data)
        parameters = recurrent_parameters(architecture, hidden=config.layout.hidden, vocabulary=data["vocabulary"])
        mult_adds = parameters  # Of one word: every weight once, the vectors of the words as the softmax.
    else:
        described = describe(config.data.name)
        network = network_of(architecture, config.layout, described, config.data.image_size)
        data, parameters, mult_adds = described.to_json(), cost.parameters(network), cost.mult_adds(network)
    return {"data": data, "hash": architecture.hash, "parameters": parameters, "mult_adds": mult_adds}


def network_of(
    architecture: Architecture,
    layout: Layout,
    data: DatasetDescription,
    image_size: int,
    *,
    auxiliary: bool = False,
) -> NetworkPlan:
    """The network of an architecture for these images."""
    return plan(
        architecture,
        layout,
        image_channels=data.channels,
        image_size=image_size,
        classes=len(data.classes),
        auxiliary=auxiliary,
    )


def data_shown(data: DataConfig | TextDataConfig) -> dict[str, Any]:
    """What the first event says of the images or the text. Raises ConfigError where they are not there."""
    return _text_shown(data) if isinstance(data, TextDataConfig) else describe(data.name).to_json()


def _text_shown(data: TextDataConfig) -> dict[str, Any]:
    """What the first event says of a text, as LanguageTraining.data_shown does.

    Raises ConfigError or DataError where it cannot be read as its settings say, ArtifactMissing where it is gone.
    """
    if data.name == OWN:
        bring_text(data.own)
    try:
        return _counted(data)
    finally:
        let_go()


def count_text(user: Any, data: Any) -> None:
    """Have a text of this user counted, so that a start, which may hold locks, finds the figures ready.

    data: that part of a configuration as JSON, unchecked. What is wrong with it the start itself will say.
    """
    if isinstance(data, dict) and data.get("name") == OWN:
        with suppress(UserError, ArtifactMissing):
            config = read_config(TextDataConfig, data)
            text_for(user, config)
            _text_shown(config)


@functools.lru_cache(maxsize=16)
def _counted(data: TextDataConfig) -> dict[str, Any]:
    """Reading takes seconds, and a text never changes."""
    text = read_text(data, settings.DATA_SETS_DIR)
    parts = {"valid": text.valid, "test": text.test}
    unigram = {name: unigram_perplexity(text.train, part, len(text.vocabulary)) for name, part in parts.items()}
    return text.description.to_json() | {"unigram_perplexity": unigram}
