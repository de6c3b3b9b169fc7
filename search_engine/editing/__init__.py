"""Architectures changed by hand, part by part: what may stand where, why not, what an edit makes. No PyTorch."""
