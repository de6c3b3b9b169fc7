"""What one may start from, as forms and API offer it: methods, presets, controllers, and a child's training."""

from dataclasses import dataclass

from search_engine.architectures.reading import architecture_from_json
from search_engine.config.search import SearchConfig
from search_engine.config.searches import AnySearchConfig, read_search_config
from search_engine.config.trainings import AnyTrainingConfig
from search_engine.presets import PRESETS, Preset
from search_engine.shared_presets import SHARED_PRESETS, SharedPreset
from search_engine.training_start import training_defaults
from webapp.searches.datasets.described import describe
from webapp.searches.models import Child


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A way to search. name: as configurations have it, "nasnet" where they name none.

    searched: what is found; sentence: how.
    """

    name: str
    title: str
    searched: str
    sentence: str


METHODS = (
    Method(
        name="nasnet",
        title="NASNet",
        searched="Two cells for images",
        sentence="Each architecture is trained by itself for a moment: slow, and every reward stands for itself.",
    ),
    Method(
        name="enas-micro",
        title="ENAS micro",
        searched="Two cells for images",
        sentence="All cells share one set of weights and learn together: a search takes about as long as one training.",
    ),
    Method(
        name="enas-macro",
        title="ENAS macro",
        searched="A whole network for images",
        sentence="Each layer decides its operation and which earlier layers it joins; all share one set of weights.",
    ),
    Method(
        name="enas-recurrent",
        title="ENAS recurrent",
        searched="A recurrent cell for text",
        sentence="Each node decides what it reads and its activation; all cells share one set of weights.",
    ),
)
CONTROLLERS = {
    "default": ("Default", "The numbers of the released scripts, with what is wrong in them mended."),
    "paper": ("As the paper", "What the paper prints; where it is silent, the scripts' numbers."),
    "released": ("As the released scripts", "As the authors' scripts run, with their errors."),
}


def method_of(config: AnySearchConfig) -> str:
    return "nasnet" if isinstance(config, SearchConfig) else config.method


def presets_of(method: str) -> list[Preset | SharedPreset]:
    """Where a search of this method may start from; at least one."""
    every: tuple[Preset | SharedPreset, ...] = (*PRESETS, *SHARED_PRESETS)
    return [preset for preset in every if method_of(preset.config) == method]


def child_training(child: Child) -> AnyTrainingConfig:
    """What a training of this child for keeps starts from. Raises ConfigError where its data is gone."""
    search = child.search
    searched = read_search_config(search.config)
    if not isinstance(searched, SearchConfig):
        return searched.final_training(
            child.architecture, f"Candidate {child.slot} of {search.name or 'a search'}"[:80]
        )
    images = describe(searched.data.name).train_examples
    config = training_defaults(searched, architecture_from_json(child.architecture), images=images)
    # It need not be the best one.
    name = f"Child {child.step}.{child.slot} of {search.name or 'a search'}"[:80]
    return config.model_copy(update={"name": name})
