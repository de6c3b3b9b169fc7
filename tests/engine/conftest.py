"""One computing thread for every engine test: results then do not hang on the machine, nor does its load on theirs."""

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
