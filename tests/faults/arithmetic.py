"""What this machine's arithmetic is, as one digest: networks trained on different processors differ in the last bits.

A fixed little network is trained by PyTorch alone. Where the digest is the same, so should be what a version of this
program computed elsewhere; where it is another, fingerprints of two machines cannot be compared.
"""

import hashlib

import torch
from torch.nn import functional

STEPS = 12


def arithmetic() -> str:
    """SHA-256 of the weights after some steps on one thread, with the version of PyTorch."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return hashlib.sha256(torch.__version__.encode() + _trained()).hexdigest()
    finally:
        torch.set_num_threads(threads)


def _trained() -> bytes:
    generator = torch.Generator().manual_seed(1)
    shapes = {"first": (4, 1, 3, 3), "deep": (4, 1, 5, 5), "point": (8, 4, 1, 1), "last": (10, 8)}
    weights = {name: torch.randn(shape, generator=generator).mul_(0.3) for name, shape in shapes.items()}
    for weight in weights.values():
        weight.requires_grad_()
    for step in range(STEPS):
        images = torch.randn(50 if step % 2 else 32, 1, 8, 8, generator=generator)
        labels = torch.randint(10, (images.shape[0],), generator=generator)
        values = functional.conv2d(images, weights["first"], padding=1)
        values = functional.batch_norm(values, None, None, training=True).relu()
        values = functional.conv2d(values, weights["deep"], padding=2, groups=4)
        values = functional.max_pool2d(functional.conv2d(values, weights["point"]), 3, 2, 1).relu()
        loss = functional.cross_entropy(values.mean((2, 3)) @ weights["last"].T, labels)
        for weight, gradient in zip(weights.values(), torch.autograd.grad(loss, list(weights.values())), strict=True):
            with torch.no_grad():
                weight.sub_(gradient, alpha=0.1)
    return b"".join(weight.detach().numpy().tobytes() for weight in weights.values())
