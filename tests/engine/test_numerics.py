import torch

from search_engine.training.numerics import NUMERICS_VERSION, set_numerics


def test_threads_and_determinism_are_set_for_the_process():
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    try:
        set_numerics(1)
        assert torch.get_num_threads() == 1
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.utils.deterministic.fill_uninitialized_memory
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)


def test_the_version_of_the_numerics_is_a_number_that_can_grow():
    assert NUMERICS_VERSION >= 1
