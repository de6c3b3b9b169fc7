"""An architecture in other sizes: what fits a budget, what they cost, and what its trainings reached."""

from dataclasses import dataclass
from typing import Any

from search_engine.architectures.reading import Architecture
from search_engine.budget_fit import SizedNetwork, Sizes
from search_engine.errors import ConfigError
from webapp.searches.architectures.counting import ImageNetwork, TextNetwork
from webapp.searches.architectures.gallery import published_entries
from webapp.searches.models import Event, Training

BUDGETS = {"parameters": 10**12, "mult_adds": 10**15}  # What can be limited, and the largest limit.


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedPoint:
    """A finished training. data: the data set's name; accuracies on different data are never compared.

    data_title: what it was called when the training began.
    """

    name: str
    url: str
    data: str
    data_title: str
    image_size: int
    normal_cells: int | None
    filters: int
    parameters: int
    mult_adds: int
    test_accuracy: float
    test_examples: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedMark:
    """Counts of a published size, as the released code gives them. is_as_printed: they are those that are printed."""

    size: str
    parameters: int
    mult_adds: int | None
    is_as_printed: bool


def fitting(
    architecture: Architecture, network: ImageNetwork | TextNetwork, of: Any, budget: Any
) -> list[SizedNetwork]:
    """Raises ConfigError at the field that is wrong."""
    if not isinstance(of, str) or of not in BUDGETS:
        raise ConfigError("of", f"is {of!r}; must be one of {', '.join(BUDGETS)}.")
    if not isinstance(budget, int) or isinstance(budget, bool) or not 1 <= budget <= BUDGETS[of]:
        raise ConfigError("budget", f"must be a whole number from 1 to {BUDGETS[of]:,}.")
    return sizes_of(architecture, network).fitting(of, budget)


def cost_curve(architecture: Architecture, network: ImageNetwork | TextNetwork) -> list[SizedNetwork]:
    """Over the filters, with the cells of this network. Raises ConfigError where its image does not fit."""
    sizes = sizes_of(architecture, network)
    return sizes.curve(getattr(sizes.layout, "normal_cells", None))


def sizes_of(architecture: Architecture, network: ImageNetwork | TextNetwork) -> Sizes:
    """Raises ConfigError for a network that reads text: it has neither cells nor filters."""
    if isinstance(network, TextNetwork):
        raise ConfigError("", "A recurrent cell has no filters: its size is that of its state.")
    return Sizes(
        architecture=architecture,
        layout=network.layout,
        image_size=network.image_size,
        image_channels=network.image_channels,
        classes=network.classes,
    )


def trained_points(user: Any, architecture: Architecture) -> list[TrainedPoint]:
    """This user's finished trainings of all architectures with the same canonical hash, oldest first."""
    rows = Training.objects.visible_to(user).filter(
        hash=architecture.hash, state=Training.State.FINISHED, test_accuracy__isnull=False
    )
    rows = [row for row in rows.order_by("created", "pk") if "filters" in row.config["layout"]]
    started = Event.objects.filter(stream_id__in=[row.pk for row in rows], number=1)
    titles = {event.stream_id: event.payload["data"]["title"] for event in started}
    return [_point(row, titles[row.pk]) for row in rows]


def published_marks(architecture: Architecture) -> list[PublishedMark]:
    """The published sizes of this architecture whose counts its authors' code gives; each size once."""
    known = next(
        (entry.published for entry in published_entries() if entry.architecture.hash == architecture.hash), None
    )
    marks = {
        result.size: PublishedMark(
            size=result.size,
            parameters=result.code_parameters,
            mult_adds=result.code_mult_adds,
            is_as_printed=bool(result.follows_code),
        )
        for result in reversed(known.results if known else ())
        if result.code_parameters is not None
    }
    return list(reversed(marks.values()))


def _point(row: Training, data_title: str) -> TrainedPoint:
    layout = row.config["layout"]
    return TrainedPoint(
        name=row.name,
        url=f"/trainings/{row.pk}",
        data=row.config["data"]["name"],
        data_title=data_title,
        image_size=row.config["data"]["image_size"],
        normal_cells=layout.get("normal_cells"),
        filters=layout["filters"],
        parameters=row.parameters,
        mult_adds=row.mult_adds,
        test_accuracy=row.test_accuracy,
        test_examples=row.test_examples,
    )
