"""The parts that networks are printed with, cut for one network: nothing in them is an option that it does not use.

Whether a part has a stride or a dilation to choose, and a default for it, follows from the calls of it. How it pads
follows from the plan: by half its reach, as PyTorch does it, where that is right everywhere, else as SAME does it.
"""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from search_engine.export.motifs import is_even, is_valid
from search_engine.export.used_parts import used_parts
from search_engine.layers import IMAGE, Layer
from search_engine.network_plan import NetworkPlan

LINE = 100  # Characters after which a call is broken up.
_TYPES = {"stride": "int", "dilation": "int", "groups": "int"}
_POOLS = {
    "max_pool": "return functional.max_pool2d(x, size, stride, HALF)",
    "avg_pool": "return functional.avg_pool2d(x, size, stride, HALF, count_include_pad=False)",
    "padded_avg_pool": "return functional.avg_pool2d(functional.pad(x, (HALF,) * 4), size, stride)",
}
_SAME_POOLS = {
    "max_pool": "return functional.max_pool2d(x, size, stride, padding, ceil_mode=is_odd)",
    "avg_pool": "return functional.avg_pool2d(x, size, stride, padding, is_odd, count_include_pad=False)",
    "padded_avg_pool": (
        "top, left = padding\n"
        "    x = functional.pad(x, (left, left + is_odd, top, top + is_odd))\n"
        "    return functional.avg_pool2d(x, size, stride)"
    ),
}


def parts_source(plan: NetworkPlan, users: Sequence[str], *, has_one_size: bool = False) -> str:
    """Imports and the parts of networks that `users`, pieces of source, need.

    has_one_size: the network reads images of the plan's size only, so that what other sizes would want is left out.
    """
    known = resources.files("search_engine.export").joinpath("model_parts.py.txt").read_text(encoding="utf-8").strip()
    words = {**_convolutions(plan, users, has_one_size=has_one_size), **_pixels(plan, has_one_size=has_one_size)}
    cut = "\n".join(_filled(line, words) for line in known.splitlines())
    constants = f"EPSILON, MOMENTUM = {plan.batch_norm_epsilon!r}, {plan.batch_norm_momentum!r}"
    return used_parts(cut, users).replace("EPSILON, MOMENTUM = ...", constants)


@dataclass(frozen=True, slots=True)
class Calls:
    """What the calls of a convolution have in common. some, each: options that some of them, or all, name.

    pairs: of "kernel" and "stride", those that are a pair of numbers in some call.
    """

    some: frozenset[str]
    each: frozenset[str]
    pairs: frozenset[str]

    @property
    def options(self) -> list[str]:
        return [name for name in _TYPES if name in self.some]

    def parameters(self) -> list[str]:
        kernel = f"kernel: {self._type('kernel')}"
        options = [
            f"{name}: {self._type(name)}" + ("" if name in self.each else " = 1")
            for name in self.options
        ]  # fmt: skip
        return ["self", "channels: int", "filters: int", kernel, *(["*"] if options else []), *options]

    def passing_all(self, *others: str) -> "Calls":
        """Those of the convolution inside, which a part makes in one way."""
        names = self.some.union(others)
        return Calls(names, names, self.pairs)

    def _type(self, name: str) -> str:
        return "int | tuple[int, int]" if name in self.pairs else "int"

    def passed_on(self) -> list[str]:
        return [f"{name}={name}" for name in self.options]


def _calls(users: Sequence[str], names: Sequence[str]) -> list[Calls]:
    """One for each call."""
    nodes = [node for user in users for node in ast.walk(ast.parse(user)) if isinstance(node, ast.Call)]
    found = []
    for node in nodes:
        if isinstance(node.func, ast.Name) and node.func.id in names:
            values = {"kernel": node.args[2], **{str(each.arg): each.value for each in node.keywords}}
            options = frozenset(values) - {"kernel"}
            pairs = frozenset(name for name, value in values.items() if isinstance(value, ast.Tuple))
            found.append(Calls(options, options, pairs))
    return found


def _together(calls: Sequence[Calls]) -> Calls:
    some = frozenset().union(*(each.some for each in calls))
    pairs = frozenset().union(*(each.pairs for each in calls))
    return Calls(some, frozenset(name for name in some if all(name in each.each for each in calls)), pairs)


