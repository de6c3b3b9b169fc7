"""Search strategies: they propose architectures and learn from rewards, by ask and tell."""
