"""A macro network as a picture: a column of layers with skip connections as arcs beside it."""

from collections.abc import Mapping
from itertools import pairwise

from search_engine.architectures.macro import MacroArchitecture, MacroLayer
from search_engine.drawing import parts
from search_engine.drawing.geometry import Box
from search_engine.drawing.macro_layout import MacroLayout, PlacedLayer, PlacedSkip, layout
from search_engine.drawing.palette import EDGE_COLOURS, INK, PAPER, QUIET, SHORT_NAMES, SKIP_COLOURS
from search_engine.drawing.text import SIZE_SMALL, text_width
from search_engine.macro_network import layers_before_halving

LEGEND = 22.0  # The line of the legend under the head.
NEAR, MIDDLE = 3, 8  # Skips over at most so many layers; anything longer is far.
WEIGHTS = {"near": 1.6, "middle": 1.3, "far": 1.0}  # Long arcs are many at one place.
LONGEST_FIRST = ("far", "middle", "near")
SPANS = {"near": "1 to 3 layers", "middle": "4 to 8", "far": "9 and more"}


def macro_svg(architecture: MacroArchitecture, marks: Mapping[str, str] = parts.NO_MARKS) -> str:
    """The whole network under its title."""
    placed = layout(architecture, is_steady=bool(marks))
    width, height = placed.width, placed.height
    legend: list[str] = []
    if placed.skips:
        legend, least = _legend(placed)
        width, height = max(least, width), height + LEGEND
    # The network stands in the middle of a legend that is wider.
    shift = parts.number(placed.left + (width - placed.width) / 2)
    inner = [f'<g transform="translate({shift} 0)">', *_network(architecture, placed, marks), "</g>", *legend]
    return parts.one_picture("macro", macro_title(architecture), describe_macro(architecture), width, height, inner)


def macro_title(architecture: MacroArchitecture) -> str:
    count = len(architecture.layers)
    return f"Network of {count} layer{'s' if count > 1 else ''}"


def describe_macro(architecture: MacroArchitecture) -> str:
    """The network in words: "Stem. Layer 1: conv 3x3. Layer 2: sep 5x5, joined with the stem, layer 1. ... "."""
    halved = layers_before_halving(architecture)
    sentences = ["Stem."]
    for number, layer in enumerate(architecture.layers, start=1):
        joined = [_source_name(skip) for skip in layer.skips]
        also = f", joined with {', '.join(joined)}" if joined else ""
        sentences.append(f"Layer {number}: {SHORT_NAMES[layer.operation]}{also}.")
        if number in halved:
            sentences.append("Height and width are halved.")
    return " ".join([*sentences, "Head: average and classes."])


def _source_name(source: int) -> str:
    return f"layer {source}" if source else "the stem"


def _network(architecture: MacroArchitecture, placed: MacroLayout, marks: Mapping[str, str]) -> list[str]:
    """Arcs below the column, the longest lowest: a short one is never hidden."""
    boundaries = [_boundary(box, placed) for box in placed.halvings]
    skips = _choices(placed, marks) if marks else [_skip(skip) for skip in _longest_first(placed)]
    halvings = [
        parts.labelled("image halved", box, "drawing-halving", PAPER, QUIET, radius=9) for box in placed.halvings
    ]
    layers = [_layer(layer, architecture.layers[layer.number - 1], marks) for layer in placed.layers]
    stem = parts.end("stem", "", placed.stem, "drawing-input input-0", EDGE_COLOURS["current"])
    head = parts.end("head", "", placed.head, "drawing-output", INK)
    return [*boundaries, *skips, *_steps(placed), stem, *layers, *halvings, head]


def _boundary(box: Box, placed: MacroLayout) -> str:
    path = f"M{parts.number(-placed.left)} {parts.number(box.middle)}h{parts.number(placed.width)}"
    return f'<path class="drawing-boundary" d="{path}" fill="none" stroke="{EDGE_COLOURS["output"]}"{parts.DASHES}/>'


def _steps(placed: MacroLayout) -> list[str]:
    """From each box of the column straight down to the next."""
    boxes = [placed.stem, *(layer.operation for layer in placed.layers), *placed.halvings, placed.head]
    last = {layer.operation: layer.last for layer in placed.layers}
    ordered = sorted(boxes, key=lambda box: box.y)
    return [_step(last.get(upper, upper), lower) for upper, lower in pairwise(ordered)]


