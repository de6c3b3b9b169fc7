"""The strings of NAS-Bench-201 (Dong and Yang 2020): `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`."""

import re

from search_engine.architectures.nas_bench_201 import NAS_BENCH_201_EDGES, NasBench201Architecture
from search_engine.architectures.reading import Architecture
from search_engine.errors import ArchitectureError
from search_engine.formats.base import KINDS, CannotHold, Found

_FORM = "|op~0|+|op~0|op~1|+|op~0|op~1|op~2|"
_EDGE = re.compile(r"(\w+)~(\d{1,3})", re.ASCII)


def read(text: str) -> Found:
    """Raises ArchitectureError at the node that is wrong, nodes counted from 1."""
    text = text.strip().strip("'\"").strip()
    nodes = text.split("+")
    if len(nodes) > 3:
        raise ArchitectureError("", f"the string has {len(nodes)} nodes; it is {_FORM}.")
    operations = [operation for number, node in enumerate(nodes, start=1) for operation in _node(node, number)]
    if len(nodes) < 3:
        raise ArchitectureError("", f"the string ends behind node {len(nodes)} of 3; it is {_FORM}.")
    return Found(NasBench201Architecture(tuple(operations)).validated())


def _node(text: str, number: int) -> list[str]:
    """The operations on the ways into a node, of which there are as many as nodes before it."""
    field, text = f"node {number}", text.strip()
    edges = text.strip("|").split("|")
    if len(edges) > number or not text.startswith("|"):
        raise ArchitectureError(field, f"is {text[:80]!r}; the string is {_FORM}.")
    if len(edges) < number or not text.endswith("|"):
        raise ArchitectureError(field, f"the string ends inside {text[-80:]!r}; it is {_FORM}.")
    operations = []
    for source, edge in enumerate(edges):
        match = _EDGE.fullmatch(edge.strip())
        if match is None or int(match[2]) != source:
            raise ArchitectureError(field, f"holds {edge[:80]!r}, where op~{source} stands; the string is {_FORM}.")
        operations.append(match[1])
    return operations


def write(architecture: Architecture) -> str | CannotHold:
    if not isinstance(architecture, NasBench201Architecture):
        kind = KINDS[architecture.kind]
        return CannotHold(f"A string of NAS-Bench-201 holds the six operations of its own cell; this is {kind}.")
    nodes: dict[int, str] = {}
    for (source, target), operation in zip(NAS_BENCH_201_EDGES, architecture.operations, strict=True):
        nodes[target] = nodes.get(target, "|") + f"{operation}~{source}|"
    return "+".join(nodes[target] for target in sorted(nodes)) + "\n"
