"""The start forms, described from the configuration models: nothing about a field is written a second time here.

A form is a tuple of fieldsets; the templates draw them and the page's script sends what was typed to the API, which
checks it by the very same models.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from pydantic.fields import FieldInfo

from search_engine.config.base import Config
from search_engine.config.enas_search import EnasSearchConfig
from search_engine.config.language import OWN, TextDataConfig
from search_engine.data.descriptions import DESCRIPTIONS, DatasetDescription
from search_engine.data.texts import TEXTS, TextDescription
from webapp.searches.datasets.samples import address_of

DATA_NAME = "data.name"  # Its options are the described data sets, or texts.
OWN_TEXT = "data.own"  # Its options are a person's own texts.
# What a newcomer decides; everything else waits under "More settings". A test holds these against the models.
ESSENTIAL = frozenset({
    "name", "space.blocks", "space.operations", "strategy.kind", "strategy.step_size", "strategy.learning_rate",
    "child.normal_cells", "child.filters", "layout.normal_cells", "layout.filters", "recipe.epochs",
    "recipe.batch_size", "recipe.learning_rate", DATA_NAME, OWN_TEXT, "data.image_size", "data.train_examples",
    "data.held_out_examples", "layout.hidden", "budget.children", "reproducibility.seed",
    "space.nodes", "space.layers", "space.activations", "supernet.normal_cells", "supernet.filters", "supernet.hidden",
    "shared.epochs", "shared.batch_size", "shared.learning_rate", "phases.rounds", "deriving.candidates",
    "deriving.train", "derived.normal_cells", "derived.filters", "derived.hidden", "derived_recipe.epochs",
    "derived_recipe.learning_rate",
})  # fmt: skip
# Headings of parts whose model has another one where it stands alone.
HEADINGS = {"derived": "Network trained from scratch", "derived_recipe": "Training from scratch"}
NOT_ASKED = frozenset({"strategy.lookahead"})  # Of searches with shared weights, which allow one value alone.
DECIDED_ELSEWHERE = frozenset({"layout"})  # Unions that no field chooses in: the architecture's kind does.
KIND_TITLES = {
    "reinforce": "REINFORCE controller",
    "ppo": "PPO controller",
    "ppo-replay": "PPO with a memory",
    "evolution": "Regularized evolution",
    "local": "Local search",
    "random": "Uniform random",
}

_OWN_HELP = "One that you uploaded on the page Data."

FieldKind = Literal["integer", "number", "boolean", "choice", "cards", "ticks", "text", "fixed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One option of a field. text: its value in the form; is_chosen: now.

    data: the data set that it is, whose size the form fits its numbers to; picture: where samples of it are, or "".
    fills: JSON, the values by path with which this choice begins where nobody chose them; or "".
    """

    text: str
    title: str
    help: str = ""
    is_chosen: bool = False
    data: DatasetDescription | None = None
    picture: str = ""
    fills: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One value of a configuration.

    path: dotted, as errors name it. text: the current value as one would type it. belongs_to: the values of another
    field, between spaces, with which alone this one is there; "" when it always is. chooser: the path of that field.
    """

    path: str
    kind: FieldKind
    label: str
    help: str = ""
    unit: str = ""
    source: str = ""
    limits: str = ""
    text: str = ""
    is_ticked: bool = False
    choices: tuple[Choice, ...] = ()
    belongs_to: str = ""
    chooser: str = ""

    @property
    def id(self) -> str:
        return "field-" + self.path.replace(".", "-")

    @property
    def is_essential(self) -> bool:
        return self.path in ESSENTIAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Fieldset:
    """Fields under one heading; the rarer ones apart."""

    id: str
    heading: str
    fields: tuple[FormField, ...]

    @property
    def essential(self) -> tuple[FormField, ...]:
        return tuple(field for field in self.fields if field.is_essential or field.kind == "fixed")

    @property
    def more(self) -> tuple[FormField, ...]:
        return tuple(field for field in self.fields if not field.is_essential and field.kind != "fixed")


def describe_form(
    model: type[Config], values: dict[str, Any], own: Sequence[DatasetDescription | TextDescription] = ()
) -> tuple[Fieldset, ...]:
    """The form of a configuration. values: its current JSON form, complete; parts that are no fields are left out.

    own: images and texts of the person who looks, to choose from beside the known ones.
    """
    fieldsets: list[Fieldset] = []
    loose: list[FormField] = []
    for name, info in model.model_fields.items():
        parts = _parts(info.annotation)
        if name in DECIDED_ELSEWHERE:
            parts = tuple(part for part in parts if part.model_fields["kind"].default == values[name]["kind"])
        if parts:
            fields = _asked(model, _fields_of_parts(parts, f"{name}.", values[name]))
            fieldsets.append(Fieldset(id=name, heading=HEADINGS.get(name, parts[0].heading), fields=fields))
        elif _kind(name, info) is not None:  # An architecture has no field.
            loose.append(_field(name, info, "", values[name]))
    form = (Fieldset(id="general", heading="", fields=tuple(loose)), *fieldsets)
    return tuple(_with_own_sets(fieldset, own) for fieldset in form) if own else form


def _asked(model: type[Config], fields: tuple[FormField, ...]) -> tuple[FormField, ...]:
    """Those that a person can decide."""
    not_asked = NOT_ASKED if issubclass(model, EnasSearchConfig) else frozenset()
    return tuple(field for field in fields if field.path not in not_asked)


def _with_own_sets(fieldset: Fieldset, own: Sequence[DatasetDescription | TextDescription]) -> Fieldset:
    """The same, where a data set is chosen with a person's own sets behind the known ones."""
    images = [each for each in own if isinstance(each, DatasetDescription)]
    texts = [each for each in own if isinstance(each, TextDescription)]
    reads_text = any(field.path == OWN_TEXT for field in fieldset.fields)

    def with_own(field: FormField) -> FormField:
        more: tuple[Choice, ...] = ()
        if field.path == OWN_TEXT:
            chosen = field.text or next((text.sha256 for text in texts), "")
            more = tuple(_own_text_choice(text, chosen) for text in texts)
        elif field.path == DATA_NAME and reads_text and texts:
            more = (Choice(text=OWN, title="A text of yours", help=_OWN_HELP, is_chosen=field.text == OWN),)
        elif field.path == DATA_NAME and not reads_text:
            more = tuple(_data_choice(data, field.text) for data in images)
        return replace(field, choices=field.choices + more)

    return replace(fieldset, fields=tuple(with_own(field) for field in fieldset.fields))


