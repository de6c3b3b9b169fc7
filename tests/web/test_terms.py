"""Terms: each has a meaning and a source, each that a page uses exists, and each page carries what its words mean."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.http import HttpRequest
from django.template import Context, Engine, TemplateSyntaxError, engines
from django.test import Client

from webapp.accounts.sign_in import get_or_create_user
from webapp.docs.glossary import GLOSSARY, glossary
from webapp.docs.terms import FIELD_TERMS, OURS, TERMS
from webapp.settings import HOME

SOURCE = re.compile(r"(Zoph|Pham) et al\. 2018, (sections?|appendix|table|abstract) [\dA]")
TAG = re.compile(r'{% (term|page_words|script_terms) "([^"]+)"')


SCRIPTS = HOME / "frontend/static"
SCRIPT = re.compile(r"<script type=\"module\" src=\"{% static '([^']+)' %}\"")
IMPORT = re.compile(r'^(?:import|\} from) .*?"(\.[^"]+)";$', re.MULTILINE)
WORDS = re.compile(r"^const TERMS = \{(.*?)\};$", re.MULTILINE | re.DOTALL)
KEY = re.compile(r'([a-z-]+)"?: "')


def used() -> Iterator[tuple[Path, str]]:
    for path in (HOME / "frontend/templates").rglob("*.html"):
        for tag, keys in TAG.findall(path.read_text()):
            for key in [keys] if tag == "term" else keys.split():
                yield path, key


def test_every_term_says_what_it_means_in_at_most_three_sentences_and_where_that_stands() -> None:
    for key, term in TERMS.items():
        assert len(re.findall(r"[.:?] |\.$", term.text)) >= 1 and term.text.count(". ") <= 2, key
        assert term.text.endswith(".") or term.text.endswith("?"), key
        assert SOURCE.search(term.source) or term.source.startswith(OURS), (key, term.source)
        assert len(term.text) < 320, key


def test_every_term_that_a_template_or_a_form_uses_exists() -> None:
    found = list(used())
    assert len(found) > 40
    assert [(str(path), key) for path, key in found if key not in TERMS] == []
    assert set(FIELD_TERMS.values()) <= set(TERMS)


def explained_by(script: Path, seen: set[Path]) -> set[str]:
    """The terms that a script, or what it imports, makes buttons for."""
    if script in seen:
        return set()
    seen.add(script)
    source = script.read_text()
    keys = {key for words in WORDS.findall(source) for key in KEY.findall(words)}
    return keys.union(*(explained_by((script.parent / found).resolve(), seen) for found in IMPORT.findall(source)))


def test_a_page_brings_the_cards_of_exactly_the_words_that_its_scripts_explain() -> None:
    found = {}
    for template in (HOME / "frontend/templates").rglob("*.html"):
        text, seen = template.read_text(), set[Path]()
        explained = set[str]().union(*(explained_by(SCRIPTS / script, seen) for script in SCRIPT.findall(text)))
        brought = {key for tag, keys in TAG.findall(text) if tag == "script_terms" for key in keys.split()}
        assert explained == brought, template
        if explained:
            found[template.name] = len(explained)
    assert found.keys() == {"search_live.html", "shared_live.html", "training_live.html", "compare.html"}


def test_an_unknown_term_is_no_silence() -> None:
    page = engines["django"].from_string('{% load terms %}{% term "phlogiston" %}')
    with pytest.raises(TemplateSyntaxError, match="There is no term 'phlogiston'"):
        page.template.render(Context({"request": HttpRequest()}))
    assert isinstance(page.template.engine, Engine)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    [
        "/searches/new", "/searches/new?method=enas-micro", "/searches/new?method=enas-macro",
        "/searches/new?method=enas-recurrent", "/trainings/new?architecture=nasnet-a", "/architectures",
    ],
)  # fmt: skip
def test_every_button_on_a_page_has_its_card_exactly_once(client: Client, address: str) -> None:
    client.force_login(get_or_create_user("owner"))
    html = client.get(address).content.decode()
    buttons = set(re.findall(r'class="term" type="button" popovertarget="([^"]+)"', html))
    cards = re.findall(r'<aside class="term-card" id="([^"]+)" popover', html)
    assert buttons and sorted(buttons) == sorted(cards)


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), [("nasnet", "strategy.clip"), ("enas-macro", "controller.skip_weight")])
def test_a_setting_leads_to_its_term(client: Client, method: str, path: str) -> None:
    client.force_login(get_or_create_user("owner"))
    html = client.get(f"/searches/new?method={method}").content.decode()
    field = html[html.index(f'data-path="{path}"') :]
    assert f'popovertarget="term-{FIELD_TERMS[path]}"' in field[: field.index("field-error")]


@pytest.mark.django_db
def test_every_setting_with_a_term_is_in_some_form(client: Client) -> None:
    client.force_login(get_or_create_user("owner"))
    forms = ["searches/new?method=" + name for name in ("nasnet", "enas-micro", "enas-macro", "enas-recurrent")]
    forms.append("trainings/new?architecture=nasnet-a")
    html = "".join(client.get(f"/{form}").content.decode() for form in forms)
    assert [path for path in FIELD_TERMS if f'data-path="{path}"' not in html] == []


def test_the_glossary_in_the_repository_is_the_one_that_the_terms_make() -> None:
    assert GLOSSARY.read_text() == glossary(), "Run: make docs"
