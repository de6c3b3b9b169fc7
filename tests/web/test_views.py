"""The pages: what they show, to whom, and that no script or style stands in the markup."""

import json
import re
import uuid

import pytest
from django.test import Client

from search_engine import cost
from search_engine.architectures.reading import architecture_from_json
from search_engine.data.descriptions import describe
from search_engine.events import EpochEnded
from search_engine.presets import PRESETS
from tests.web.example_search import CONFIG, a_search, a_training
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import event_log
from webapp.searches.pages.child_page import epochs_of
from webapp.searches.start import network_of
from webapp.searches.templatetags.shares import counted, grouped, in_bytes, percent, truncated_since

pytestmark = pytest.mark.django_db


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def value_of(html: str, field: str) -> str:
    """The typed value of a field of a start form."""
    tag = re.search(rf'<input[^>]*data-path="{re.escape(field)}"[^>]*>', html)
    assert tag, field
    found = re.search(r'value="([^"]*)"', tag.group())
    return found.group(1) if found else ""


def test_the_first_page_says_what_to_do_when_there_is_nothing(signed_in: Client) -> None:
    assert 'href="/searches/new?preset=demo"' in page(signed_in, "/")


def test_the_first_page_lists_searches_and_trainings_with_state_progress_and_result(
    signed_in: Client, owner: User
) -> None:
    search = a_search(owner, children=12, name="Mine")
    training = a_training(owner, search)
    a_search(get_or_create_user("stranger"), name="Not mine")
    html = page(signed_in, "/")
    assert f'href="/searches/{search.pk}"' in html and f'href="/trainings/{training.pk}"' in html
    epochs = training.config["recipe"]["epochs"]
    assert "12 of 120 children" in html and "61.00 %" in html and f"0 of {epochs} epochs" in html
    assert "Not mine" not in html


def test_a_search_of_an_earlier_version_shows_what_it_would_do_today(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=1)
    del search.config["child"]["skeleton"]  # A setting that did not exist when it was started.
    search.save()
    html = page(signed_in, f"/searches/{search.pk}")
    assert "Skeleton" in html and "Normal cells per stack" in html


def test_the_form_opens_with_the_demo_and_every_preset_can_be_chosen(signed_in: Client) -> None:
    html = page(signed_in, "/searches/new")
    assert value_of(html, "budget.children") == str(PRESETS[0].config.budget.children)
    embedded = json.loads(re.search(r'id="preset-values"[^>]*>(.*?)</script>', html, re.DOTALL).group(1))  # type: ignore[union-attr]
    assert list(embedded) == [preset.name for preset in PRESETS]
    assert embedded["demo"] == PRESETS[0].config.model_dump(mode="json")
    for preset in PRESETS:
        html = page(signed_in, f"/searches/new?preset={preset.name}")
        assert value_of(html, "budget.children") == str(preset.config.budget.children)
    assert signed_in.get("/searches/new?preset=unknown").status_code == 404


def test_a_clone_is_filled_in_from_the_search_it_copies(signed_in: Client, owner: User) -> None:
    search = a_search(owner, name="Mine")
    search.config["space"]["blocks"] = 4
    search.save()
    html = page(signed_in, f"/searches/new?clone={search.pk}")
    assert value_of(html, "space.blocks") == "4"
    assert value_of(html, "name") == "Mine (copy)"
    for address in (f"/searches/new?clone={uuid.uuid4()}", "/searches/new?clone=x"):
        assert signed_in.get(address).status_code == 404


def test_the_page_of_a_child_shows_exact_counts_its_curve_and_its_decisions(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=3)
    child = search.children.get(slot=1)
    architecture, data = architecture_from_json(child.architecture), describe(CONFIG.data.name)
    network = network_of(architecture, CONFIG.child, data, CONFIG.data.image_size)
    html = page(signed_in, f"/searches/{search.pk}/children/0/1")
    assert f"<dd>{cost.parameters(network):,}</dd>" in html and f"<dd>{cost.mult_adds(network):,}</dd>" in html
    assert f"{len(network.layers)} layers" in html and "1.2500" in html and f"{child.reward * 100:.2f} %" in html
    assert "<dt>Normal 1 input 1</dt>" in html
    assert f'href="/trainings/new?search={search.pk}&amp;step=0&amp;slot=1"' in html


def test_a_copied_child_points_to_its_twin_and_a_failed_one_says_why(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=3)
    search.children.filter(slot=1).update(twin_step=0, twin_slot=0)
    search.children.filter(slot=2).update(reason="diverged", reward=0.0)
    assert f'href="/searches/{search.pk}/children/0/0"' in page(signed_in, f"/searches/{search.pk}/children/0/1")
    assert "Not measured: diverged." in page(signed_in, f"/searches/{search.pk}/children/0/2")


