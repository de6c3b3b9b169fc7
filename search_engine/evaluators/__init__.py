"""Evaluators: they give an architecture its reward."""
