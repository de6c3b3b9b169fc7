"""Files that searches and trainings have made."""

from pathlib import Path

from webapp.client.connection import Connection
from webapp.client.replies import FileFacts


class File:
    """A file on the server. facts: its label, size, SHA-256 and more."""

    def __init__(self, connection: Connection, facts: FileFacts) -> None:
        self._connection = connection
        self.facts = facts

    def __repr__(self) -> str:
        return f"<File {self.facts.label}: {self.facts.filename}, {self.facts.size:,} bytes>"

    def read(self) -> bytes:
        return self._connection.content(self.facts.url)

    def save(self, target: str | Path = ".") -> Path:
        """Download it, checked by its SHA-256. target: a file's name, or a folder, in which it has its own name."""
        path = Path(target)
        return self._connection.save(
            self.facts.url, path / self.facts.filename if path.is_dir() else path, self.facts.sha256
        )


def listed(connection: Connection, path: str) -> list[File]:
    """The files of a search or a training. path: of its list."""
    return [File(connection, FileFacts(**each)) for each in connection.get(path)["artifacts"]]
