"""Architectures of every kind as pictures: places, then SVG, in one language of shapes and colours. No PyTorch."""
