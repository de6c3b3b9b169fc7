"""Files of tensors and JSON that are read whole or refused: safetensors, written atomically, with a digest inside.

One word more than the tensors themselves goes into safetensors' own metadata: a JSON string under one key. Importing
this module does not import PyTorch.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from search_engine import storage
from search_engine.errors import CheckpointError, DamagedFile

if TYPE_CHECKING:
    from torch import Tensor

FORMAT_VERSION = 1
_KEY = "cellwright"


def save(path: Path, tensors: Mapping[str, "Tensor"], metadata: Mapping[str, Any]) -> None:
    """Write a file that is either the old one or the new one, whatever kills this process.

    metadata: a JSON object; NaN and infinity are refused with ValueError.
    """
    atomic_write(path, encode(tensors, metadata))


def load(path: Path) -> tuple[dict[str, "Tensor"], dict[str, Any]]:
    """(tensors by name, metadata) of a file that `save` wrote; raises CheckpointError when it is not whole or ours.

    An error of the disk is none of the file: it is raised as it came.
    """
    from safetensors.torch import load as tensors_from_bytes

    name = str(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        if storage.storage_sentence(error) is not None:
            raise
        raise CheckpointError(name, f"cannot be read: {error.strerror}.") from error
    try:
        note = json.loads(_header(content)["__metadata__"][_KEY])
        tensors = tensors_from_bytes(content)
        version, stated, metadata = note["format"], note["sha256"], note["metadata"]
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise DamagedFile(name, "is damaged, or is not a file of this program.") from error
    if version != FORMAT_VERSION:
        raise CheckpointError(name, f"has format {version!r}; this program reads format {FORMAT_VERSION}.")
    if digest(tensors, metadata) != stated:
        raise DamagedFile(name, "is damaged: its content does not match the SHA-256 that was saved with it.")
    return tensors, metadata


def encode(tensors: Mapping[str, "Tensor"], metadata: Mapping[str, Any]) -> bytes:
    """The content of a file; equal tensors and metadata give equal bytes."""
    from safetensors.torch import save as tensors_to_bytes

    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return bytes(tensors_to_bytes(plain, {_KEY: note_of(tensors, metadata)}))


def note_of(tensors: Mapping[str, "Tensor"], metadata: Mapping[str, Any]) -> str:
    """What a file says besides its tensors."""
    return _canonical({"format": FORMAT_VERSION, "sha256": digest(tensors, metadata), "metadata": metadata})


def encoded_with(note: str, other: bytes) -> bytes:
    """What `encode` made of this note and the tensors of another safetensors file, byte for byte. No PyTorch."""
    begin = 8 + int.from_bytes(other[:8], "little")
    entries = {name: entry for name, entry in _header(other).items() if name != "__metadata__"}
    in_order = sorted(entries.items(), key=lambda item: (item[1]["data_offsets"], item[0]))
    parts = {name: {key: entry[key] for key in ("dtype", "shape", "data_offsets")} for name, entry in in_order}
    header = json.dumps({"__metadata__": {_KEY: note}} | parts, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + other[begin:]


def digest(tensors: Mapping[str, "Tensor"], state: Mapping[str, Any]) -> str:
    """SHA-256 over names, types, shapes and bytes of the tensors and over the state as canonical JSON."""
    names = sorted(tensors)
    shapes = [[name, str(tensors[name].dtype), list(tensors[name].shape)] for name in names]
    content = hashlib.sha256(_canonical([shapes, state]).encode())
    for name in names:
        content.update(tensors[name].detach().cpu().contiguous().numpy().tobytes())
    return content.hexdigest()


def write_under_digest(folder: Path, content: bytes) -> str:
    """Write into a spool folder under the SHA-256 of the content, and return that name."""
    name = hashlib.sha256(content).hexdigest()
    atomic_write(folder / name, content)
    return name


def atomic_write(path: Path, content: bytes) -> None:
    """Replace a file at once and for good: temporary file beside it, fsync, rename, fsync of the folder."""
    temporary = path.with_name(f".{path.name[:40]}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            storage.write(file, content)
            storage.sync(file.fileno(), path)
        storage.rename(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is not None:  # Nobody knows the temporary file's name.
            raise type(error)(error.errno, error.strerror, str(path)) from error
        raise
    storage.sync_folder(path.parent)  # Without it the new name itself could be lost with the power.


def _header(content: bytes) -> Any:
    """The JSON header of a safetensors file: eight bytes of its length, little-endian, then itself."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length])


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
