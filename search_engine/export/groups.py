"""The parts of a plan that a person would give a name: everything under one first name, such as a cell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search_engine.export.motifs import Motif, motifs_of
from search_engine.layers import IMAGE, Layer
from search_engine.network_plan import NetworkPlan

# What these compute is written where it is used, so it belongs to nobody.
DERIVED = frozenset({"relu", "max_pool", "avg_pool", "subsample", "zeros", "global_pool", "drop_path"})


@dataclass(frozen=True, slots=True)
class Group:
    """The values of one first name.

    values: names of its layers that have a value of their own, in order. motifs: its modules, in order.
    reads: for each value, the values that it is computed from. inputs: those of them that belong to others.
    outputs: its values that others read, or that the network gives.
    """

    name: str
    layers: Mapping[str, Layer]
    motifs: tuple[Motif, ...]
    reads: Mapping[str, tuple[str, ...]]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(self.reads)

    @property
    def is_cell(self) -> bool:
        """Worth a class of its own."""
        return len(self.motifs) > 1 and len(self.outputs) == 1

    def uses(self, value: str) -> int:
        """How often its own values are computed from this one."""
        return sum(read.count(value) for read in self.reads.values())

    def local(self, name: str) -> list[str]:
        """The parts of a name behind the group's own; the group's own name where that is all."""
        return name.split(".")[1:] or [name]


def groups_of(plan: NetworkPlan) -> list[Group]:
    """The groups of a plan in the order of their first values."""
    layers = {layer.name: layer for layer in plan.layers}
    motifs = motifs_of(layers)
    by_output = {motif.output: motif for motif in motifs}
    inside = {name for motif in motifs for name in motif.covers} - by_output.keys()
    reads = {
        name: _reads(name, layers, by_output)
        for name, layer in layers.items()
        if layer.kind not in DERIVED and name not in inside
    }
    names = dict.fromkeys(first_name(value) for value in reads)
    return [_group(name, layers, motifs, reads, plan.output) for name in names]


def first_name(value: str) -> str:
    return value.split(".")[0]


def _reads(name: str, layers: Mapping[str, Layer], motifs: Mapping[str, Motif]) -> tuple[str, ...]:
    sources = (motifs[name].source,) if name in motifs else layers[name].inputs
    return tuple(_root(source, layers) for source in sources)


def _root(name: str, layers: Mapping[str, Layer]) -> str:
    """The value behind what is written where it is used."""
    while name != IMAGE and layers[name].kind in DERIVED:
        name = layers[name].inputs[0]
    return name


def _group(
    name: str,
    layers: Mapping[str, Layer],
    motifs: Sequence[Motif],
    reads: Mapping[str, tuple[str, ...]],
    last: str,
) -> Group:
    own = {value: read for value, read in reads.items() if first_name(value) == name}
    read_by_others = {source for value, read in reads.items() if value not in own for source in read}
    return Group(
        name,
        layers,
        tuple(motif for motif in motifs if motif.output in own),
        own,
        tuple(dict.fromkeys(source for read in own.values() for source in read if source not in own)),
        tuple(value for value in own if value == last or value in read_by_others),
    )
