"""One array out of a file of MATLAB, as versions 5 to 7 wrote it. Source: "MAT-File Format", MathWorks.

After a header of 128 bytes the file is a row of elements: a tag of eight bytes with kind and size, then the content,
filled up to whole eight bytes. A packed element holds a whole one, packed by zlib. A matrix is an element of elements:
flags, sizes of the axes, name, values column by column. Only what is little-endian and real is read. No PyTorch.
"""

import struct
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from search_engine.errors import DataError

_HEADER_BYTES, _LITTLE_ENDIAN = 128, b"IM"
_MATRIX, _PACKED = 14, 15
_VALUES = {1: "<i1", 2: "<u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 9: "<f8"}
_BLOCK = 1 << 16  # Packed bytes read at a time.


def matlab_array(path: Path, name: str, first: int | None = None) -> tuple[tuple[int, ...], NDArray[Any]]:
    """The sizes of the axes and the values, the first axis running fastest; first: only so many values.

    Raises DataError where the file holds no such array.
    """
    try:
        with path.open("rb") as file:
            if file.read(_HEADER_BYTES)[-2:] == _LITTLE_ENDIAN:
                while tag := file.read(8):
                    kind, size = struct.unpack("<2I", tag)
                    following = file.tell() + size
                    if (found := _matrix(file, kind, name, first)) is not None:
                        return found
                    file.seek(following)
    except (struct.error, zlib.error, ValueError) as error:
        raise DataError("data.name", f"{path.name} is damaged, or no file of MATLAB.") from error
    raise DataError("data.name", f"{path.name} is no file of MATLAB with an array {name!r}.")


def _matrix(file: IO[bytes], kind: int, name: str, first: int | None) -> tuple[tuple[int, ...], NDArray[Any]] | None:
    """The element that begins here, where it is the matrix of this name."""
    stream: IO[bytes] | _Unpacked = file
    if kind == _PACKED:
        stream = _Unpacked(file)
        kind, _ = struct.unpack("<2I", stream.read(8))
    if kind != _MATRIX:
        return None
    _element(stream)  # Flags: what class the values have in MATLAB.
    axes = struct.unpack(f"<{len(sizes := _element(stream)[1]) // 4}i", sizes)
    if _element(stream)[1] != name.encode():
        return None
    count = int(np.prod(axes, dtype=np.int64))
    values = _element(stream, count if first is None else min(first, count))
    return axes, np.frombuffer(values[1], _VALUES[values[0]]) if values[0] in _VALUES else _no_values()


def _element(stream: "IO[bytes] | _Unpacked", count: int | None = None) -> tuple[int, bytes]:
    """Kind and content of the next element; count: of its values, where not all are wanted."""
    kind, size = struct.unpack("<2I", stream.read(8))
    if kind >> 16:  # A small element: size and content stand in the tag.
        return kind & 0xFFFF, struct.pack("<I", size)[: kind >> 16]
    if count is not None and kind in _VALUES:
        size = min(size, count * np.dtype(_VALUES[kind]).itemsize)
        return kind, _exactly(stream, size)
    content = _exactly(stream, size)
    stream.read(-size % 8)
    return kind, content


def _exactly(stream: "IO[bytes] | _Unpacked", size: int) -> bytes:
    content = stream.read(size)
    if len(content) != size:
        raise ValueError("the file ends within an element")
    return content


def _no_values() -> NDArray[Any]:
    raise ValueError("the values are of a kind that is not read")


class _Unpacked:
    """The unpacked bytes of what stands here, read one after another and never more than asked for."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._unpack = file, zlib.decompressobj()

    def read(self, size: int) -> bytes:
        parts, missing = [], size
        while missing and not self._unpack.eof:
            packed = self._unpack.unconsumed_tail or self._file.read(_BLOCK)
            part = self._unpack.decompress(packed, missing)
            if not packed and not part:
                break
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)
