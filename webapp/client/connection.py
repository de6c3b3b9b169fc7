"""Requests to one server: sent again where that does no harm, and every refusal as one kind of error."""

import hashlib
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from webapp.client.errors import CellwrightError, Problem, refusal

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # Seconds between two tries; each pause is twice the one before.
BUSY = (429, 502, 503, 504)  # Nothing was done, or what was done is kept under the request's key.
Json = Any


class Connection:
    """To the server at `url`, as whoever the token belongs to.

    patience: for how many seconds a request is sent again while nobody answers. transport, sleep: for tests, and for
    who has the server in the same process.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        patience: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self.sleep = sleep
        self._patience = patience
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=30.0, transport=transport)

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **query: object) -> Json:
        """query: what is None is left out."""
        return self._ask("GET", path, params=_given(query))

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, key: str = "", once: bool = True) -> Json:
        """key: two requests with one key act once; without one, each call has its own, which its repetitions share.

        once: whether the route knows keys, or does nothing at all; where not, a request that may have arrived is not
        sent again.
        """
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        return self._ask("POST", path, may_repeat=once, json=dict(body or {}), headers=headers)

    def post_file(self, path: str, file: Path, **fields: str) -> Json:
        """A file in a form. What takes one keeps the same bytes once."""
        return self._ask("POST", path, files={"bundle": (file.name, file.read_bytes())}, data=fields)

    def put(self, path: str, content: bytes, **query: object) -> Json:
        """A piece of a file, at its place. It is not sent again: the server says how much of it arrived."""
        headers = {"Content-Type": "application/octet-stream"}
        return self._ask("PUT", path, may_repeat=False, content=content, params=_given(query), headers=headers)

    def put_json(self, path: str, **values: object) -> Json:
        return self._ask("PUT", path, json=values)

    def patch(self, path: str, **changes: object) -> Json:
        return self._ask("PATCH", path, json=changes)

    def delete(self, path: str) -> Json:
        return self._ask("DELETE", path)

    def content(self, path: str) -> bytes:
        return self._send("GET", path).content

    def save(self, path: str, target: Path, sha256: str = "") -> Path:
        """Download into `target`, which is there whole or not at all. sha256: what its digest must be, where known.

        Raises OSError where the disk refuses.
        """
        unfinished = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        try:
            digest = self._download(path, unfinished)
            if sha256 and digest != sha256:
                raise CellwrightError(0, [Problem("", f"{target.name} did not arrive as it was sent; try again.")])
            os.replace(unfinished, target)
        finally:
            unfinished.unlink(missing_ok=True)
        return target

    def _download(self, path: str, target: Path) -> str:
        """Its SHA-256. Begun anew where it breaks off."""
        for try_again in self._tries():
            try:
                with self._http.stream("GET", path) as response, target.open("wb") as file:
                    if response.status_code in BUSY and try_again(_wanted_pause(response)):
                        continue
                    if not response.is_success:
                        response.read()
                        raise refusal(response.status_code, _json(response))
                    digest = hashlib.sha256()
                    for piece in response.iter_bytes():
                        digest.update(piece)
                        file.write(piece)
                    return digest.hexdigest()
            except httpx.TransportError as error:
                if not try_again():
                    raise self._silence(error) from error
        raise AssertionError("the tries end by an answer or an error")

    def _ask(self, method: str, path: str, *, may_repeat: bool = True, **how: Any) -> Json:
        response = self._send(method, path, may_repeat=may_repeat, **how)
        return None if response.status_code == httpx.codes.NOT_FOUND else _json(response)

    def _send(self, method: str, path: str, *, may_repeat: bool = True, **how: Any) -> httpx.Response:
        is_first = True
        for try_again in self._tries():
            try:
                response = self._http.request(method, path, **how)
            except httpx.TransportError as error:
                never_left = isinstance(error, httpx.ConnectError)
                if not (may_repeat or never_left) or not try_again():
                    raise self._silence(error) from error
                is_first = is_first and never_left
                continue
            if response.status_code in BUSY and may_repeat and try_again(_wanted_pause(response)):
                is_first = False
                continue
            # Deleted by the request before, whose answer was lost.
            was_deleted = method == "DELETE" and not is_first and response.status_code == httpx.codes.NOT_FOUND
            if response.is_success or was_deleted:
                return response
            raise refusal(response.status_code, _json(response))
        raise AssertionError("the tries end by an answer or an error")

    def _tries(self) -> Iterator[Callable[..., bool]]:
        """Each gives a function that waits for the next try, at least for so many seconds; it answers False, without
        waiting, where patience is over or would not last for that."""
        left, pause = self._patience, FIRST_PAUSE

        def wait(at_least: float = 0.0) -> bool:
            nonlocal left, pause
            if left <= 0 or at_least > left:
                return False
            self.sleep(max(pause, at_least))
            left, pause = left - max(pause, at_least), min(2 * pause, LONGEST_PAUSE)
            return True

        while True:
            yield wait

    def _silence(self, error: Exception) -> CellwrightError:
        return CellwrightError(0, [Problem("", f"The server at {self.url} does not answer ({type(error).__name__}).")])


def _wanted_pause(response: httpx.Response) -> float:
    """For how many seconds a busy server asks to be left alone; 0 where it does not say."""
    told = response.headers.get("Retry-After", "")
    return float(told) if told.isdecimal() else 0.0


def _given(query: Mapping[str, object]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _json(response: httpx.Response) -> Json:
    try:
        return response.json()
    except ValueError:
        return None
