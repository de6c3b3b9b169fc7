"""`describe --space`: what a search has besides its children."""

import json

import pytest

from search_engine.__main__ import main

RELEASED = ("--preset", "released", "--json")


@pytest.fixture
def describe(capsys):
    def type_command(*flags):
        status = main(["describe", *flags])
        typed = capsys.readouterr()
        return status, typed.out, typed.err

    return type_command


@pytest.fixture
def figures(describe):
    return lambda *flags: json.loads(describe(*flags)[1])


@pytest.mark.parametrize(
    ("space", "parameters"), [("enas-micro", 41_733), ("enas-macro", 41_856), ("enas-recurrent", 101_000)]
)
def test_released_controllers_have_their_published_sizes(figures, space, parameters):
    found = figures("--space", space, "--controller", *RELEASED)
    assert found["parameters"] == found["parameters_with_auxiliary"] == parameters
    assert sum(row["parameters"] for row in found["layers"]) == parameters


@pytest.mark.parametrize(
    ("space", "sums"),
    [
        ("enas-micro", {"parameters": 5_373_140, "parameters_with_auxiliary": 5_373_140 + 412_928}),
        ("enas-macro", {"parameters": 697_860, "parameters_with_auxiliary": 697_860}),
        (
            "enas-recurrent",
            {
                "parameters": 289_209_600,
                "parameters_with_auxiliary": 289_209_600,
                "parameters_with_batch_norm": 289_209_600 + 36_000,
            },
        ),
    ],
)
def test_released_shared_networks_have_their_published_sizes(figures, space, sums):
    found = figures("--space", space, "--supernet", *RELEASED)
    layers = found.pop("layers")
    assert found == sums
    assert sum(row["parameters"] for row in layers) == max(sums.values())


def test_the_controller_of_nasnet_is_the_one_of_its_searches(figures):
    assert figures("--space", "nasnet", "--controller", "--json")["parameters"] == 80_800 + 360 * 101 + 22 * 100


def test_hidden_size_and_vocabulary_can_be_given(figures):
    found = figures("--space", "enas-recurrent", "--supernet", "--hidden", "10", "--vocabulary", "7", "--json")
    assert found["parameters"] == 70 + 2 * 200 + 66 * 200  # Embedding; word and state; a matrix for each pair.


def test_a_table_ends_in_its_sums(describe):
    lines = describe("--space", "enas-macro", "--controller")[1].splitlines()
    assert lines[0].split() == ["start", "64", "64"]
    assert lines[-2].split() == ["parameters", "41,856"]


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ((), "ARCH: is missing; name an architecture, or a search by --space."),
        (("nasnet-a", "--controller"), "--controller: belongs to --space."),
        (("nasnet-a", "--preset", "paper"), "--preset: belongs to --space."),
        (("nasnet-a", "--space", "enas-micro", "--controller"), "ARCH: has no meaning for a space."),
        (("--space", "enas-micro", "--controller", "--filters", "4"), "--filters: has no meaning for a space."),
        (("--space", "enas-micro", "--controller", "--classes", "4"), "--classes: has no meaning for a controller."),
        (("--space", "enas-micro", "--supernet", "--hidden", "4"), "--hidden: has no meaning for a search on images."),
        (
            ("--space", "enas-recurrent", "--supernet", "--classes", "4"),
            "--classes: has no meaning for a recurrent search.",
        ),
        (
            ("--space", "nasnet", "--supernet"),
            "--supernet: has no meaning for the space nasnet, whose children share no weights.",
        ),
        (
            ("--space", "enas-micro"),
            "--space: needs either --supernet or --controller: which of its networks is described.",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_sentence(describe, flags, sentence):
    status, out, err = describe(*flags)
    assert (status, out, err) == (2, "", f"{sentence}\n")
