"""What the page of a candidate shows: an architecture with a score under shared weights, sized as trained."""

from typing import Any

from search_engine.architectures.reading import architecture_from_json
from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.config.enas_search import EnasRecurrentSearchConfig
from search_engine.config.searches import AnyEnasSearchConfig
from search_engine.recurrent_plan import recurrent_costs
from search_engine.spaces.build import build_space
from webapp.searches.datasets.described import describe
from webapp.searches.datasets.texts import text_of
from webapp.searches.models import Child
from webapp.searches.pages.architecture_parts import parts_of
from webapp.searches.pages.child_page import Counts, image_counts, image_network, named_decisions


def candidate_shown(child: Child, config: AnyEnasSearchConfig) -> dict[str, Any]:
    """The context of its page, beside the search and the child."""
    on_text = isinstance(config, EnasRecurrentSearchConfig)
    return {
        "counts": _text_counts(child, config) if on_text else _counts(child, config),
        "is_text": on_text,
        "epochs": [],
        "decisions": named_decisions(build_space(config.space), child),
        "index": child.slot + 1,
        **parts_of(
            architecture_from_json(child.architecture),
            base=f"/api/searches/{child.search_id}/children/{child.step}/{child.slot}",
            name=f"candidate-{child.slot}",
            source={"search": str(child.search_id), "step": child.step, "slot": child.slot},
            network=network_of_candidate(config),
        ),
    }


def _counts(child: Child, config: AnyEnasSearchConfig) -> Counts:
    assert not isinstance(config, EnasRecurrentSearchConfig)
    return image_counts(
        architecture_from_json(child.architecture),
        config.derived,
        describe(config.data.name),
        config.data.image_size,
        config.derived_recipe.batch_size,
    )


def _text_counts(child: Child, config: AnyEnasSearchConfig) -> Counts:
    """Of one word. What training keeps in memory depends on how long a stretch it reads, and is left out."""
    architecture = architecture_from_json(child.architecture)
    assert isinstance(architecture, RecurrentArchitecture) and isinstance(config, EnasRecurrentSearchConfig)
    layers = recurrent_costs(architecture, hidden=config.derived.hidden, vocabulary=_vocabulary(config))
    return Counts(
        parameters=sum(layer.parameters for layer in layers),
        with_auxiliary=None,
        mult_adds=sum(layer.mult_adds for layer in layers),
        batch_size=config.derived_recipe.batch_size,
        activation_bytes=None,
        target=None,
        layers=layers,
    )


def network_of_candidate(config: AnyEnasSearchConfig) -> dict[str, Any]:
    """What is counted first, as the API reads it."""
    if isinstance(config, EnasRecurrentSearchConfig):
        return {"hidden": config.derived.hidden, "vocabulary": _vocabulary(config)}
    return image_network(config.derived, describe(config.data.name), config.data.image_size)


def _vocabulary(config: EnasRecurrentSearchConfig) -> int:
    return text_of(config.data).vocabulary
