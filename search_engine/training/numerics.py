"""What fixes rounding: set once per process, by whoever starts it; the engine's other modules leave it alone."""

import torch

# Grows when the same configuration would compute other bits: another order of operations, another draw of weights.
NUMERICS_VERSION = 1


def set_numerics(threads: int) -> None:
    """Compute with this many threads, deterministically.

    One and two threads round differently, so the number is part of a configuration. For process entry points only
    (trainer, terminal, tests): it changes the whole process.
    """
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    # Deterministic mode also fills fresh memory with NaN, which no result of ours depends on and which costs time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