def number_text(value: float) -> str:
    """A number as one would type it: 0.00001, never 1e-05."""
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def _parts(annotation: Any) -> tuple[type[Config], ...]:
    """The configuration models among which this field chooses; () when it holds a plain value."""
    options = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return tuple(part for part in options if isinstance(part, type) and issubclass(part, Config))


def _fields_of_parts(parts: tuple[type[Config], ...], prefix: str, values: dict[str, Any]) -> tuple[FormField, ...]:
    """The fields of one model; of several, their choice and then each field once, with the models that have it."""
    if len(parts) == 1:
        return tuple(_field(name, info, prefix, values[name]) for name, info in parts[0].model_fields.items())
    kinds = {part.model_fields["kind"].default: part for part in parts}
    fields = [_choice_of_kind(kinds, prefix, values["kind"])]
    seen: dict[str, tuple[FieldInfo, list[str]]] = {}
    for kind, part in kinds.items():
        for name, info in part.model_fields.items():
            if name != "kind":
                seen.setdefault(name, (info, []))[1].append(kind)
    for name, (info, owners) in seen.items():
        belongs_to = "" if len(owners) == len(kinds) else " ".join(owners)
        fields.append(_field(name, info, prefix, values.get(name, info.default), belongs_to))
    return tuple(fields)


def _choice_of_kind(kinds: dict[str, type[Config]], prefix: str, current: str) -> FormField:
    choices = tuple(
        Choice(text=kind, title=KIND_TITLES[kind], help=_first_sentence(part), is_chosen=kind == current,
               fills=_own_defaults(kinds, kind, prefix))
        for kind, part in kinds.items()
    )  # fmt: skip
    return FormField(path=f"{prefix}kind", kind="cards", label="Strategy", choices=choices, text=current)


def _own_defaults(kinds: dict[str, type[Config]], kind: str, prefix: str) -> str:
    """What a model starts from in fields that some models have and not all, as JSON: the form holds each once."""
    common = set.intersection(*(set(part.model_fields) for part in kinds.values()))
    fills = {f"{prefix}{name}": info.default for name, info in kinds[kind].model_fields.items() if name not in common}
    return json.dumps(fills) if fills else ""


def _first_sentence(part: type[Config]) -> str:
    return (part.__doc__ or "").split("\n")[0]


