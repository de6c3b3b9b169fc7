import math

import pytest
import torch

from search_engine.config.controller import MacroControllerConfig
from search_engine.config.space import EnasMacroSpaceConfig
from search_engine.spaces.build import build_space
from search_engine.strategies.controller import Scores
from search_engine.strategies.controller_program import Bits, program_of
from search_engine.strategies.program_controller import ProgramController
from search_engine.strategies.skip_penalty import skip_penalty

PENALTIES = ["probability", "released"]


def scores_of(logits):
    """Of decisions with two options each; logits: of the second against the first, [B, D]."""
    pairs = torch.stack([torch.zeros_like(logits), logits], dim=2).log_softmax(dim=2)
    return Scores(pairs[:, :, 0], pairs[:, :, 0], pairs)


@pytest.mark.parametrize("kind", PENALTIES)
def test_an_undecided_pair_costs_what_the_fact_sheet_says(kind):
    config = MacroControllerConfig(skip_penalty=kind)
    by_hand = 0.5 * math.log(0.5 / 0.6) + 0.5 * math.log(0.5 / 0.4)
    assert by_hand == pytest.approx(0.020411, abs=5e-7)
    found = skip_penalty(scores_of(torch.zeros(2, 1)), [Bits(0, 1, 1.5)], config)
    assert found.item() == pytest.approx(by_hand, abs=1e-7)


@pytest.mark.parametrize("kind", PENALTIES)
def test_a_fresh_controller_pays_for_66_pairs_over_eleven_layers(kind):
    config = MacroControllerConfig(skip_penalty=kind)
    program = program_of(build_space(EnasMacroSpaceConfig()).decisions, config)
    generator = torch.Generator().manual_seed(1)
    policy = ProgramController(program, hidden_size=64, init_range=1e-6, generator=generator)
    found = skip_penalty(policy.draw(4, generator)[1], program.skips, config).item()
    assert found == pytest.approx(0.122466, abs=1e-6)
    assert config.skip_weight * found == pytest.approx(0.097973, abs=1e-6)


@pytest.mark.parametrize(("kind", "rate"), [("probability", 0.4), ("released", 0.307692)])
def test_the_penalty_is_least_at_the_rate_it_pulls_to(kind, rate):
    config = MacroControllerConfig(skip_penalty=kind)
    logits = torch.linspace(-3, 3, 60_001)
    costs = torch.stack(
        [skip_penalty(scores_of(logit.reshape(1, 1)), [Bits(0, 1, 1.5)], config) for logit in logits[::50]]
    )
    least = int(costs.argmin())
    assert logits[::50][least].sigmoid().item() == pytest.approx(rate, abs=0.002)
    assert costs[least].item() == pytest.approx(0, abs=1e-5)


def test_pairs_of_a_layer_are_summed_and_layers_and_architectures_averaged():
    config = MacroControllerConfig()
    logits = torch.tensor([[0.0, 1.0, -1.0], [0.5, 0.0, 2.0]])
    rates = logits.sigmoid().tolist()

    def cost(rate):
        return rate * math.log(rate / 0.4) + (1 - rate) * math.log((1 - rate) / 0.6)

    by_hand = sum((cost(one[0]) + (cost(one[1]) + cost(one[2]))) / 2 for one in rates) / 2
    found = skip_penalty(scores_of(logits), [Bits(0, 1, 1.5), Bits(1, 2, 1.5)], config)
    assert found.item() == pytest.approx(by_hand, abs=1e-6)


@pytest.mark.parametrize("kind", PENALTIES)
def test_a_policy_that_is_quite_sure_has_a_penalty_and_a_gradient(kind):
    logits = torch.tensor([[1000.0, -1000.0]], requires_grad=True)
    found = skip_penalty(scores_of(logits), [Bits(0, 2, 1.5)], MacroControllerConfig(skip_penalty=kind))
    found.backward()
    assert found.item() == pytest.approx(math.log(1 / 0.4) + math.log(1 / 0.6))
    assert bool(logits.grad.isfinite().all())
