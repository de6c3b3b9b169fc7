"""The start form of a search: four methods, each with its presets and settings, and whose controller is filled in."""

import json
import re
import uuid
from typing import Any

import pytest
from django.test import Client

from search_engine.config.controller_presets import PRESET_NAMES, controller_preset
from search_engine.config.searches import ENAS_METHODS
from search_engine.shared_presets import MACRO_DEMO, SHARED_PRESETS
from tests.web.test_views import page, value_of
from webapp.accounts.models import User
from webapp.searches.offers import METHODS, presets_of
from webapp.searches.start import start_search

pytestmark = pytest.mark.django_db


def embedded(html: str, name: str) -> Any:
    found = re.search(rf'id="{name}"[^>]*>(.*?)</script>', html, re.DOTALL)
    assert found, name
    return json.loads(found.group(1))


def test_every_method_is_offered_and_has_somewhere_to_start_from() -> None:
    assert [method.name for method in METHODS] == ["nasnet", *ENAS_METHODS]
    assert all(presets_of(method.name) for method in METHODS)


@pytest.mark.parametrize("method", ENAS_METHODS)
def test_a_method_opens_with_its_first_preset_and_offers_no_others(signed_in: Client, method: str) -> None:
    html = page(signed_in, f"/searches/new?method={method}")
    own = [preset for preset in SHARED_PRESETS if preset.config.method == method]
    assert list(embedded(html, "preset-values")) == [preset.name for preset in own]
    assert value_of(html, "shared.epochs") == str(own[0].config.shared.epochs)
    assert value_of(html, "method") == method
    assert re.search(rf'data-choose="{method}" aria-current="true"', html)


def test_a_preset_names_its_method_and_what_is_unknown_is_not_found(signed_in: Client) -> None:
    html = page(signed_in, f"/searches/new?preset={MACRO_DEMO.name}")
    assert value_of(html, "method") == "enas-macro"
    for address in ("?method=darts", "?method=nasnet&preset=enas-macro-demo", "?preset=none"):
        assert signed_in.get(f"/searches/new{address}").status_code == 404


@pytest.mark.parametrize("method", ENAS_METHODS)
def test_the_controllers_of_paper_and_scripts_can_be_filled_in(signed_in: Client, method: Any) -> None:
    html = page(signed_in, f"/searches/new?method={method}")
    values = embedded(html, "controller-values")
    assert list(values) == list(PRESET_NAMES)
    for name in PRESET_NAMES:
        preset = controller_preset(method, name)
        assert values[name]["strategy"] == preset.strategy.model_dump(mode="json")
        assert values[name]["controller"] == preset.controller.model_dump(mode="json")
    assert "data-controller" not in page(signed_in, "/searches/new")


def test_a_copy_of_a_search_opens_the_form_of_its_method(signed_in: Client, owner: User) -> None:
    config = MACRO_DEMO.config.model_copy(update={"name": "Mine"})
    search = start_search(owner, config)
    html = page(signed_in, f"/searches/new?clone={search.pk}")
    assert value_of(html, "method") == "enas-macro"
    assert value_of(html, "name") == "Mine (copy)"
    assert value_of(html, "space.layers") == str(config.space.layers)
    assert signed_in.get(f"/searches/new?clone={uuid.uuid4()}").status_code == 404
