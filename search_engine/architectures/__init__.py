"""Architectures as values: immutable, comparable, each kind with one JSON form and one canonical hash. No PyTorch."""
