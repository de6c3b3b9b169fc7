"""Text that would be a script somewhere, in every field that takes text, on the pages that show it: nothing runs.

A dialog, a script's mark on the window, a violation of the content policy or any other complaint fails the test.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.running_application import RunningApplication
from tests.web.example_search import demo_json
from tests.web.slow_sizes import long
from tests.web.test_own_data import pets

# Each sets window.ran where it is taken for markup, a script, an address, an attribute, a template or a style.
PAYLOADS = (
    "<script>ran=1;alert(1)</script>",
    "<img src=x onerror=ran=1;alert(1)>",
    "<svg/onload=ran=1;alert(1)>",
    '"><script>ran=1</script><a title="',
    "' autofocus onfocus=ran=1 x='",
    "</title></textarea><script>ran=1</script>",
    "</script><script>ran=1</script>",
    '<a href="javascript:ran=1">x</a>',
    "javascript:ran=1//",
    "{{ request.user }}{% debug %}${ran=1}",
    "<iframe srcdoc='<script>parent.ran=1</script>'>",
    "<style>*{display:none}</style>",
    "--><script>ran=1</script><!--",
    "\\u003cscript\\u003eran=1\\u003c/script\\u003e",
    "&lt;script&gt;ran=1&lt;/script&gt;",
    "]]><script xmlns='http://www.w3.org/1999/xhtml'>ran=1</script>",
)
ASK = """async ([method, path, body]) => {
    const token = document.querySelector('meta[name="csrf-token"]').content;
    const headers = {"Content-Type": "application/json", "X-CSRFToken": token};
    const answer = await fetch(path, {method, headers, body: JSON.stringify(body)});
    return [answer.status, await answer.json()];
}"""


class Harmless:
    """A page on which nothing of the payloads may run."""

    def __init__(self, page: Page, address: str) -> None:
        self._page, self._address = page, address
        self.dialogs: list[str] = []
        page.on("dialog", self._dismiss)

    def ask(self, method: str, path: str, body: Any) -> Any:
        status, told = self._page.evaluate(ASK, [method, path, body])
        assert status in (200, 201), (path, status, told)
        return told

    def refused_at(self, method: str, path: str, body: Any) -> list[str]:
        """The fields of what must be refused; asked beside the page, which would complain of it."""
        token = self._page.locator('meta[name="csrf-token"]').get_attribute("content") or ""
        headers = {"X-CSRFToken": token, "Origin": self._address}
        answer = self._page.request.fetch(self._address + path, method=method, data=body, headers=headers)
        assert answer.status == 422, (path, answer.status)
        return [each["field"] for each in answer.json()["errors"]]

    def look(self, path: str, *shown: str) -> None:
        """Open the page and find what it shows, as text."""
        self._page.goto(self._address + path)
        for text in shown:
            expect(self._page.get_by_text(text).or_(self._page.get_by_title(text)).first).to_be_attached()
        for _ in range(8):  # What has focus, or is hovered over, runs nothing either.
            self._page.keyboard.press("Tab")
        assert self._page.evaluate("window.ran") is None, path
        assert self._page.locator("iframe, script:not([src]):not([type='application/json'])").count() == 0, path
        assert self.dialogs == [], path

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@pytest.fixture
def harmless(application: RunningApplication, owner_page: Page) -> Harmless:
    return Harmless(owner_page, application.address)


def test_names_of_searches_groups_and_architectures_are_text_everywhere(harmless: Harmless) -> None:
    urls = []
    for name in PAYLOADS[:3]:
        started = harmless.ask("POST", "/api/searches", {"config": demo_json(name=name)})
        harmless.ask("POST", f"/api{started['url']}/pause", {})
        harmless.ask("PATCH", f"/api{started['url']}", {"notes": "\n".join(PAYLOADS)})
        urls.append(started["url"])
    harmless.look("/", *PAYLOADS[:3])
    ids = [url.rsplit("/", 1)[-1] for url in urls]
    for path in (urls[0], f"{urls[1]}/replay", f"/searches/new?clone={ids[2]}", f"/compare?streams={','.join(ids)}"):
        harmless.look(path)
    for url in urls:
        harmless.ask("POST", f"/api{url}/stop", {})
    for name in PAYLOADS:
        text = '{"format": 1, "kind": "macro", "layers": [{"operation": "conv_3x3", "skips": []}]}'
        kept = harmless.ask("POST", "/api/architectures", {"text": text, "name": name})
        harmless.ask("PATCH", f"/api{kept['url']}", {"name": name})
        if name in PAYLOADS[::4]:
            harmless.look(kept["url"], name)
    harmless.look("/architectures", PAYLOADS[-1])


def test_names_of_trainings_and_groups_are_text_and_so_is_what_a_tag_may_be(harmless: Harmless) -> None:
    text = '{"format": 1, "kind": "macro", "layers": [{"operation": "conv_3x3", "skips": []}]}'
    kept = harmless.ask("POST", "/api/architectures", {"text": text, "name": "trained"})
    defaults = harmless.ask("POST", "/api/trainings/defaults", {"id": kept["id"]})
    config = defaults["config"] | {"name": PAYLOADS[3]}
    training = harmless.ask("POST", "/api/trainings", {"id": kept["id"], "config": config})["url"]
    group = harmless.ask("POST", "/api/groups", {"config": demo_json(name=PAYLOADS[5]), "seeds": [1, 2]})
    urls = [training, *(f"/searches/{each}" for each in group["started"])]
    for url in urls:
        harmless.ask("POST", f"/api{url}/stop", {})
    for payload in PAYLOADS:  # No tag holds a sign that markup or a call needs.
        assert harmless.refused_at("PATCH", f"/api{training}", {"tags": [payload]}) == ["tags"]
    harmless.ask("PATCH", f"/api{training}", {"tags": ["javascript:ran", "on/load:ran"], "notes": "\n".join(PAYLOADS)})
    for path in (training, f"{training}/replay", f"/?tag=javascript:ran&q={PAYLOADS[8]}"):
        harmless.look(path)
    harmless.look("/", PAYLOADS[3], PAYLOADS[5])
    harmless.look(group["url"], PAYLOADS[5])


def test_what_a_person_may_be_called_is_text_and_the_rest_is_refused(harmless: Harmless) -> None:
    for payload in PAYLOADS:
        assert harmless.refused_at("PATCH", "/api/account", {"name": payload}) == ["name"]
    name = "' onfocus'ran+1 @x"
    harmless.ask("PATCH", "/api/account", {"name": name})
    try:
        for path in ("/account", "/people", "/"):
            harmless.look(path, name)
        harmless.look("/searches/new")
    finally:
        harmless.ask("PATCH", "/api/account", {"name": "owner"})


@long
def test_whatever_is_in_an_address_is_text(harmless: Harmless, application: RunningApplication) -> None:
    for payload in PAYLOADS:
        quoted = re.sub(r"[^A-Za-z0-9]", lambda found: f"%{ord(found[0]):02x}", payload)
        for path in ("/compare?streams={}", "/?q={}&tag={}&state={}#{}",
                     "/architectures/import?kind={}"):  # fmt: skip
            harmless.look(path.replace("{}", quoted))


def test_names_of_tokens_and_invitations_are_text(harmless: Harmless) -> None:
    invitations = []
    for name in PAYLOADS[:6]:
        harmless.ask("POST", "/api/account/tokens", {"name": name, "scopes": ["read"]})
        invitations.append(harmless.ask("POST", "/api/people/invitations", {"note": name}))
    harmless.look("/account", *PAYLOADS[:6])
    harmless.look("/people", *PAYLOADS[:6])
    for invitation in invitations:  # Other tests begin with none.
        harmless.ask("DELETE", f"/api/people/invitations/{invitation['id']}", {})


def test_names_in_an_archive_and_of_data_are_text(
    harmless: Harmless, application: RunningApplication, owner_page: Page, tmp_path: Path
) -> None:
    image, bad = "<img src=x onerror=ran=1>", "<svg onload=ran=1>.png"
    archive = tmp_path / "<script>ran=1<script>.zip"
    archive.write_bytes(
        pets({f"{image}/{bad}": b"no image", f"{image}/=1+1.png": b"no"}, classes=(image, "'onclick=ran=1"))
    )
    owner_page.goto(f"{application.address}/data")
    owner_page.get_by_label("Add your images").set_input_files(archive)
    owner_page.wait_for_url(re.compile(r"/data/[0-9a-f-]{36}$"), timeout=30_000)
    expect(owner_page.get_by_role("heading", name="Refused: 2 files")).to_be_visible(timeout=30_000)
    page = re.sub(r"^.*(/data/)", r"\1", owner_page.url)
    harmless.look(page, bad)
    owner_page.get_by_label("Title").fill(PAYLOADS[1])
    owner_page.get_by_role("button", name="Use this data").click()
    expect(owner_page.get_by_role("heading", level=1)).to_have_text(PAYLOADS[1], timeout=30_000)
    for path in (page, "/data", "/searches/new"):
        harmless.look(path, PAYLOADS[1])
