"""The zip that a bundle is: written with the same bytes every time, read without trust. No PyTorch.

Reading unpacks nothing onto a disk, runs nothing, and looks at named files only, each within a limit.
"""

import io
import json
import math
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search_engine import checkpoints
from search_engine.architectures.reading import Architecture, architecture_from_json
from search_engine.errors import ArchitectureError, CheckpointError

WEIGHTS, ARCHITECTURE = "weights.safetensors", "architecture/architecture.json"
KEPT = "kept"
MOST_ENTRIES = 64
MOST_BYTES = 2 * 1024**3  # Of the weights, unpacked.
MOST_HEADER_BYTES = 16 * 1024**2
MOST_ARCHITECTURE_BYTES = 100_000
MOST_DIRECTORY_BYTES = 64 * 1024  # Of a zip's list of files: one that is longer would fill the memory when it is read.
_THEN = (1980, 1, 1, 0, 0, 0)  # The first moment that a zip knows.
_END, _WIDE_END = b"PK\5\6", b"PK\6\7"  # The last record of a zip, and what a zip of over four gigabytes has before it.
_END_BYTES, _LONGEST_COMMENT = 22, 65_535
_NUMBER_BYTES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "U8": 1}
_READ_AS_JSON = (
    "architecture",
    "layout",
    "normalisation",
    "vocabulary",
    "config",
    "data",
    "results",
)  # Where it is there.


@dataclass(frozen=True, slots=True)
class BundleContent:
    """What a bundle says. weights: the safetensors file; metadata: as training.trained_network wants it.

    shapes: of the tensors in it, by their names.
    """

    architecture: Architecture
    metadata: Mapping[str, Any]
    weights: bytes
    shapes: Mapping[str, tuple[int, ...]]


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of these files; equal files give equal bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _THEN)
            info.create_system, info.external_attr = 3, 0o100644 << 16  # A plain file, whatever system writes it.
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, files[name], compresslevel=6)
    return content.getvalue()


def weights_metadata(values: Mapping[str, Any]) -> dict[str, str]:
    """What a bundle's weights say besides the tensors: strings, JSON where they stand for more.

    KEPT: what the training's own file says besides them, where the network comes out of one.
    """
    parts = {name: json.dumps(values[name], sort_keys=True) for name in _READ_AS_JSON if name in values}
    parts |= {KEPT: values[KEPT]} if values.get(KEPT) else {}
    return {"format": "pt", "bundle": "1", "hash": values["hash"], "code_version": values["code_version"], **parts}


def in_one_order(content: bytes) -> bytes:
    """A safetensors file with the words of its header sorted: the library writes them in an order of chance."""
    length = int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # The numbers begin at a multiple of eight bytes.
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


def network_file_in(path: Path) -> bytes:
    """The file of the training that this bundle was made from, byte for byte, for whoever has lost it.

    Raises CheckpointError where the file is no bundle, or one from before bundles told what that file said.
    """
    weights = read_bundle(path).weights
    note = json.loads(weights[8 : 8 + int.from_bytes(weights[:8], "little")])["__metadata__"].get(KEPT)
    if not isinstance(note, str):
        raise CheckpointError(str(path), "was made by an earlier version, and does not tell what the file said.")
    return checkpoints.encoded_with(note, weights)


def is_bundle(path: Path) -> bool:
    return path.is_file() and zipfile.is_zipfile(path)


def read_bundle(path: Path, most_bytes: int = MOST_BYTES) -> BundleContent:
    """most_bytes: of the weights, unpacked, which are read into memory.

    Raises CheckpointError where the file is no bundle, is damaged, or is larger than any bundle should be.
    """
    name = str(path)
    try:
        _check_directory(path)
        with zipfile.ZipFile(path) as archive:
            weights = _weights(archive, name, most_bytes)
        return _content(weights, name)
    # Damaged bytes; a packing that Python does not know (NotImplementedError); a password (RuntimeError).
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise CheckpointError(name, "is damaged, or is no zip that can be read here.") from error
    # A stranger's JSON may have any shape: a part that is missing or of another type shows as one of these.
    except (ArchitectureError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(name, "is no bundle: its weights do not say what network they are of.") from error


def _check_directory(path: Path) -> None:
    """Raises BadZipFile where the list of files is long: zipfile would read all of it before anybody could count."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - _END_BYTES - _LONGEST_COMMENT - _END_BYTES))
        ending = file.read()
    place = ending.rfind(_END)
    if place < 0 or _WIDE_END in ending[max(0, place - _END_BYTES) : place]:
        raise zipfile.BadZipFile("no end of a small zip")
    if int.from_bytes(ending[place + 12 : place + 16], "little") > MOST_DIRECTORY_BYTES:
        raise zipfile.BadZipFile("too long a list of files")


def _weights(archive: zipfile.ZipFile, name: str, most_bytes: int) -> bytes:
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise CheckpointError(name, f"has {len(entries):,} files; a bundle has at most {MOST_ENTRIES}.")
    found = [entry for entry in entries if entry.filename == WEIGHTS]
    if len(found) != 1:
        raise CheckpointError(name, f"is no bundle: it has {len(found)} files {WEIGHTS}.")
    if found[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise CheckpointError(name, "is packed in a way that is not read here.")
    if found[0].file_size > most_bytes:
        raise CheckpointError(name, f"holds weights of {found[0].file_size:,} bytes; at most {most_bytes:,} are read.")
    with archive.open(found[0]) as file:
        content = file.read(found[0].file_size + 1)  # A zip may hold more than it says.
    if len(content) != found[0].file_size:
        raise CheckpointError(name, "is damaged: its weights have another size than it says.")
    return content


def _content(weights: bytes, name: str) -> BundleContent:
    """safetensors: eight bytes of the header's length, little-endian, then the header, then numbers."""
    length = int.from_bytes(weights[:8], "little")
    if length > min(MOST_HEADER_BYTES, len(weights)):
        raise ValueError("the header is longer than any")
    header = json.loads(weights[8 : 8 + length])
    noted = header.pop("__metadata__")
    if noted["bundle"] != "1" or len(noted["architecture"]) > MOST_ARCHITECTURE_BYTES:
        raise ValueError("another format")
    parts = {key: json.loads(noted[key]) for key in _READ_AS_JSON if key in noted}
    architecture = architecture_from_json(parts["architecture"])
    metadata = parts | parts["results"] | {"kind": "network", "hash": architecture.hash}
    try:
        shapes = _shapes(header, len(weights) - 8 - length)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(name, "is damaged: its weights cannot be read.") from error
    return BundleContent(architecture, metadata, weights, shapes)


def _shapes(header: Mapping[str, Any], numbers: int) -> dict[str, tuple[int, ...]]:
    """The shapes that a header tells. Raises ValueError where they and the bytes of the numbers do not agree."""
    end, shapes = 0, {}
    for name, tensor in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        shape, (begin, stop) = tuple(tensor["shape"]), tensor["data_offsets"]
        if any(type(side) is not int or side < 0 for side in shape) or begin != end:
            raise ValueError("tensors that overlap or leave gaps")
        end = begin + math.prod(shape) * _NUMBER_BYTES[tensor["dtype"]]
        if stop != end:
            raise ValueError("a tensor with another size than its shape")
        shapes[name] = shape
    if end != numbers:
        raise ValueError("more or fewer numbers than tensors")
    return shapes