def _step(upper: Box, lower: Box) -> str:
    path = f"M{parts.point((upper.centre, upper.bottom))}V{parts.number(lower.y)}"
    return f'<path class="drawing-stem" d="{path}" fill="none" stroke="{EDGE_COLOURS["block"]}" stroke-width="1.5"/>'


def _layer(placed: PlacedLayer, layer: MacroLayer, marks: Mapping[str, str]) -> str:
    box = placed.operation
    place = f"layers.{placed.number - 1}"  # Its path in the architecture's JSON form.
    named = parts.marked(parts.operation(layer.operation, box), f"{place}.operation", marks)
    inner = [named, parts.remark(str(placed.number), box.x + 7, box.middle + 3.5)]
    if placed.bar:
        bar = placed.bar
        joined = len(layer.skips)
        rectangle = parts.rectangle("", bar, 4, PAPER, INK)
        text = parts.remark(f"{joined} skip{'s' if joined > 1 else ''}", bar.centre, bar.middle + 3.5, "middle")
        join = parts.marked(f'<g class="drawing-join">{rectangle}{text}</g>', f"{place}.skips", marks)
        inner = [_step(box, bar), *inner, join]
    return "\n".join([f'<g class="drawing-layer" data-layer="{placed.number}">', *inner, "</g>"])


def _longest_first(placed: MacroLayout) -> list[PlacedSkip]:
    return sorted(placed.skips, key=lambda skip: skip.source - skip.target)


def _skip(skip: PlacedSkip) -> str:
    title = f"{_source_name(skip.source).removeprefix('the ').capitalize()} to layer {skip.target}"
    ends = f'data-from="{skip.source}" data-to="{skip.target}"'
    return _arcs(_span_name(skip), ends, _curve(skip), title)


def _choices(placed: MacroLayout, marks: Mapping[str, str]) -> list[str]:
    """The skips of a layer are one choice of whoever edits it, so those of one colour are one element.

    Of 64 layers with all skips that makes 189 elements in place of 2,080, which at every edit would take half a second.
    They stand in the order of the layers, which no edit changes: what lies on its own colour looks the same below it.
    """
    together: dict[tuple[str, int], list[str]] = {}
    for skip in placed.skips:
        together.setdefault((_span_name(skip), skip.target), []).append(_curve(skip))
    drawn = []
    for span, target in sorted(together, key=lambda found: (LONGEST_FIRST.index(found[0]), found[1])):
        place, curves = f"layers.{target - 1}.skips", together[span, target]
        arcs = _arcs(span, f'data-to="{target}"', "".join(curves), f"What layer {target} joins")
        drawn.append(parts.standing_for(arcs, place) if place in marks else arcs)
    return drawn


def _curve(skip: PlacedSkip) -> str:
    """A curve whose middle is `reach` away: a Bezier curve gets three quarters as far as its two handles."""
    x, start, end = parts.number(skip.start[0]), parts.number(skip.start[1]), parts.number(skip.end[1])
    out = parts.number(skip.start[0] + skip.side * skip.reach * 4 / 3)
    return f"M{x} {start}C{out} {start} {out} {end} {x} {end}"  # Both ends are at the same side of the column.


def _arcs(span: str, ends: str, path: str, title: str) -> str:
    return (
        f'<path class="drawing-skip skip-{span}" {ends} d="{path}" '
        f'fill="none" stroke="{SKIP_COLOURS[span]}" stroke-width="{WEIGHTS[span]}"><title>{title}</title></path>'
    )


def _span_name(skip: PlacedSkip) -> str:
    span = skip.target - skip.source
    return "near" if span <= NEAR else "middle" if span <= MIDDLE else "far"


def _legend(placed: MacroLayout) -> tuple[list[str], float]:
    """What the colours of the arcs say, for those that occur, and how wide that is."""
    present = {_span_name(skip) for skip in placed.skips}
    inner, x, y = [parts.remark("skips over", 0, placed.height + LEGEND - 2)], 58.0, placed.height + LEGEND - 2
    for name, text in SPANS.items():
        if name in present:
            inner.append(f'<path class="skip-{name}" d="M{parts.number(x)} {parts.number(y - 3.5)}h14" '
                         f'fill="none" stroke="{SKIP_COLOURS[name]}" stroke-width="2"/>')  # fmt: skip
            inner.append(parts.remark(text, x + 18, y))
            x += 30 + text_width(text, SIZE_SMALL)
    return inner, x - 12
