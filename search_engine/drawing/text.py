"""How wide a text is drawn, so that boxes fit their names.

A picture does not know the font of the page that shows it; this measures DejaVu Sans, the widest of the fonts in FONT
that a system may choose, so a name that fits here fits anywhere.
"""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
SIZE, SIZE_SMALL, SIZE_TITLE = 12.0, 10.0, 13.0  # Names in boxes; numbers and remarks; titles above.
BOLD = 1.13  # A bold text is at most so much wider.

_FIRST = " "
_WIDTHS = (  # Of the characters from the blank to the tilde, in thousandths of the type size.
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636,
    636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863,
    748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635,
    615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636,
    337, 636, 838,
)  # fmt: skip
_OTHER = 1000  # Any other character: no letter of the Latin script is wider.


def text_width(text: str, size: float = SIZE) -> float:
    """The width of one line in the regular weight, in pixels."""
    places = (ord(letter) - ord(_FIRST) for letter in text)
    return sum(_WIDTHS[place] if 0 <= place < len(_WIDTHS) else _OTHER for place in places) * size / 1000
