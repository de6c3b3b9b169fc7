"""A network of layers under edits: the operation of a layer, and which earlier outputs it joins."""

from collections.abc import Iterator
from dataclasses import replace

from search_engine.architectures.macro import MACRO_OPERATIONS, MacroArchitecture
from search_engine.drawing.palette import SHORT_NAMES
from search_engine.editing.edit import Edit, Menu, Option, number_at, one_of


def labels(architecture: MacroArchitecture) -> dict[str, str]:
    """What each part of the picture is, by the place that it stands for."""
    return dict(_labels(architecture))


def beside(place: str) -> tuple[str, ...]:
    """The places that are changed together with one, as its part of the picture offers them."""
    if place.endswith(".operation"):
        return (place, place.removesuffix("operation") + "skips")
    return (place,)


def menu(architecture: MacroArchitecture, place: str) -> Menu | None:
    """All that is thinkable at a place; None where there is no such place."""
    parts = place.split(".")
    number = number_at(parts, 1)
    if parts[0] != "layers" or number is None or number >= len(architecture.layers):
        return None
    layer, title = architecture.layers[number], f"Layer {number + 1}"
    match parts[2:]:
        case ["operation"]:
            return Menu(place, f"{title}: operation", one_of(MACRO_OPERATIONS, layer.operation, SHORT_NAMES))
        case ["skips"]:
            options = tuple(
                Option(str(source), source_name(source).capitalize(), source in layer.skips)
                for source in range(number + 1)
            )
            note = "A layer joins only what comes before it."
            return Menu(place, f"{title}: joins", options, takes_several=True, note=note)
        case _:
            return None


def edited(architecture: MacroArchitecture, edit: Edit) -> MacroArchitecture:
    """The architecture behind an edit that its menu allows."""
    _, place, what = edit.place.split(".")
    number = int(place)
    layer = architecture.layers[number]
    if what == "operation":
        layer = replace(layer, operation=edit.choice)
    else:
        layer = replace(layer, skips=tuple(sorted(set(layer.skips) ^ {int(edit.choice)})))
    layers = (*architecture.layers[:number], layer, *architecture.layers[number + 1 :])
    return MacroArchitecture(layers).validated()


def source_name(source: int) -> str:
    return f"layer {source}" if source else "stem"


def joined_names(skips: tuple[int, ...]) -> str:
    return ", ".join(source_name(source) for source in skips) or "nothing"


def _labels(architecture: MacroArchitecture) -> Iterator[tuple[str, str]]:
    for index, layer in enumerate(architecture.layers):
        yield f"layers.{index}.operation", f"Layer {index + 1}, operation: {SHORT_NAMES[layer.operation]}"
        yield f"layers.{index}.skips", f"Layer {index + 1}, joins: {joined_names(layer.skips)}"
