"""Cells as pictures: rows, then places, then SVG. No PyTorch."""
