"""A configuration as headings and rows, for a page that shows what something was started with."""

from collections.abc import Sequence
from typing import Any

from search_engine.config.base import Config
from search_engine.config.data import DataConfig
from search_engine.config.language import OWN
from search_engine.data.descriptions import DatasetDescription
from search_engine.data.own_set import sha256_of_own
from search_engine.data.texts import TextDescription
from webapp.searches.datasets.described import describe
from webapp.searches.datasets.texts import text_shown
from webapp.searches.models import Event, Stream
from webapp.searches.pages.forms import FormField, describe_form, is_there

Section = dict[str, Any]  # {"heading", "rows": [{"title", "value"}]}

_RECORDED = {"origin": "Origin", "licence": "Licence", "sha256": "SHA-256"}  # Of the data, beside the settings.
_BOUNDS = {f"bounds.{name}" for name in ("parameters", "mult_adds", "latency_ms")}  # At most 0 would let nothing in.
_ORIGINS = {
    "embedded": "part of this program",
    "download": "downloaded from its authors",
    "own": "your own images",
    "local": "your own text",
}


def started_with(model: type[Config], stream: Stream, config: dict[str, Any]) -> list[Section]:
    """All settings of a search or training, and which images they were, as its first event recorded them.

    What the settings of an earlier version did not name is shown as the default that it has today.
    """
    values = model.model_validate(config).model_dump(mode="json")
    sections = settings_shown(model, values, _own_of(values["data"], stream.owner))
    data = Event.objects.get(stream_id=stream.pk, number=1).payload["data"]
    rows = [{"title": title, "value": _ORIGINS.get(data[name], data[name])} for name, title in _RECORDED.items()]
    next(section for section in sections if section["heading"] == DataConfig.heading)["rows"] += rows
    return sections


def settings_shown(
    model: type[Config], values: dict[str, Any], own: Sequence[DatasetDescription | TextDescription] = ()
) -> list[Section]:
    """Every setting in the order of the form, without those that belong to a choice that was not made.

    own: the images or the text that the settings name, where they are somebody's own.
    """
    sections: list[Section] = []
    for fieldset in describe_form(model, values, own):
        shown = [field for field in fieldset.fields if field.kind != "fixed" and is_there(field, fieldset.fields)]
        rows = [{"title": field.label, "value": _value(field)} for field in shown if field.path != "name"]
        if rows:
            sections.append({"heading": fieldset.heading, "rows": rows})
    return sections


def _own_of(data: dict[str, Any], owner: Any) -> list[DatasetDescription | TextDescription]:
    """The images or the text of its owner that it was started with, if it was."""
    if sha256_of_own(data["name"]):
        return [describe(data["name"])]
    text = text_shown(owner, data["own"]) if data["name"] == OWN else None
    return [text] if text else []


def _value(field: FormField) -> str:
    if field.kind == "boolean":
        return "yes" if field.is_ticked else "no"
    if field.kind == "ticks":
        chosen = [choice.title for choice in field.choices if choice.is_chosen]
        everything = len(chosen) == len(field.choices)
        return f"all {len(chosen)}" if everything else ", ".join(chosen)
    if field.kind == "cards":
        return next((choice.title for choice in field.choices if choice.is_chosen), field.text)
    if field.path in _BOUNDS and float(field.text) == 0:
        return "no bound"
    return f"{field.text} {field.unit}".strip()
