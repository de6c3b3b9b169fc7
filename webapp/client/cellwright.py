"""The client: one object for one server.

    site = Cellwright("http://127.0.0.1:8000", "cw_...")
    search = site.searches.start("demo").wait(progress=print)
    search.best()  # A notebook draws it.

Every refusal is a CellwrightError with a field and a sentence. A request whose answer was lost is sent again under the
key of the first, so nothing is started twice.
"""

import os
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from webapp.client.architectures import Architectures
from webapp.client.connection import Connection, Json
from webapp.client.notices import Notices
from webapp.client.own_data import Data
from webapp.client.replies import StreamFacts
from webapp.client.searches import Searches
from webapp.client.streams import Stream
from webapp.client.trainings import Trainings
from webapp.client.workers import Workers

HERE = "http://127.0.0.1:8000"
PAGE = 200


class Cellwright:
    """A server, as the owner of a token sees it.

    Without arguments, the environment says which: CELLWRIGHT_URL and CELLWRIGHT_TOKEN. options: of Connection.
    """

    def __init__(self, url: str = "", token: str = "", **options: Any) -> None:
        self.connection = Connection(
            url or os.environ.get("CELLWRIGHT_URL", HERE), token or os.environ.get("CELLWRIGHT_TOKEN", ""), **options
        )
        self.searches = Searches(self.connection)
        self.trainings = Trainings(self.connection)
        self.architectures = Architectures(self.connection)
        self.data = Data(self.connection)
        self.workers = Workers(self.connection)
        self.notices = Notices(self.connection)

    def __repr__(self) -> str:
        return f"<Cellwright {self.connection.url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def streams(self, **wanted: Any) -> Iterator[StreamFacts]:
        """Searches and trainings together. wanted: state, kind, method, tag, whose, text, archived and order, as the
        first page has them."""
        offset, total = 0, 1
        while offset < total:
            found = self.connection.get("/api/streams", limit=PAGE, offset=offset, **wanted)
            yield from (StreamFacts(**each) for each in found["streams"])
            offset, total = offset + PAGE, found["total"]

    def tags(self) -> dict[str, int]:
        """How many of your searches and trainings have each."""
        return {each["tag"]: each["count"] for each in self.connection.get("/api/streams/tags")["tags"]}

    def account(self) -> Json:
        """Whose token this is, and what they may use, and use."""
        return self.connection.get("/api/account")

    def compare(self, *streams: Stream | UUID | str) -> Json:
        """Searches, trainings and groups side by side, in families whose figures mean the same."""
        ids = [str(each.id if isinstance(each, Stream) else each) for each in streams]
        return self.connection.get("/api/compare", streams=",".join(ids))
