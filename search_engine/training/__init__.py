"""Training networks: plain functions over tensors."""
