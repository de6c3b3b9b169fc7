"""Neural architecture search: spaces, strategies, evaluators and the loop that joins them.

Knows no web framework, reads no settings, and takes its device as an argument.
Modules are imported one by one; nothing is re-exported here, so that a web process
can use the configuration without loading PyTorch.
"""
