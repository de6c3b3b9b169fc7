"""Architectures in the dialects of other programs: one file each; `dialects` is the door to all of them."""
