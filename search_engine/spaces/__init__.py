"""Search spaces: sequences of categorical decisions, and what they decode to. No PyTorch."""
