"""Published architectures, one JSON file each, with their source. No PyTorch."""
