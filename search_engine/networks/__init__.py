"""From a network plan to torch modules."""
