"""What a user decides: frozen models with range, unit, help and source of every field. No PyTorch.

The same models serve the form, the HTTP API, configuration files, database rows and the terminal. The help is written
for the person at the form; `title` is the label, `unit` and `source` stand beside it.
"""
