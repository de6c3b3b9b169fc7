"""Images and texts: those that are known, and one's own, sent in pieces."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from webapp.client.connection import Connection, Json
from webapp.client.errors import CellwrightError, Problem
from webapp.client.replies import OwnDataFacts

WAITS = ("arriving", "checking")
LOOK_SECONDS = 0.5


class OwnData:
    """Images or a text of yours. facts: as they were at the last look."""

    def __init__(self, connection: Connection, found: dict[str, Any]) -> None:
        self._connection = connection
        self.facts = OwnDataFacts(**found)

    def __repr__(self) -> str:
        return f"<OwnData {self.facts.title or self.facts.id}: {self.facts.kind}, {self.facts.state}>"

    @property
    def _path(self) -> str:
        return f"/api/data/{self.facts.id}"

    def refresh(self) -> "OwnData":
        self.facts = OwnDataFacts(**self._connection.get(self._path))
        return self

    def wait(self) -> "OwnData":
        """Until it is checked. Raises CellwrightError where it was refused."""
        while self.refresh().facts.state in WAITS:
            self._connection.sleep(LOOK_SECONDS)
        if self.facts.state == "refused":
            raise CellwrightError(422, [Problem("", str(self.facts.report["error"]))])
        return self

    def use(self, title: str) -> "OwnData":
        """Keep what was checked as a data set: `facts.name` is what a configuration calls it then."""
        return OwnData(self._connection, self._connection.post(f"{self._path}/use", {"title": title}))

    def rename(self, title: str) -> None:
        self.facts = OwnDataFacts(**self._connection.patch(self._path, title=title))

    def delete(self) -> None:
        self._connection.delete(self._path)

    def save_preview(self, target: str | Path) -> Path:
        """Eight pictures of each class, as PNG."""
        return self._connection.save(f"{self._path}/preview.png", Path(target))

    def refused(self) -> str:
        """What of it was refused, and why, as CSV."""
        return self._connection.content(f"{self._path}/refused.csv").decode()

    def send(self, files: Sequence[Path]) -> "OwnData":
        """The files one after another, in pieces. Where a piece was lost, the server says how much is there."""
        failures = 0
        while (before := self.facts.received) < self.facts.size:
            piece = _piece(files, before, self.facts.piece_bytes)
            try:
                found = self._connection.put(f"/api/data/uploads/{self.facts.id}", piece, offset=before)
                self.facts = OwnDataFacts(**found)
            except CellwrightError as error:
                failures += 1
                if error.status not in (0, 409) or failures > 5 or self.refresh().facts.state not in WAITS:
                    raise
        return self


def _piece(files: Sequence[Path], offset: int, most: int) -> bytes:
    """At most so many bytes of the files as if they were one, without reading more of them."""
    for path in files:
        size = path.stat().st_size
        if offset < size:
            with path.open("rb") as file:
                file.seek(offset)
                return file.read(most)
        offset -= size
    return b""


class Data:
    """What searches and trainings can read."""

    PATH = "/api/data"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def known(self) -> Json:
        """Data sets and texts that the program knows: {"known", "texts"}."""
        found = self._connection.get(self.PATH)
        return {"known": found["known"], "texts": found["texts"]}

    def own(self) -> list[OwnData]:
        return [OwnData(self._connection, each) for each in self._connection.get(self.PATH)["own"]]

    def get(self, data_id: UUID | str) -> OwnData:
        return OwnData(self._connection, self._connection.get(f"{self.PATH}/{data_id}"))

    def upload_images(self, archive: str | Path, title: str) -> OwnData:
        """A zip with a folder for each class: sent, checked, and kept as a data set."""
        file = Path(archive)
        told = {"filename": file.name, "size": file.stat().st_size}
        begun = OwnData(self._connection, self._connection.post(f"{self.PATH}/uploads", told))
        return begun.send([file]).wait().use(title)

    def upload_text(self, files: Sequence[str | Path], title: str) -> OwnData:
        """One file in UTF-8, or three whose names say which is train, valid and test."""
        paths = [Path(file) for file in files]
        told = {"files": [{"filename": path.name, "size": path.stat().st_size} for path in paths]}
        begun = OwnData(self._connection, self._connection.post(f"{self.PATH}/texts", told))
        return begun.send(paths).wait().use(title)

    def samples(self, name: str) -> bytes:
        """Some pictures of a data set, as PNG."""
        return self._connection.content(f"{self.PATH}/samples/{name}.png")