def test_an_epoch_that_was_done_again_stands_once(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=1)
    for epoch, loss in ((1, 1.0), (2, 0.5)):
        event_log.append(search.pk, [EpochEnded(step=0, slot=0, epoch=epoch, epochs=2, loss=loss, learning_rate=0.1,
                                                seconds=1.0)])  # fmt: skip
    epochs = epochs_of(search.children.get())
    assert [(each.number, each.loss) for each in epochs] == [(1, 1.0), (2, 0.5)]
    assert [each.point for each in epochs] == ["0.0,0.0", "320.0,60.0"]


@pytest.mark.parametrize("which", ["normal", "reduction", "both"])
def test_pictures_are_drawings_that_a_browser_may_keep(signed_in: Client, owner: User, which: str) -> None:
    base = f"/searches/{a_search(owner, children=1).pk}/children/0/0"
    answer = signed_in.get(f"{base}/{which}.svg")
    assert answer.headers["Content-Type"] == "image/svg+xml" and answer.content.startswith(b"<svg")
    assert "private" in answer.headers["Cache-Control"]
    assert signed_in.get(f"{base}/other.svg").status_code == 404


def test_the_training_form_opens_with_more_than_the_search_had(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=1)
    html = page(signed_in, f"/trainings/new?search={search.pk}&step=0&slot=0")
    assert int(value_of(html, "recipe.epochs")) > CONFIG.recipe.epochs
    assert int(value_of(html, "data.train_examples")) > CONFIG.data.train_examples
    for query in (
        "",
        f"search={search.pk}&step=0&slot=7",
        "search=x&step=0&slot=0",
        f"search={search.pk}&step=a&slot=0",
    ):
        assert signed_in.get(f"/trainings/new?{query}").status_code == 404


def test_the_live_pages_show_their_state_and_what_they_were_started_with(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=1)
    data = describe(CONFIG.data.name)
    for address in (f"/searches/{search.pk}", f"/trainings/{a_training(owner, search).pk}"):
        html = page(signed_in, address)
        assert data.title in html and data.sha256 in html and "<dd>part of this program</dd>" in html
        assert "<dt>Batch-norm batches</dt><dd>20 batches</dd>" in html
        state = json.loads(re.search(r'id="state"[^>]*>(.*?)</script>', html, re.DOTALL).group(1))  # type: ignore[union-attr]
        assert state["n"] >= 1 and state["state"] == "running"


def addresses(search_id: uuid.UUID, training_id: uuid.UUID) -> list[str]:
    child = f"/searches/{search_id}/children/0/0"
    return [
        f"/searches/{search_id}", child, f"{child}/both.svg", f"/searches/new?clone={search_id}",
        f"/trainings/new?search={search_id}&step=0&slot=0", f"/trainings/{training_id}",
    ]  # fmt: skip


def test_a_strangers_pages_do_not_exist(signed_in: Client) -> None:
    stranger = get_or_create_user("stranger")
    search = a_search(stranger, children=1)
    for address in addresses(search.pk, a_training(stranger, search).pk):
        assert signed_in.get(address).status_code == 404, address


def test_no_page_holds_a_style_or_a_script_of_its_own(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=2)
    pages = addresses(search.pk, a_training(owner, search).pk)
    for address in ["/", "/searches/new", "/api/docs", *(each for each in pages if not each.endswith(".svg"))]:
        html = page(signed_in, address)
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html), address
        for attributes in re.findall(r"<script([^>]*)>", html):
            assert "src=" in attributes or 'type="application/json"' in attributes, address


def test_the_description_of_the_api_is_a_page_with_every_route_and_schema(signed_in: Client) -> None:
    html = page(signed_in, "/api/docs")
    for text in (
        "/api/searches/{search_id}/children",
        "Idempotency-Key",
        'id="schema-PpoConfig"',
        "step width of Adam",
    ):
        assert text.lower() in html.lower(), text
    links = set(re.findall(r'href="#([^"]+)"', html))
    assert links - set(re.findall(r'id="([^"]+)"', html)) == set()


def test_names_that_people_type_are_text_and_never_markup(signed_in: Client, owner: User) -> None:
    name = "</script><b>&"
    search = a_search(owner, children=1, name=name)
    for address in ["/", *addresses(search.pk, a_training(owner, search).pk)]:
        if not address.endswith(".svg"):
            assert name not in page(signed_in, address), address


def test_figures_in_templates_read_as_those_of_the_scripts() -> None:
    """As drawing/format.js says them."""
    assert [percent(0.7153), percent(None)] == ["71.53 %", "–"]
    assert [counted(999), counted(1000), counted(123_456), counted(1_234_567)] == ["999", "1.00 k", "123 k", "1.23 M"]
    assert [in_bytes(12), in_bytes(12_345_678), in_bytes(None)] == ["12 B", "12.3 MB", "–"]
    assert grouped(1_234_567) == "1,234,567"
    assert [truncated_since("2\xa0days, 3\xa0hours"), truncated_since("0\xa0minutes")] == [
        "2\xa0days", "less than a minute",
    ]  # fmt: skip
