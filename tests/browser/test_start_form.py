"""The start form in a real browser: presets, choices, refusals, the cost beside it. No search is started here."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from search_engine.config.search import SearchConfig
from search_engine.config.strategy import EvolutionConfig, PpoReplayConfig
from search_engine.presets import COFFEE, DEMO, NIGHT
from tests.browser.watched_pages import PHONE, watch
from tests.running_application import RunningApplication

SLOW = 20_000  # Milliseconds: the machine may be busy with other tests.


@pytest.fixture
def form(application: RunningApplication, owner_page: Page) -> Page:
    owner_page.goto(f"{application.address}/searches/new")
    expect(owner_page.locator('[data-cost="children"]')).to_have_text(str(DEMO.config.budget.children), timeout=SLOW)
    return owner_page


@pytest.fixture
def phone(application: RunningApplication, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE)
    watched = watch(context.new_page())
    watched.page.goto(application.link)
    yield watched.page
    context.close()
    assert watched.complaints == []


def copied(form: Page) -> SearchConfig:
    """The configuration that the page gives away as CONFIG.json."""
    form.context.grant_permissions(["clipboard-read", "clipboard-write"])
    form.get_by_role("button", name="Copy as CONFIG.json").click()
    expect(form.get_by_role("button", name="Copied")).to_be_visible()
    return SearchConfig.model_validate(json.loads(form.evaluate("navigator.clipboard.readText()")))


def test_a_preset_fills_in_every_field_without_a_reload(form: Page) -> None:
    assert copied(form) == DEMO.config
    form.evaluate("window.isTheSamePage = true")
    form.get_by_role("button", name="Coffee").click()
    expect(form.locator('[data-cost="children"]')).to_have_text(str(COFFEE.config.budget.children), timeout=SLOW)
    assert form.evaluate("window.isTheSamePage")
    expect(form.get_by_role("button", name="Coffee")).to_have_attribute("aria-pressed", "true")
    form.reload()
    form.get_by_role("button", name="Coffee").click()
    assert copied(form) == COFFEE.config


def test_a_choice_shows_its_own_fields_and_sends_no_others(form: Page) -> None:
    rate = form.get_by_label("Controller learning rate")
    expect(rate).to_be_visible()
    form.get_by_label("Uniform random").check()
    expect(rate).to_be_hidden()
    assert copied(form).strategy.kind == "random"
    form.get_by_label("PPO controller").check()
    expect(rate).to_have_value(str(DEMO.config.strategy.learning_rate))


def test_a_strategy_begins_with_its_own_defaults_and_comes_back_with_what_was_typed(form: Page) -> None:
    units = form.get_by_label("LSTM units")
    weight = form.get_by_label("Entropy weight")
    form.locator("#part-strategy summary").click()
    form.get_by_label("PPO with a memory").check()
    chosen = copied(form).strategy
    assert isinstance(chosen, PpoReplayConfig)
    assert (chosen.hidden_size, chosen.entropy_weight, chosen.replayed) == (32, 0.03, 10)
    # What the preset says differs from what PPO starts from, so it was chosen, and stays.
    assert chosen.learning_rate == DEMO.config.strategy.learning_rate
    assert chosen.step_size == DEMO.config.strategy.step_size
    weight.fill("0.5")
    form.get_by_label("PPO controller").check()
    assert copied(form) == DEMO.config
    form.get_by_label("Regularized evolution").check()
    assert isinstance(copied(form).strategy, EvolutionConfig)
    form.get_by_label("PPO with a memory").check()
    expect(weight).to_have_value("0.5")
    expect(units).to_have_value("32")


def test_a_wrong_value_is_told_at_its_field_while_one_types(form: Page) -> None:
    blocks = form.get_by_label("Blocks per cell")
    blocks.fill("many")
    error = form.locator("#field-space-blocks-error")
    expect(error).to_have_text("Is 'many'; must be a whole number.", timeout=SLOW)
    expect(blocks).to_have_attribute("aria-invalid", "true")
    assert "field-space-blocks-error" in (blocks.get_attribute("aria-describedby") or "")
    expect(blocks).to_have_value("many")
    blocks.fill("3")
    expect(error).to_be_empty(timeout=SLOW)
    expect(form.locator('[data-cost="parameters"]')).to_contain_text("k", timeout=SLOW)


def test_start_leads_to_the_first_wrong_field_even_a_folded_one(form: Page) -> None:
    form.evaluate("document.querySelector('#field-recipe-momentum').value = '3'")
    form.get_by_role("button", name="Start the search").first.click()
    momentum = form.locator("#field-recipe-momentum")
    expect(momentum).to_be_focused(timeout=SLOW)
    expect(momentum).to_be_visible()
    expect(form.locator('[data-cost="problem"]')).to_have_text("Nothing was started: one value needs a change.")
    assert form.url.endswith("/searches/new")


def test_advice_stands_beside_settings_that_cannot_work(form: Page) -> None:
    expect(form.locator('[data-cost="notes"] li')).to_have_count(0)
    form.get_by_label("Controller learning rate").fill("0.00035")
    expect(form.locator('[data-cost="notes"]')).to_contain_text("will hardly move", timeout=SLOW)


@pytest.mark.parametrize("address", ["/", "/searches/new", "/api/docs", "/sign-in"])
def test_a_phone_needs_no_sideways_scrolling(application: RunningApplication, phone: Page, address: str) -> None:
    phone.goto(application.address + address)
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_number_is_read_as_the_form_itself_writes_it(form: Page) -> None:
    form.get_by_label("Children", exact=True).fill("1,000")
    form.get_by_label("Controller learning rate").fill("0,02")
    config = copied(form)
    assert (config.budget.children, config.strategy.learning_rate) == (1000, 0.02)
    rate = form.get_by_label("Controller learning rate")
    rate.fill("1,000")  # A thousand, or one: nobody can tell.
    expect(rate).to_have_attribute("aria-invalid", "true", timeout=SLOW)


def test_the_random_companion_is_one_tick_that_doubles_the_cost_and_goes_with_random_search(form: Page) -> None:
    children = DEMO.config.budget.children
    form.get_by_role("checkbox", name="Random companion").check()
    expect(form.locator('[data-cost="children"]')).to_have_text(str(2 * children), timeout=SLOW)
    expect(form.locator("cost-panel")).to_contain_text(
        f"{children} of these children are drawn by the random companion"
    )
    expect(form.locator('[data-preset="demo"]')).to_have_attribute("aria-pressed", "true")
    form.get_by_label("Uniform random").check()
    expect(form.get_by_role("checkbox", name="Random companion")).to_be_hidden()
    expect(form.locator('[data-cost="children"]')).to_have_text(str(children), timeout=SLOW)


def test_a_starting_point_with_a_final_round_shows_it_opened(form: Page) -> None:
    finalists = form.get_by_label("Finalists")
    expect(finalists).to_be_hidden()
    form.get_by_role("button", name="Night").click()
    expect(finalists).to_be_visible()
    expect(finalists).to_have_value(str(NIGHT.config.finals.children))
    form.get_by_role("button", name="Two-minute demo").click()
    expect(finalists).to_be_hidden()


def test_the_cost_of_what_was_chosen_before_is_marked_until_the_new_one_is_there(form: Page) -> None:
    panel, held = form.locator("cost-panel"), []
    form.route("**/api/searches/estimate", lambda route: held.append(route))
    form.get_by_role("button", name="Night").click()
    expect(panel).to_have_class(re.compile("is-stale"))
    for route in held:
        route.continue_()
    expect(panel).not_to_have_class(re.compile("is-stale"), timeout=SLOW)
