"""From a checked configuration to a running search or training: what the first event must carry is gathered here."""

from typing import Any

from search_engine import cost
from search_engine.architectures.reading import Architecture, architecture_from_json
from search_engine.config.layout import Layout
from search_engine.config.search import SearchConfig
from search_engine.config.training import TrainingConfig
from search_engine.data.descriptions import DatasetDescription
from search_engine.events import DecisionShown
from search_engine.network_plan import NetworkPlan, plan
from search_engine.spaces.nasnet import NasnetSpace
from webapp.searches import lifecycle
from webapp.searches.datasets.described import describe
from webapp.searches.models import Child, Group, ImportedArchitecture, Search, Training


def start_search(owner: Any, config: SearchConfig, *, group: Group | None = None, priority: int = 0) -> Search:
    """Start a search; its data must be known. group: of searches that belong together."""
    decisions = [DecisionShown(name=each.name, options=each.options) for each in NasnetSpace(config.space).decisions]
    data = describe(config.data.name).to_json()
    return lifecycle.create_search(owner, config, decisions=decisions, data=data, group=group, priority=priority)


def start_training(
    owner: Any,
    config: TrainingConfig,
    child: Child | None,
    *,
    imported: ImportedArchitecture | None = None,
    published: str = "",
) -> Training:
    """Start a training; child, imported, published: where its architecture comes from, if from any of these."""
    architecture = architecture_from_json(config.architecture)
    data = describe(config.data.name)
    network = network_of(architecture, config.layout, data, config.data.image_size)
    return lifecycle.start_training(
        owner,
        config,
        data=data.to_json(),
        hash=architecture.hash,
        parameters=cost.parameters(network),
        mult_adds=cost.mult_adds(network),
        child=child,
        imported=imported,
        published=published,
    )


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