def _convolutions(plan: NetworkPlan, users: Sequence[str], *, has_one_size: bool) -> dict[str, tuple[str, list[str]]]:
    """What stands for the words of the template that tell of convolutions: what comes before the bracket, and in it."""
    plain, separable = _together(_calls(users, ("Conv", "ReluConv"))), _together(_calls(users, ("SeparableConv",)))
    of_same = _calls(users, ("SameConv",))
    same_conv, same_depthwise = (_needs_same(plan, name) for name in ("conv", "depthwise"))
    if same_conv:
        of_same.append(plain.passing_all())
    if same_depthwise:
        of_same.append(separable.passing_all("groups"))
    same = _together(of_same)
    given = ["channels", "filters", "kernel"]
    dilated = "dilation" in same.some
    is_pool_odd = any(_pools_need_same(plan, name, has_one_size) for name in _POOLS)
    sizes = ["size: int", "kernel: int", "stride: int"]
    if dilated:
        sizes.append("dilation: int = 1" if is_pool_odd else "dilation: int")
    window = ["x.shape[2:]", "self.kernel_size", "self.stride", *(["self.dilation"] if dilated else [])]
    return {
        "missing parameters": ("", sizes),
        "reach": ("(kernel - 1) * dilation + 1" if dilated else "kernel", []),
        "SameConv parameters": ("", same.parameters()),
        "SameConv to Conv2d": ("", [*given, *same.passed_on(), "bias=False"]),
        "window": ("", window),
        "Conv parameters": ("", plain.parameters()),
        "EvenConv parameters": ("", plain.passing_all().parameters()),
        "Conv to Conv2d": ("", [*given, *plain.passed_on(), "bias=False"]),
        "times dilation": (" * self.dilation[0]" if "dilation" in plain.some else "", []),
        "convolution": _made(plain, given, is_same=same_conv),
        "SeparableConv parameters": ("", separable.parameters()),
        "depthwise": _made(separable, ["channels", "channels", "kernel"], ["groups=channels"], is_same=same_depthwise),
    }


def _made(calls: Calls, given: list[str], groups: Sequence[str] = (), *, is_same: bool) -> tuple[str, list[str]]:
    """The convolution inside a part."""
    if is_same:
        return "SameConv", [*given, *calls.passed_on(), *groups]
    if "kernel" in calls.pairs:
        return "EvenConv", [*given, *calls.passed_on(), *groups]
    padding = "padding=kernel // 2" + (" * dilation" if "dilation" in calls.some else "")
    return "nn.Conv2d", [*given, *calls.passed_on(), padding, *groups, "bias=False"]


def _needs_same(plan: NetworkPlan, last: str) -> bool:
    """Whether one of the convolutions with this last name is padded as SAME does it and PyTorch does not."""
    convs = [layer for layer in plan.layers if layer.kind == "conv" and layer.name.rpartition(".")[2] == last]
    return any(not is_valid(conv) and not is_even(conv) for conv in convs)


def _pools_need_same(plan: NetworkPlan, name: str, has_one_size: bool) -> bool:
    """Windows of even size suit images of even size without padding, and others with it."""
    return any(not is_even(pool) or (pool.kernel[0] % 2 == 0 and not has_one_size) for pool in _pools(plan, name))


def _pools(plan: NetworkPlan, name: str) -> list[Layer]:
    return [layer for layer in plan.layers if layer.kind in ("max_pool", "avg_pool") and _pool_name(layer) == name]


def _pool_name(layer: Layer) -> str:
    return "padded_avg_pool" if layer.counts_padding else layer.kind


def _pixels(plan: NetworkPlan, *, has_one_size: bool) -> dict[str, tuple[str, list[str]]]:
    """What stands for the words of the template that tell of pools and of every second pixel."""
    words: dict[str, tuple[str, list[str]]] = {}
    for name, even in _POOLS.items():
        same = f"padding, is_odd = pool_padding(x, size, stride)\n    {_SAME_POOLS[name]}"
        half = "size // 2" if all(pool.kernel[0] % 2 for pool in _pools(plan, name)) else "(size - 1) // 2"
        words[name] = (same if _pools_need_same(plan, name, has_one_size) else even.replace("HALF", half), [])
    shapes = {layer.name: layer.shape for layer in plan.layers} | {IMAGE: plan.image}
    skipping = [shapes[layer.inputs[0]] for layer in plan.layers if layer.kind == "subsample"]
    if has_one_size and all(size % 2 == 0 for shape in skipping for size in shape[1:]):
        about, body = "from the second on", "return x[:, :, 1::2, 1::2]"
    else:
        about = "from the second on, zero where there is none"
        body = (
            "height, width = x.shape[2:]\n    return functional.pad(x[:, :, 1::2, 1::2], (0, width % 2, 0, height % 2))"
        )
    words["odd pixels"] = (f'"""Every second pixel of every second row, {about}."""\n    {body}', [])
    return words


def _filled(line: str, words: Mapping[str, tuple[str, list[str]]]) -> str:
    """A line of the template with its words; where it grows too long, its last bracket is broken up."""
    found = re.search(r"<([\w ]+)>", line)
    if found is None:
        return line
    before, inside = words[found[1]]
    head, tail = line[: found.start()] + before, line[found.end() :]
    if not inside:
        return _filled(head + tail, words)
    opening, closing = ("(", ")") if before else ("", "")
    whole = f"{head}{opening}{', '.join(inside)}{closing}{tail}"
    if len(whole) <= LINE:
        return whole
    margin = " " * (len(line) - len(line.lstrip()))
    lines = [f"{margin}    {', '.join(inside)}"]
    if len(lines[0]) > LINE:
        lines = [f"{margin}    {each}," for each in inside]
    return "\n".join([f"{head}{opening}", *lines, f"{margin}{closing}{tail}"])
