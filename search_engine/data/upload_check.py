"""The throw-away process that looks into what somebody sent: python -m search_engine.data.upload_check.

It reads an archive of images, or a text, and writes what came of it and report.json into a folder, and ends: of images
set.safetensors and preview.png, of a text its files as own_text keeps them. On standard output it says how far it is,
one JSON object a line; the file `at` names what it looks at, for whoever finds it dead. It has limits of memory, time
and file size, and no network where the system can take it away; see confinement. Whoever started it kills it when it
takes too long.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from search_engine.data import confinement
from search_engine.data.archive import Archive, shown
from search_engine.data.own_images import take_set
from search_engine.data.own_set import OwnSet, digest_of
from search_engine.data.own_text import PARTS, parts_by_name
from search_engine.data.previews import sheet_of_own
from search_engine.data.text_check import take_text
from search_engine.errors import DataError

SET, PREVIEW, REPORT, AT = "set.safetensors", "preview.png", "report.json", "at"
MOST_LISTED = 2000  # Refused entries in a report; their number is complete.
_TELL_SECONDS = 0.3


def main(arguments: list[str]) -> int:
    """0 where a report was written, whatever it says."""
    parser = argparse.ArgumentParser(prog="python -m search_engine.data.upload_check", description=__doc__)
    parser.add_argument("upload", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--title", default="", help="of images")
    parser.add_argument("--files", type=json.loads, help="of a text: [[name, bytes], ...], as they lie in the upload")
    parser.add_argument("--memory", type=int, required=True, help="bytes of address space")
    parser.add_argument("--seconds", type=int, required=True, help="of processor time")
    parser.add_argument("--file-bytes", type=int, required=True, help="of any file it writes")
    options = parser.parse_args(arguments)
    without_network = confinement.confine(options.memory, options.seconds, options.file_bytes)
    if options.files is None:
        report = check(options.upload, options.folder, options.title)
    else:
        report = check_text(options.upload, options.folder, options.files)
    (options.folder / REPORT).write_text(json.dumps(report | {"without_network": without_network}))
    return 0


def check(archive: Path, folder: Path, title: str) -> dict[str, Any]:
    """The report. error: why there is no set, a sentence; "" where there is one."""
    refused: list[tuple[str, str]] = []
    report: dict[str, Any] = {"error": "", "set": None, "sha256": "", "accepted": 0}
    try:
        files = Archive(archive, refused=refused)
        noted = _Noted(files, folder / AT)
        record = take_set(noted, folder / SET, title=title, came_from=archive.name, on_file=_Teller())
        (folder / PREVIEW).write_bytes(sheet_of_own(OwnSet(folder / SET)))
        accepted = sum(record.train_counts) + sum(record.test_counts)
        report |= {"set": record.to_json(), "sha256": digest_of(folder / SET), "accepted": accepted}
    except DataError as error:
        report["error"] = f"The archive {error.message}"
    (folder / AT).unlink(missing_ok=True)
    listed = [{"name": shown(name), "reason": reason} for name, reason in sorted(refused)[:MOST_LISTED]]
    return report | {"refused": listed, "refused_count": len(refused)}


def check_text(upload: Path, folder: Path, files: list[tuple[str, int]]) -> dict[str, Any]:
    """The report on a text. files: names and bytes as they lie in the upload; of three, the names say the parts."""
    report: dict[str, Any] = {"error": "", "text": None, "sha256": "", "accepted": 0, "refused": [], "refused_count": 0}
    (folder / AT).write_text(", ".join(shown(name) for name, _ in files))
    try:
        with upload.open("rb") as content:
            read = [(shown(name), content.read(size)) for name, size in files]
        if len(read) > 1:
            parts = parts_by_name([name for name, _ in files])
            read = [read[parts.index(part)] for part in PARTS]
        sha256, record = take_text(read, folder, on_step=_Teller())
        report |= {"text": record.to_json(), "sha256": sha256, "accepted": len(files)}
    except DataError as error:
        report["error"] = error.message
    (folder / AT).unlink()
    return report


class _Noted:
    """The entries of an archive; the one that is read is written down before."""

    def __init__(self, files: Archive, at: Path) -> None:
        self.refused, self._files, self._at = files.refused, files, at

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def read(self, name: str) -> bytes:
        self._at.write_text(shown(name))
        return self._files.read(name)


class _Teller:
    """Says how far it is, a few times a second."""

    def __init__(self) -> None:
        self._told = 0.0

    def __call__(self, done: int, of: int) -> None:
        if time.monotonic() - self._told > _TELL_SECONDS or done == of:
            self._told = time.monotonic()
            print(json.dumps({"done": done, "of": of}), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
