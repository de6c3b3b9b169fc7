"""A zip that somebody gave, read entry by entry: nothing is ever unpacked onto the disk, and no name in it is used.

What is wrong with one entry is a reason not to take it, and such an entry is never unpacked. An error of the archive as
a whole is what no entry could be taken out of: too many entries, entries that lie over each other, and entries that
together unpack to too much although each alone may pass. Every reason names a file. No PyTorch.
"""

import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from search_engine.data.class_folders import is_of_the_system
from search_engine.data.one_image import Unfit
from search_engine.errors import DataError

_READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # Others may take gigabytes of memory to unpack a kilobyte.
_LOCAL_HEADER_BYTES = 30  # The shortest: what stands before an entry's name.
_SMALL = 1 << 20  # Bytes below which the ratio of an entry does not matter: a plain BMP packs well.


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an archive may be. Sizes in bytes; ratio: unpacked to packed; depth: folders around a file."""

    entries: int = 80_000
    entry_bytes: int = 32 << 20
    total_bytes: int = 8 << 30
    ratio: int = 100
    depth: int = 8
    name_bytes: int = 255


class Archive:
    """An open zip. refused: the entries that are not even read, each with the reason."""

    def __init__(self, path: Path, limits: Limits | None = None, refused: list[tuple[str, str]] | None = None) -> None:
        """Raises DataError where the archive cannot be read or exceeds a limit as a whole.

        refused: the list to which refused entries are added, also where this raises.
        """
        self.limits = limits or Limits()
        self.refused: list[tuple[str, str]] = [] if refused is None else refused
        self._entries: dict[str, zipfile.ZipInfo] = {}
        try:
            self._zip = zipfile.ZipFile(path)
        # What zipfile raises for a damaged directory; anything else is our bug and passes.
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
            raise DataError("archive", "is no zip archive, or is damaged.") from error
        try:
            entries, packed = self._zip.infolist(), path.stat().st_size
            if len(entries) > self.limits.entries:
                raise DataError("archive", f"has {len(entries):,} entries; at most {self.limits.entries:,}.")
            self._select(entries)
            _check_overlap(entries, packed)
            self._check_sum(packed)
        except DataError:
            self._zip.close()
            raise

    def __iter__(self) -> Iterator[str]:
        """The names of the entries to be read, sorted."""
        return iter(sorted(self._entries))

    def read(self, name: str) -> bytes:
        """One entry. Raises Unfit where it is damaged or not as large as the archive says."""
        entry = self._entries[name]
        try:
            with self._zip.open(entry) as file:
                content = file.read(entry.file_size + 1)  # Never more, whatever the packed bytes would become.
        # Damaged bytes, of the name too (ValueError); an unknown packing, or a password (both RuntimeError).
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
            raise Unfit("is damaged: it cannot be unpacked") from error
        if len(content) != entry.file_size:
            raise Unfit("is damaged: it is shorter than the archive says")
        return content

    def close(self) -> None:
        self._zip.close()

    def _check_sum(self, packed: int) -> None:
        """What the entries to be read unpack to, all together. packed: bytes of the archive."""
        taken = self._entries.values()
        total = sum(entry.file_size for entry in taken)
        if total > self.limits.total_bytes:
            most, largest = self.limits.total_bytes / 1e9, max(taken, key=lambda entry: entry.file_size)
            raise DataError(
                "archive",
                f"unpacks to {total / 1e9:,.1f} GB; at most {most:,.1f} GB. The largest of its files is "
                f"{shown(largest.orig_filename)}.",
            )
        if total > self.limits.ratio * packed + _SMALL:
            self._refuse_what_grows()
            worst = max(taken, key=_growth)
            raise DataError(
                "archive",
                f"unpacks to {total / packed:,.0f} times its size; at most {self.limits.ratio} times. Of its files "
                f"{shown(worst.orig_filename)} grows most.",
            )

    def _refuse_what_grows(self) -> None:
        """Small entries may grow as they like, unless there are so many of them that they are a bomb together."""
        for name, entry in self._entries.items():
            if _growth(entry) > self.limits.ratio:
                self.refused.append((name, _grows(self.limits)))

    def _select(self, entries: list[zipfile.ZipInfo]) -> None:
        seen: set[str] = set()
        for entry in entries:
            name = entry.orig_filename  # zipfile itself cuts a name at a zero byte and turns backslashes.
            if entry.is_dir() or is_of_the_system(name):
                continue
            alike = unicodedata.normalize("NFC", name).casefold()
            reason = self._reason(entry) or ("stands twice in the archive" if alike in seen else None)
            seen.add(alike)
            if reason is None:
                self._entries[name] = entry
            else:
                self.refused.append((name, reason))

    def _reason(self, entry: zipfile.ZipInfo) -> str | None:
        """Why an entry is not read, by what the archive says of it; None where nothing speaks against it."""
        return (
            _reason_in_name(entry.orig_filename, self.limits)
            or _reason_in_kind(entry)
            or _reason_in_size(entry, self.limits)
        )


def shown(name: str) -> str:
    """A name for people: without characters that cannot be seen, and not too long."""
    seen = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    return seen if len(seen) <= 120 else f"{seen[:60]}...{seen[-57:]}"


def _reason_in_name(name: str, limits: Limits) -> str | None:
    steps = name.split("/")
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co") for character in name):
        return "has a name with characters that cannot be seen"
    if "\\" in name:
        return "has a name with a backslash"
    if name.startswith("/") or (len(name) > 1 and name[1] == ":"):
        return "has an absolute path"
    if ".." in steps or "." in steps or "" in steps:
        return "has a path that leads elsewhere"
    if any(len(step.encode()) > limits.name_bytes for step in steps):
        return f"has a name longer than {limits.name_bytes} bytes"
    if len(steps) - 1 > limits.depth:
        return f"lies more than {limits.depth} folders deep"
    return None


def _reason_in_kind(entry: zipfile.ZipInfo) -> str | None:
    mode = entry.external_attr >> 16
    if stat.S_ISLNK(mode):
        return "is a symbolic link"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "is neither a file nor a folder"
    if entry.flag_bits & 1:
        return "is encrypted"
    if entry.compress_type not in _READABLE:
        return "is packed by a method other than deflate"
    return None


def _reason_in_size(entry: zipfile.ZipInfo, limits: Limits) -> str | None:
    if entry.file_size > limits.entry_bytes:
        return f"has {entry.file_size / 1e6:,.0f} MB; at most {limits.entry_bytes / 1e6:,.0f} MB"
    if entry.file_size > limits.ratio * entry.compress_size and entry.file_size > _SMALL:
        return _grows(limits)
    return None


def _grows(limits: Limits) -> str:
    return f"unpacks to more than {limits.ratio} times its size"


def _growth(entry: zipfile.ZipInfo) -> float:
    return entry.file_size / max(1, entry.compress_size)


def _check_overlap(entries: list[zipfile.ZipInfo], size: int) -> None:
    """Raises DataError where two entries claim the same bytes, or one claims bytes beyond the end of the file."""
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    for entry, following in pairwise([*ordered, None]):
        assert entry is not None
        end = entry.header_offset + _LOCAL_HEADER_BYTES + entry.compress_size
        name = shown(entry.orig_filename)
        if following is not None and end > following.header_offset:
            both = f"{name} and {shown(following.orig_filename)}"
            raise DataError("archive", f"has entries that share the same bytes, {both}; it was made to deceive.")
        if end > size:
            raise DataError("archive", f"says that {name} has bytes beyond the archive's end; it was made to deceive.")
