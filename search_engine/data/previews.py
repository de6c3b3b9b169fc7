"""A few pictures of a data set on one sheet: a row for each class, made by us from decoded pixels. No PyTorch."""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from search_engine.data.one_image import decoded
from search_engine.data.own_set import OwnSet

SIDE, COLUMNS, MOST_ROWS = 48, 8, 40  # Pixels of a picture; pictures of a class; classes.


def sheet_of_own(own: OwnSet) -> bytes:
    """PNG of the first training pictures of each class."""
    rows = []
    for label in range(min(len(own.record.classes), MOST_ROWS)):
        first = own.train[own.labels[own.train] == label][:COLUMNS]
        rows.append([decoded(own.encoded(int(index)), own.record.channels) for index in first])
    return sheet(rows)


def sheet(rows: Sequence[Sequence[NDArray[np.uint8]]]) -> bytes:
    """PNG of rows of pictures [H, H, C], each drawn with `SIDE` pixels."""
    canvas = Image.new("RGBA", (COLUMNS * SIDE, max(1, len(rows)) * SIDE))
    for row, pictures in enumerate(rows):
        for column, pixels in enumerate(pictures[:COLUMNS]):
            picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).convert("RGB")
            canvas.paste(picture.resize((SIDE - 2, SIDE - 2), Image.Resampling.BOX), (column * SIDE, row * SIDE))
    file = io.BytesIO()
    canvas.save(file, "PNG")
    return file.getvalue()
