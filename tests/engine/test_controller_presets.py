import pytest

from search_engine.config.controller_presets import PRESET_NAMES, controller_preset, default, paper, released
from search_engine.config.supernet_presets import supernet_preset

KINDS = ("enas-micro", "enas-macro", "enas-recurrent")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PRESET_NAMES)
def test_a_preset_is_of_its_kind(kind, name):
    assert controller_preset(kind, name).controller.kind == kind
    assert {part.kind for part in supernet_preset(kind, name)} == {kind}


@pytest.mark.parametrize(
    ("kind", "tanh_constant", "step_size", "learning_rate", "entropy_weight", "hidden_size", "temperature"),
    [
        ("enas-micro", 1.1, 10, 0.0035, 0.0001, 64, 1),
        ("enas-macro", 1.5, 20, 0.001, 0.0001, 64, 1),
        ("enas-recurrent", 2.5, 10, 0.001, 0.001, 100, 5),
    ],
)
def test_released_controllers_have_the_numbers_of_the_scripts(
    kind, tanh_constant, step_size, learning_rate, entropy_weight, hidden_size, temperature
):
    strategy, controller = released(kind)
    assert (controller.tanh_constant, controller.temperature) == (tanh_constant, temperature)
    assert (strategy.step_size, strategy.learning_rate) == (step_size, learning_rate)
    assert (strategy.entropy_weight, strategy.hidden_size) == (entropy_weight, hidden_size)
    assert (strategy.baseline_decay, strategy.baseline_rule) == (0.99, "architecture")
    assert (controller.adam_beta1, controller.adam_epsilon, strategy.gradient_clip) == (0, 0.001, 0)
    assert strategy.entropy_bonus == ("reward" if kind == "enas-micro" else "reward-drawn")


@pytest.mark.parametrize(("kind", "entropy_weight"), [(KINDS[0], 0.1), (KINDS[1], 0.1), (KINDS[2], 0.0001)])
def test_printed_controllers_have_the_numbers_of_the_paper(kind, entropy_weight):
    strategy, controller = paper(kind)
    assert (controller.tanh_constant, controller.temperature) == (2.5, 5)
    assert (strategy.step_size, strategy.learning_rate, strategy.hidden_size) == (1, 0.00035, 100)
    assert strategy.entropy_weight == entropy_weight
    assert strategy.entropy_bonus == "reward"  # To which the paper adds it.


@pytest.mark.parametrize("kind", KINDS)
def test_the_default_mends_what_the_scripts_do_wrong(kind):
    strategy, controller = default(kind)
    assert (strategy.entropy_bonus, strategy.baseline_rule) == ("loss", "round")
    if kind == "enas-macro":
        assert (controller.skip_penalty, released(kind).controller.skip_penalty) == ("probability", "released")
    if kind == "enas-micro":
        assert (controller.operation_bias, released(kind).controller.operation_bias) == ("fixed", "released")
