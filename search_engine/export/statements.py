"""The values of a group as lines of Python."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from search_engine.export.groups import DERIVED, Group
from search_engine.layers import Layer

_LAST_WORDS = ("add", "concat", "batch_norm", "conv", "linear")  # How a block ends says nothing about what it is.


@dataclass(slots=True)
class Statements:
    """Lines that compute the outputs of a group.

    arguments: the variable of each input. owner: the Python of the module that holds the group's modules.
    variables: after `write`, the name of every value that got one.
    """

    group: Group
    arguments: Mapping[str, str]
    owner: str = "self"
    prefix: str = ""
    lines: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)

    def write(self) -> list[str]:
        """An expression for each output, after the lines that they need."""
        for value in self.group.values:
            if self._has_variable(value):
                self._value(value)
        return [self._value(output) for output in self.group.outputs]

    def _value(self, name: str) -> str:
        """What a layer gives: its variable, or an expression."""
        known = self.variables.get(name) or self.arguments.get(name)
        if known:
            return known
        layer = self.group.layers[name]
        expression = self._expression(layer)
        if layer.kind in DERIVED or not self._has_variable(name):
            return expression
        self.variables[name] = self._free_name(name)
        self.lines.append(f"{self.variables[name]} = {expression}")
        return self.variables[name]

    def _has_variable(self, value: str) -> bool:
        """Where it is used twice, or joins others; what is only the result needs none."""
        is_inner_join = self.group.layers[value].kind in ("add", "concat") and value not in self.group.outputs
        return is_inner_join or self.group.uses(value) > 1

    def _expression(self, layer: Layer) -> str:
        for motif in self.group.motifs:
            if motif.output == layer.name:
                return f"{self._module(motif.name)}({self._value(motif.source)})"
        sources = [self._value(source) for source in layer.inputs]
        if layer.kind == "add":
            return " + ".join(sources)
        if layer.kind == "concat":
            return f"torch.cat([{', '.join(sources)}], 1)"
        return _derived(layer, sources[0])

    def _module(self, name: str) -> str:
        if name == self.group.name:
            return self.owner
        first, *rest = self.group.local(name)
        head = f"self.{first}" if self.owner == "self" else f'{self.owner}["{first}"]'
        return head + "".join(f'["{part}"]' for part in rest)

    def _free_name(self, name: str) -> str:
        return self.prefix + short_name(self.group.local(name))


def short_name(words: list[str]) -> str:
    return "_".join(words[:-1] if words[-1] in _LAST_WORDS and len(words) > 1 else words)


def _derived(layer: Layer, source: str) -> str:
    if layer.kind == "drop_path":
        return source  # Nothing is dropped after training.
    if layer.kind == "zeros":
        return f"torch.zeros_like({source})"
    if layer.kind == "relu":
        return f"relu({source})"
    if layer.kind == "global_pool":
        return f"{source}.mean((2, 3))"
    if layer.kind == "subsample":
        return f"odd_pixels({source})" if layer.padding[0] < 0 else f"even_pixels({source})"
    assert layer.kind in ("max_pool", "avg_pool"), layer.kind
    name = "padded_avg_pool" if layer.counts_padding else layer.kind
    return f"{name}({source}, {layer.kernel[0]}, {layer.stride[0]})"
