"""A Python client of the API, for scripts and notebooks. It needs neither Django nor PyTorch."""
