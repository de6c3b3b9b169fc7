"""Every dialect through its one door."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.architectures.nas_bench_201 import NAS_BENCH_201_OPERATIONS, NasBench201Architecture
from search_engine.catalogue.published import published_names, read_published
from search_engine.errors import ArchitectureError
from search_engine.formats.dialects import DIALECTS, LONGEST_TEXT, CannotHold, Reading, dialect, read, write

NAMES = [each.name for each in DIALECTS]
TABLE = Path(__file__).parents[1] / "golden" / "dialects.txt"
NAS_BENCH_201 = NasBench201Architecture(
    ("nor_conv_3x3", "none", "skip_connect", "nor_conv_1x1", "avg_pool_3x3", "none")
)
ARCHITECTURES = {name: read_published(name).architecture for name in published_names()} | {"201": NAS_BENCH_201}
TEXTS = {
    f"{name} in {each}": text
    for name, architecture in ARCHITECTURES.items()
    for each in NAMES
    if isinstance(text := write(architecture, each), str)
}


def test_the_dialects_are_these():
    assert NAMES == ["json", "darts", "enas", "nni", "nasbench201"]
    assert dialect("darts").filename == "darts.txt"
    assert len({each.filename for each in DIALECTS}) == len(DIALECTS)


@pytest.mark.parametrize("place", TEXTS)
def test_every_entry_of_the_catalogue_comes_back_from_every_dialect_that_holds_it(place):
    name, each = place.split(" in ")
    reading = read(TEXTS[place])
    assert reading.dialect == each
    assert reading.architecture == ARCHITECTURES[name]
    assert reading.architecture.hash == ARCHITECTURES[name].hash
    assert read(TEXTS[place], each).architecture == ARCHITECTURES[name]


def test_which_dialect_holds_which_entry_and_why_not_is_a_file_to_read():
    """To write the file anew: python -m tests.engine.test_formats"""
    assert table() == TABLE.read_text(encoding="utf-8")


def table() -> str:
    lines = []
    for name in published_names():
        lines.append(f"{name}\n")
        for each in NAMES:
            text = write(ARCHITECTURES[name], each)
            lines.append(f"  {each:<12} {text.sentence if isinstance(text, CannotHold) else 'holds it'}\n")
    return "".join(lines)


@pytest.mark.parametrize("name", NAMES)
def test_a_dialect_says_no_in_one_sentence(name):
    for architecture in ARCHITECTURES.values():
        text = write(architecture, name)
        if isinstance(text, CannotHold):
            assert text.sentence.endswith(".") and "\n" not in text.sentence


@pytest.mark.parametrize("place", TEXTS)
def test_what_editors_and_web_pages_add_unseen_changes_nothing(place):
    name, _ = place.split(" in ")
    text = "\ufeff" + TEXTS[place].replace(" ", "\u00a0").replace("\n", "\r\n")
    assert read(text).architecture == ARCHITECTURES[name]


def test_our_json_is_read_inside_the_object_that_carries_it():
    architecture = ARCHITECTURES["darts-v2"]
    found = {"search": {"reward": 0.9}, "architecture": architecture.to_json()}
    assert read(json.dumps(found)) == Reading(architecture, "json", ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the text is empty."),
        (" \n\t", "the text is empty."),
        ("hello", "the text is nothing that is understood here, which is our JSON, a Genotype of DARTS, "),
        ("x" * (LONGEST_TEXT + 1), "the text has 100,001 characters; it can have 100,000."),
        ("{", "the text ends inside the JSON, on line 1."),
        ('{"format": 1,\n "kind": "ce', "the text ends inside the JSON, on line 2."),
        ('{"format": 1, kind', "line 1, column 15 is not JSON: "),
        ("{}", "format: is None; this program reads format 1."),
        ('{"a":' * 19_000, "the text ends inside the JSON|is no JSON of an architecture."),
        ('{"format": 1, "kind": "nas_bench_201", "operations": ["' + "x" * 90_000 + '"]}', "must have 6"),
        ('{"format": ' + "9" * 5_000 + "}", "the text is no JSON of an architecture."),
    ],
    ids=lambda value: value[:40],
)
def test_what_is_no_architecture_is_refused_in_one_sentence(text, message):
    with pytest.raises(ArchitectureError, match=message.replace("(", r"\(")) as caught:
        read(text)
    assert len(str(caught.value)) < 520


def test_a_dialect_that_is_not_spoken_is_refused_with_those_that_are():
    for attempt in (lambda: dialect("klingon"), lambda: read("1", "klingon"), lambda: write(NAS_BENCH_201, "klingon")):
        with pytest.raises(ArchitectureError, match="dialect: 'klingon' is unknown; must be one of json, darts, enas"):
            attempt()


@pytest.mark.parametrize("place", TEXTS)
def test_a_text_cut_anywhere_is_refused_or_means_a_whole_architecture(place):
    text = TEXTS[place]
    for end in range(0, len(text), max(1, len(text) // 40)):
        assert _is_read_or_refused(text[:end])


@pytest.mark.parametrize("place", [place for place in TEXTS if not place.endswith("in enas")])
def test_a_text_that_lacks_its_end_is_not_read(place):
    whole = TEXTS[place].rstrip()
    for lacking in (1, 2, 10):
        with pytest.raises(ArchitectureError, match="ends"):
            read(whole[:-lacking])


@given(st.one_of(st.text(), st.text("Genotype(normal=[]),'_0123456789 reduce\n#"), st.text('0123456789 \n,[]|~+:{}"')))
@settings(deadline=None, max_examples=150)
def test_no_text_gets_anything_but_an_architecture_or_a_sentence(text):
    assert _is_read_or_refused(text)
    for name in NAMES:
        assert _is_read_or_refused(text, name)


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_a_spoiled_text_gets_nothing_but_an_architecture_or_a_sentence(data):
    text = TEXTS[data.draw(st.sampled_from(sorted(TEXTS)))]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 8)))
    spoiled = text[:start] + data.draw(st.text(max_size=8)) + text[end:]
    assert _is_read_or_refused(spoiled)


KEYS = [
    "format",
    "kind",
    "normal",
    "reduction",
    "blocks",
    "concat",
    "layers",
    "nodes",
    "averaged",
    "operations",
    "inputs",
    "combination",
    "skips",
    "operation",
    "source",
    "activation",
]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner))


@given(TREES, st.sampled_from(["cells", "macro", "recurrent", "nas_bench_201"]))
@settings(deadline=None, max_examples=100)
def test_json_of_any_shape_gets_nothing_but_an_architecture_or_a_sentence(value, kind):
    whole = value if isinstance(value, dict) else {"normal": value}
    assert _is_read_or_refused(json.dumps(whole | {"format": 1, "kind": kind}))


@pytest.mark.parametrize("name", ["enas", "nni"])
def test_a_dialect_without_an_order_of_what_leaves_a_cell_gives_it_back_rising(name):
    architecture = ARCHITECTURES["enas-micro-paper"]
    turned = replace(architecture, normal=replace(architecture.normal, concat=(6, 2, 5, 3, 4)))
    back = read(write(turned, name)).architecture
    assert back == architecture and back.hash == turned.hash
    assert read(write(turned, "darts")).architecture == turned


@given(st.lists(st.sampled_from(NAS_BENCH_201_OPERATIONS), min_size=6, max_size=6))
def test_every_cell_of_nas_bench_201_comes_back_from_its_string(operations):
    architecture = NasBench201Architecture(tuple(operations))
    assert read(write(architecture, "nasbench201")).architecture == architecture


def _is_read_or_refused(text, name=None):
    try:
        return read(text, name).architecture.validated() is not None
    except ArchitectureError as error:
        return bool(error.message) and len(error.message) <= 420


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