def _field(name: str, info: FieldInfo, prefix: str, value: Any, belongs_to: str = "") -> FormField:
    path = prefix + name
    kind = _kind(path, info)
    chooser = f"{prefix}kind" if belongs_to else ""
    assert kind is not None, f"{path} has a type that the form cannot show"
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    only_with = extra.get("only_with")
    if isinstance(only_with, dict):
        assert not belongs_to, f"{path} would belong to two choices"
        [(sibling, wanted)] = only_with.items()
        chooser, belongs_to = prefix + sibling, str(wanted)
    return FormField(
        path=path,
        kind=kind,
        label=info.title or name,
        help=info.description or "",
        unit=str(extra.get("unit") or ""),
        source=str(extra.get("source") or ""),
        limits=_limits(info) if kind in ("integer", "number") else "",
        text=_text(value),
        is_ticked=value is True,
        choices=_choices(path, info, value),
        belongs_to=belongs_to,
        chooser=chooser,
    )


def is_there(field: FormField, fields: tuple[FormField, ...]) -> bool:
    """Whether the choice is made, among the fields of its fieldset, with which alone the field has a meaning."""
    if not field.belongs_to:
        return True
    chooser = next(other for other in fields if other.path == field.chooser)
    chosen = str(chooser.is_ticked).lower() if chooser.kind == "boolean" else chooser.text
    return chosen in field.belongs_to.split()


def _kind(path: str, info: FieldInfo) -> FieldKind | None:
    """How the field is shown; None for what no form shows, such as an architecture."""
    if info.annotation == tuple[str, ...]:
        return "ticks"
    if path in (DATA_NAME, OWN_TEXT):
        return "cards"
    if get_origin(info.annotation) is Literal:
        return "choice" if len(get_args(info.annotation)) > 1 else "fixed"
    plain: dict[Any, FieldKind] = {int: "integer", float: "number", bool: "boolean", str: "text"}
    return plain.get(info.annotation)


def _choices(path: str, info: FieldInfo, value: Any) -> tuple[Choice, ...]:
    if info.annotation == tuple[str, ...]:  # The default is everything that can be ticked.
        return tuple(Choice(text=t, title=t.replace("_", " "), is_chosen=t in value) for t in info.default)
    if info is TextDataConfig.model_fields["name"]:
        return tuple(Choice(text=t.name, title=t.title, help=text_help(t), is_chosen=t.name == value) for t in TEXTS)
    if path == DATA_NAME:
        return tuple(_data_choice(data, value) for data in DESCRIPTIONS)
    if get_origin(info.annotation) is Literal:
        return tuple(Choice(text=str(t), title=str(t), is_chosen=t == value) for t in get_args(info.annotation))
    return ()


def _data_choice(data: DatasetDescription, chosen: str) -> Choice:
    return Choice(
        text=data.name, title=data.title, help=data_help(data), is_chosen=data.name == chosen, data=data,
        picture=address_of(data),
    )  # fmt: skip


def data_help(data: DatasetDescription) -> str:
    """What a data set holds, in a sentence."""
    colour = "grey" if data.channels == 1 else "colour"
    origin = "comes along" if data.bytes == 0 else f"downloaded once, {data.bytes / 1e6:.0f} MB"
    origin = "your own" if data.origin == "own" else origin
    return (
        f"{data.train_examples:,} training and {data.test_examples:,} test images, {colour}, "
        f"{data.image_size} pixels, {len(data.classes)} classes; {origin}."
    )


def _own_text_choice(text: TextDescription, chosen: str) -> Choice:
    return Choice(text=text.sha256, title=text.title, help=text_help(text), is_chosen=text.sha256 == chosen)


def text_help(text: TextDescription) -> str:
    """What a text holds, in a sentence."""
    origin = "comes along" if text.origin == "embedded" else "your own"
    return (
        f"{text.train_tokens:,} {text.level} to train on, {text.valid_tokens:,} to validate and {text.test_tokens:,} "
        f"to test, {text.vocabulary:,} different ones; {origin}."
    )


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None or isinstance(value, (list, tuple)):
        return ""
    return number_text(value) if isinstance(value, (int, float)) else str(value)


def _limits(info: FieldInfo) -> str:
    """The range in words: "1 to 7", "above 0, at most 1"."""
    found = {type(limit): limit for limit in info.metadata}
    low = found.get(Ge) or found.get(Gt)
    high = found.get(Le) or found.get(Lt)
    words = []
    if isinstance(low, Ge) and isinstance(high, Le):
        words.append(f"{_bound(low.ge)} to {_bound(high.le)}")
    else:
        if low is not None:
            words.append(f"at least {_bound(low.ge)}" if isinstance(low, Ge) else f"above {_bound(low.gt)}")
        if high is not None:
            words.append(f"at most {_bound(high.le)}" if isinstance(high, Le) else f"below {_bound(high.lt)}")
    if MultipleOf in found:
        words.append(f"a multiple of {found[MultipleOf].multiple_of}")
    return ", ".join(words)


def _bound(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else number_text(value)
