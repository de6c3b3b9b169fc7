import pytest
import torch

from search_engine.config.recipe import RecipeConfig
from search_engine.errors import ConfigError
from search_engine.training import precision
from search_engine.training.precision import has_bfloat16, must_compute_on

SIXTEEN = RecipeConfig(precision="bfloat16")


def test_the_cpu_computes_in_bfloat16():
    assert has_bfloat16(torch.device("cpu"))
    must_compute_on(SIXTEEN, torch.device("cpu"))


def test_a_device_that_cannot_convolve_so_lacks_it():
    assert not has_bfloat16(torch.device("meta"))


def test_a_device_that_lacks_it_is_refused_at_the_field(monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16", lambda _: False)
    with pytest.raises(ConfigError, match='is "bfloat16"; the device cpu lacks it') as refused:
        must_compute_on(SIXTEEN, torch.device("cpu"))
    assert refused.value.field == "recipe.precision"
    must_compute_on(RecipeConfig(), torch.device("cpu"))


@pytest.mark.parametrize("native", [True, False])
def test_a_gpu_that_only_imitates_it_lacks_it(monkeypatch, native):
    def is_supported(*, including_emulation):
        assert not including_emulation
        return native

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", is_supported)
    assert has_bfloat16(torch.device("cuda")) is native
