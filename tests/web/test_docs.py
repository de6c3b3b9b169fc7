"""The docs: every page is shown, every link in them and in README leads somewhere, and markup in them stays text."""

import re
from pathlib import Path

import pytest
from django.test import Client
from django.utils.text import slugify

from webapp.accounts.sign_in import get_or_create_user
from webapp.docs import rendering
from webapp.docs.catalogue import DOCS, IMAGES, TITLES
from webapp.settings import HOME

LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
FILES = [HOME / "README.md", HOME / "ARCHITECTURE.md", *sorted(DOCS.glob("*.md"))]
MOST_BYTES, MOST_BYTES_IN_ALL = 150_000, 3_000_000


def anchors(path: Path) -> set[str]:
    return {slugify(line.lstrip("# ")) for line in path.read_text().splitlines() if line.startswith("#")}


@pytest.fixture
def signed_in(client: Client, db: None) -> Client:
    client.force_login(get_or_create_user("owner"))
    return client


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_link_leads_to_a_file_and_to_a_heading_in_it(path: Path) -> None:
    for link in LINK.findall(path.read_text()):
        if link.startswith("https://arxiv.org/abs/"):
            continue
        assert "://" not in link, f"{path.name}: {link} leads out of the repository, where nothing holds it true"
        file, _, fragment = link.partition("#")
        target = (path.parent / file) if file else path
        assert target.exists(), f"{path.name}: {link}"
        assert not fragment or fragment in anchors(target), f"{path.name}: {link}"


def test_every_picture_is_there_described_small_and_used() -> None:
    used = set()
    for path in FILES:
        for words, file in IMAGE.findall(path.read_text()):
            assert words and (path.parent / file).is_file(), f"{path.name}: {file}"
            used.add((path.parent / file).name)
    sizes = {file.name: file.stat().st_size for file in IMAGES.iterdir()}
    assert used == set(sizes)
    assert max(sizes.values()) < MOST_BYTES and sum(sizes.values()) < MOST_BYTES_IN_ALL


@pytest.mark.parametrize("name", TITLES)
def test_every_page_is_shown_with_its_title_and_leads_on_within_the_program(signed_in: Client, name: str) -> None:
    html = signed_in.get(f"/docs/{name}").content.decode()
    assert f'<h1 id="{slugify(TITLES[name])}">{TITLES[name]}</h1>' in html
    article = html[html.index("<article") : html.index("</article>")]
    for address in re.findall(r'(?:href|src)="([^"]+)"', article):
        if address.startswith("/"):
            answer = signed_in.get(address)
            assert answer.status_code == 200, address
            fragment = address.partition("#")[2]
            assert not fragment or f'id="{fragment}"' in answer.content.decode(), address
    assert "style=" not in article and "<script" not in article


def test_the_first_page_of_the_docs_lists_them_all(signed_in: Client) -> None:
    html = signed_in.get("/docs").content.decode()
    assert all(f'href="/docs/{name}"' in html for name in TITLES)


def test_what_the_program_shows_is_in_the_folder() -> None:
    assert {file.stem for file in DOCS.glob("*.md")} >= set(TITLES)


def test_markup_and_scripts_in_a_page_are_shown_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "evil.md").write_text("# Evil\n\n<script>alert(1)</script>\n\n<b>x</b> [y](javascript:alert(1))\n")
    monkeypatch.setattr(rendering, "DOCS", tmp_path)
    html = rendering.page_html.__wrapped__("evil")
    assert "<script" not in html and "<b>" not in html and 'href="javascript' not in html
    assert "&lt;script&gt;" in html


def test_a_page_or_picture_that_is_not_there_is_not_found(signed_in: Client) -> None:
    assert signed_in.get("/docs/nowhere").status_code == 404
    assert signed_in.get("/docs/images/nowhere.png").status_code == 404
    assert signed_in.get("/docs/trust").status_code == 404  # A page of the repository, and not of the program.


def test_the_commands_in_the_docs_are_those_of_the_terminal() -> None:
    from search_engine.__main__ import COMMANDS

    told = set(re.findall(r"^\| `(\w+)` \|", (DOCS / "terminal.md").read_text(), re.MULTILINE))
    assert told == set(COMMANDS)
