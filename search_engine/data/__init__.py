"""Data sets: descriptions without PyTorch, and bodies that yield seeded device batches."""
