"""Requests of the client: sent again where that does no harm, and every no is one kind of error."""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from webapp.client.connection import Connection
from webapp.client.errors import CellwrightError, unless_wrong

Answer = httpx.Response | Exception


class Server(httpx.BaseTransport):
    """Answers with what it was given, one after the other, and keeps what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def connected(*answers: Answer, **options: Any) -> tuple[Connection, Server, list[float]]:
    server, slept = Server(*answers), []  # type: ignore[var-annotated]
    return Connection("http://here/", "cw_1", transport=server, sleep=slept.append, **options), server, slept


def test_a_post_whose_answer_was_lost_is_sent_again_under_the_same_key() -> None:
    connection, server, slept = connected(
        httpx.ReadTimeout("lost"), httpx.Response(503), httpx.ReadError("cut"), httpx.Response(201, json={"id": 1})
    )
    assert connection.post("/api/searches", {"config": {}}) == {"id": 1}
    assert len({request.headers["Idempotency-Key"] for request in server.asked}) == 1
    assert {request.content for request in server.asked} == {b'{"config":{}}'}
    assert slept == [0.2, 0.4, 0.8]


def test_two_posts_have_two_keys_unless_a_key_is_given() -> None:
    connection, server, _ = connected(*(httpx.Response(200, json={}) for _ in range(4)))
    for key in ("", "", "mine", "mine"):
        connection.post("/api/searches", key=key)
    first, second, third, fourth = (request.headers["Idempotency-Key"] for request in server.asked)
    assert first != second and third == fourth == "mine"


def test_what_must_not_happen_twice_is_sent_again_only_where_it_never_left() -> None:
    connection, server, _ = connected(httpx.ConnectError("no server"), httpx.Response(201, json={"path": "/x"}))
    assert connection.post("/links", once=False) == {"path": "/x"}
    connection, server, _ = connected(httpx.ReadTimeout("lost"))
    with pytest.raises(CellwrightError, match="does not answer"):
        connection.post("/links", once=False)
    assert len(server.asked) == 1


def test_patience_ends() -> None:
    connection, server, slept = connected(*[httpx.ConnectError("no server")] * 99, patience=20.0)
    with pytest.raises(CellwrightError) as raised:
        connection.get("/api/searches")
    assert (raised.value.status, raised.value.sentence) == (
        0, "The server at http://here does not answer (ConnectError).",
    )  # fmt: skip
    assert slept == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0] and len(server.asked) == 9


def test_a_server_that_asks_for_time_gets_it_where_patience_lasts() -> None:
    busy = httpx.Response(429, json={"detail": "Wait."}, headers={"Retry-After": "7"})
    connection, _, slept = connected(busy, httpx.Response(200, json={}))
    connection.get("/x")
    assert slept == [7.0]
    connection, _, slept = connected(busy, patience=5.0)
    with pytest.raises(CellwrightError, match="Wait"):
        connection.get("/x")
    assert slept == []


def test_deleting_again_what_is_gone_is_no_error_and_deleting_what_never_was_is_one() -> None:
    gone = httpx.Response(404, json={"errors": [{"field": "", "message": "There is no such search."}]})
    connection, _, _ = connected(httpx.ReadTimeout("lost"), gone)
    assert connection.delete("/api/searches/1") is None
    connection, _, _ = connected(gone)
    with pytest.raises(CellwrightError, match="There is no such search"):
        connection.delete("/api/searches/1")


def test_a_refusal_has_all_problems_with_field_and_sentence() -> None:
    told = [{"field": "space.blocks", "message": "is 9; must be at most 7."}, {"field": "", "message": "No."}]
    connection, _, _ = connected(httpx.Response(422, json={"errors": told}))
    with pytest.raises(CellwrightError) as raised:
        connection.post("/api/searches")
    error = raised.value
    assert (error.status, error.field, error.sentence) == (422, "space.blocks", "is 9; must be at most 7.")
    assert str(error) == "space.blocks is 9; must be at most 7. No." and len(error.problems) == 2
    with pytest.raises(CellwrightError, match="No."):
        unless_wrong({"errors": told})


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (httpx.Response(401, json={"detail": "Sign in."}), "Sign in."),
        (httpx.Response(404, text="<html>"), "The server answered with 404 and no reason."),
        (httpx.Response(500), "The server answered with 500 and no reason."),
    ],
)
def test_an_answer_of_another_form_is_the_same_kind_of_error(answer: httpx.Response, sentence: str) -> None:
    connection, _, _ = connected(answer)
    with pytest.raises(CellwrightError) as raised:
        connection.get("/x")
    assert raised.value.sentence == sentence


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    target, content = tmp_path / "bundle.zip", b"x" * 1000
    connection, _, _ = connected(
        httpx.ReadError("cut"), httpx.Response(503), httpx.Response(200, content=content),
    )  # fmt: skip
    assert connection.save("/file", target, sha256(content).hexdigest()).read_bytes() == content
    connection, _, _ = connected(httpx.Response(200, content=b"other"))
    with pytest.raises(CellwrightError, match="did not arrive as it was sent"):
        connection.save("/file", target, sha256(content).hexdigest())
    connection, _, _ = connected(httpx.Response(410, json={"errors": [{"field": "", "message": "Gone."}]}))
    with pytest.raises(CellwrightError, match="Gone"):
        connection.save("/file", target)
    assert [each.name for each in tmp_path.iterdir()] == ["bundle.zip"] and target.read_bytes() == content


def test_the_token_goes_with_every_request_and_what_is_none_is_left_out() -> None:
    connection, server, _ = connected(httpx.Response(200, json={}))
    connection.get("/x", limit=5, after=None)
    assert server.asked[0].headers["Authorization"] == "Bearer cw_1" and server.asked[0].url.query == b"limit=5"


def test_the_client_loads_neither_django_nor_pytorch() -> None:
    code = "import sys, webapp.client.cellwright; print(sorted({'django', 'torch', 'ninja'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert loaded.stdout.strip() == "[]"


def test_without_patience_a_request_is_sent_once() -> None:
    connection, server, slept = connected(httpx.ConnectError("no"), patience=0.0)
    with pytest.raises(CellwrightError):
        connection.get("/x")
    assert len(server.asked) == 1 and slept == []
