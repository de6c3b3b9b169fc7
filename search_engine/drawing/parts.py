"""The parts that every picture is made of: the document, titles, boxes with their names, curves.

Stand-alone SVG without style sheets, identifiers or anything from elsewhere. The same picture always gives the same
text. Marks, which name the parts for a page in which they are changed, are in no picture that is taken away.
"""

from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape, quoteattr

from search_engine.drawing.geometry import Box, Point
from search_engine.drawing.palette import COLOURS, EDGE_COLOURS, INK, PAPER, QUIET, SHORT_NAMES, family
from search_engine.drawing.text import BOLD, FONT, SIZE_TITLE, text_width

MARGIN, HEADING = 12.0, 26.0  # Around the picture; height of a title.
PADDING = 5.0  # Between a name and the side of its box.
OPERATION_HEIGHT = 26.0
END_HEIGHT = 28.0  # Inputs and output.
DASHES = ' stroke-dasharray="3 4"'


NO_MARKS: Mapping[str, str] = {}


def document(title: str, text: str, width: float, height: float, parts: Iterable[str]) -> str:
    """A whole picture around its parts. text: the picture in words, for those who cannot see it."""
    wide, high = number(width + 2 * MARGIN), number(height + 2 * MARGIN)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="cell-drawing" role="img" width="{wide}" height="{high}" '
            f'viewBox="0 0 {wide} {high}" font-family="{FONT}" font-size="12">',
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(text)}</desc>",
            f'<rect class="drawing-paper" width="{wide}" height="{high}" rx="8" fill="{PAPER}"/>',
            f'<g transform="translate({number(MARGIN)} {number(MARGIN)})">',
            *parts,
            "</g>",
            "</svg>",
            "",
        ]
    )


def titled(kind: str, title: str, shift: float, inner: Iterable[str]) -> list[str]:
    """A title at the left and under it the drawing, `shift` pixels from the left."""
    return [
        f'<text class="drawing-title" x="0" y="12" font-size="13" font-weight="600" fill="{INK}">'
        f"{escape(title)}</text>",
        f'<g class="{kind}" transform="translate({number(shift)} {number(HEADING)})">',
        *inner,
        "</g>",
    ]


def title_width(title: str) -> float:
    return text_width(title, SIZE_TITLE) * BOLD


def one_picture(kind: str, title: str, text: str, width: float, height: float, inner: Iterable[str]) -> str:
    """The document of a single drawing of this size under its title."""
    wide = max(width, title_width(title))
    return document(title, text, wide, HEADING + height, titled(kind, title, (wide - width) / 2, inner))


def operation(name: str, box: Box) -> str:
    """An operation in the colour of its family."""
    kind = family(name)
    drawn = labelled(SHORT_NAMES[name], box, f"drawing-op family-{kind}", *COLOURS[kind])
    return drawn.replace("/>", f"{DASHES}/>", 1) if kind == "none" else drawn


def end(name: str, symbol: str, box: Box, classes: str, stroke: str) -> str:
    """An input or output. symbol: a letter and its index, "h_i", or "" for none."""
    label = escape(name)
    if symbol:
        letter, index = symbol.split("_")
        label += (
            f' <tspan class="drawing-symbol" font-style="italic" fill="{QUIET}">{letter}'
            f'<tspan font-size="9" dy="3">{index}</tspan></tspan>'
        )
    return labelled(label, box, classes, PAPER, stroke, radius=14, is_markup=True)


def labelled(
    label: str, box: Box, classes: str, fill: str, stroke: str, *, radius: float = 6, is_markup: bool = False
) -> str:
    """A box with its name in the middle."""
    text = label if is_markup else escape(label)
    return (
        f'<g class="{classes}">{rectangle("", box, radius, fill, stroke)}'
        f'<text x="{number(box.centre)}" y="{number(box.middle + 4)}" text-anchor="middle" '
        f'fill="{INK}">{text}</text></g>'
    )


def rectangle(classes: str, box: Box, radius: float, fill: str, stroke: str) -> str:
    named = f" class={quoteattr(classes)}" if classes else ""
    return (
        f'<rect{named} x="{number(box.x)}" y="{number(box.y)}" width="{number(box.width)}" '
        f'height="{number(box.height)}" rx="{number(radius)}" fill="{fill}" stroke="{stroke}"/>'
    )


def remark(text: str, x: float, y: float, anchor: str = "start") -> str:
    """A small quiet line of text, such as a number; y: its baseline."""
    anchored = "" if anchor == "start" else f'text-anchor="{anchor}" '
    return (
        f'<text class="drawing-number" x="{number(x)}" y="{number(y)}" {anchored}'
        f'font-size="10" fill="{QUIET}">{escape(text)}</text>'
    )


def edge(kind: str, source: object, target: object, path: str, *, is_dashed: bool = False) -> str:
    """A way that data takes, named by what it joins; dashed where nothing passes."""
    dashes = DASHES if is_dashed else ""
    return (
        f'<path class="drawing-edge edge-{kind}" data-from="{source}" data-to="{target}" d="{path}" fill="none" '
        f'stroke="{EDGE_COLOURS[kind]}" stroke-width="1.5"{dashes}/>'
    )


def marked(drawn: str, place: str, marks: Mapping[str, str]) -> str:
    """A part that stands for a place of the architecture says so where `marks` names it: place -> what it is."""
    if place not in marks:
        return drawn
    return standing_for(drawn, place, f"aria-label={quoteattr(marks[place])} ")


def standing_for(drawn: str, place: str, words: str = "") -> str:
    """A part that leads to a place of the architecture; words: an attribute that says what is there, if any."""
    tag, rest = drawn.split(" ", 1)
    return f"{tag} data-place={quoteattr(place)} {words}{rest}"


def falling(legs: Iterable[tuple[Point, Point]]) -> str:
    """A path of curves that leave and arrive upright, joined by straight lines."""
    path = ""
    for start, stop in legs:
        bend = (stop[1] - start[1]) * 0.55
        path += f"{'L' if path else 'M'}{point(start)}"
        path += f"C{point((start[0], start[1] + bend))} {point((stop[0], stop[1] - bend))} {point(stop)}"
    return path


def point(at: Point) -> str:
    return f"{number(at[0])} {number(at[1])}"


def number(value: float) -> str:
    """A length to a tenth of a pixel, without needless zeros and without a minus zero."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
