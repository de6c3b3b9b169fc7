"""A network plan as Python that a person can read: one class for every kind of cell, and the network that stacks them.

The file needs PyTorch and nothing else. Its parameters and buffers have the plan's names, so the weights of a
checkpoint fit; what no output needs is not in the plan, and so not in the file.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search_engine.export.groups import Group, groups_of
from search_engine.export.printed_parts import LINE, parts_source
from search_engine.export.statements import Statements, short_name
from search_engine.layers import IMAGE
from search_engine.network_plan import NetworkPlan

_TITLES = {"cell": "NormalCell", "reduction": "ReductionCell", "stem": "StemCell"}


def model_source(plan: NetworkPlan, *, about: str) -> str:
    """The module `model.py` of a network, without the auxiliary head. about: what its docstring says first."""
    plan = plan.without_auxiliary()
    groups = groups_of(plan)
    classes = cell_classes(groups)
    own = [*(class_source(each) for each in classes), _network_source(plan, groups, classes)]
    sections = [
        f'"""{about.strip()}\n\nNeeds PyTorch only. The names of its parameters are those of the checkpoint.\n"""',
        parts_source(plan, own, has_one_size=True),
        *own,
    ]
    return sections[0] + "\n\n" + "\n\n\n".join(sections[1:]) + "\n"


@dataclass(frozen=True, slots=True)
class CellClass:
    """A class, and the groups that are made of it, which differ in widths only.

    arguments: of `forward`. parameters: of the constructor, with their values for each group.
    """

    name: str
    groups: tuple[Group, ...]
    arguments: tuple[str, ...]
    parameters: Mapping[str, tuple[int, ...]]


def cell_classes(groups: Sequence[Group]) -> list[CellClass]:
    alike: dict[tuple[str, object], list[Group]] = {}
    for group in groups:
        if group.is_cell:
            alike.setdefault((_title(group), _form(group)), []).append(group)
    titles = [title for title, _ in alike]
    classes = []
    for place, members in enumerate(alike.values()):
        arguments = _arguments(members[0])
        parameters = _parameters(members, arguments)
        name = titles[place] + _number(titles, place, members[0])
        classes.append(CellClass(name, tuple(members), arguments, parameters))
    return classes


def _number(titles: Sequence[str], place: int, first: Group) -> str:
    """What tells classes of one title apart: the number of the first group, or, of cells, of the class."""
    if _is_cell_of_blocks(first):
        before = titles[:place].count(titles[place])
        return str(before + 1) if before else ""
    return first.name.rpartition("_")[2] if titles.count(titles[place]) > 1 else ""


def _form(group: Group) -> tuple[object, ...]:
    """Everything that a class of this group would say, but for widths."""
    statements = Statements(group, dict(zip(group.inputs, _arguments(group), strict=True)))
    results = tuple(statements.write())
    builds = tuple((tuple(group.local(motif.name)), motif.build) for motif in group.motifs)
    return builds, tuple(statements.lines), results


def _title(group: Group) -> str:
    stem = re.sub(r"_\d+$", "", group.name)
    if stem not in _TITLES or not _is_cell_of_blocks(group):
        return "".join(word.capitalize() for word in stem.split("_"))
    builds = [motif.build for motif in group.motifs if motif.name == f"{group.name}.previous"]
    if builds and builds[0].startswith("FactorizedReduction"):
        return f"{_TITLES[stem]}AfterReduction"
    return _TITLES[stem] if builds else f"First{_TITLES[stem]}"


def _is_cell_of_blocks(group: Group) -> bool:
    return any(re.match("block_|previous$|current$", group.local(motif.name)[0]) for motif in group.motifs)


def _arguments(group: Group) -> tuple[str, ...]:
    """A name for each input. A cell of two tells them apart; a layer reads the one before it first."""
    currents = [motif.source for motif in group.motifs if motif.name == f"{group.name}.current"]
    if len(group.inputs) == 2 and currents and currents[0] in group.inputs:
        return tuple("current_input" if value == currents[0] else "previous_input" for value in group.inputs)
    return ("x", *(f"skip_{index}" for index in range(1, len(group.inputs))))


def _parameters(members: Sequence[Group], arguments: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Widths that differ between the groups of a class, each named after what it counts."""
    named = {
        tuple(_channels(group, index) for group in members): _channels_of(name) for index, name in enumerate(arguments)
    }
    found: dict[str, tuple[int, ...]] = {}
    for column in dict.fromkeys(_columns(members)):
        if len(set(column)) > 1:
            name = named.get(column) or ("filters" if "filters" not in found else f"width_{len(found)}")
            found[name] = column
    return dict(sorted(found.items(), key=lambda item: not item[0].endswith("channels")))


def _channels_of(argument: str) -> str:
    return "channels" if argument == "x" else f"{argument.removesuffix('_input')}_channels"


def _columns(members: Sequence[Group]) -> list[tuple[int, ...]]:
    """Every width that the modules of a class name, in order, for each of its groups."""
    return list(zip(*([width for motif in group.motifs for width in motif.widths] for group in members), strict=True))


def _channels(group: Group, index: int) -> int:
    return group.layers[group.inputs[index]].shape[0] if group.inputs[index] != IMAGE else 0


def class_source(described: CellClass) -> str:
    group = described.groups[0]
    by_column = {column: name for name, column in described.parameters.items()}
    widths = [by_column.get(column, str(column[0])) for column in _columns(described.groups)]
    statements = Statements(group, dict(zip(group.inputs, described.arguments, strict=True)))
    (result,) = statements.write()
    return module_source(
        described.name,
        _members(described.groups),
        [f"{name}: int" for name in described.parameters],
        _made(group, widths),
        [f"{name}: Tensor" for name in described.arguments],
        [*statements.lines, f"return {result}"],
    )


def _members(groups: Sequence[Group]) -> str:
    names = [group.name for group in groups]
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} cells, from {names[0]} to {names[-1]}"


def _network_source(plan: NetworkPlan, groups: Sequence[Group], classes: Sequence[CellClass]) -> str:
    made, steps, _ = network_lines(groups, classes)
    last = steps.pop().split(" = ", 1)[1]
    channels, height, width = plan.image
    classes_named = next(layer.shape[0] for layer in plan.layers if layer.name == plan.output)
    about = f"Logits [B, {classes_named}] of images [B, {channels}, {height}, {width}]."
    return module_source("Network", about, [], made, ["images: Tensor"], [*steps, f"return {last}"])


def network_lines(groups: Sequence[Group], classes: Sequence[CellClass]) -> tuple[list[str], list[str], dict[str, str]]:
    """Lines that make the modules, lines that compute every value in order, and the variable of each value."""
    made: list[str] = []
    steps: list[str] = []
    variables = {IMAGE: "images"}
    for group in groups:
        described = next((each for each in classes if group in each.groups), None)
        if described is not None:
            index = described.groups.index(group)
            widths = ", ".join(str(column[index]) for column in described.parameters.values())
            made.append(f"self.{group.name} = {described.name}({widths})")
            values = [f"self.{group.name}({', '.join(variables[value] for value in group.inputs)})"]
        else:
            made += _made(group, [str(width) for motif in group.motifs for width in motif.widths], within="self")
            statements = Statements(group, variables, f"self.{group.name}", f"{group.name}_")
            values = statements.write()
            steps += statements.lines
        for output, value in zip(group.outputs, values, strict=True):
            variables[output] = group.name if len(group.outputs) == 1 else short_name(output.split("."))
            steps.append(f"{variables[output]} = {value}")
    return made, steps, variables


def module_source(
    name: str,
    about: str,
    parameters: Sequence[str],
    made: Sequence[str],
    arguments: Sequence[str],
    body: Sequence[str],
    returns: str = "Tensor",
) -> str:
    """A class of a module: lines that make its parts, lines that compute what it returns."""
    lines = [
        f"class {name}(nn.Module):",
        f'    """{about.rstrip(".")}."""',
        "",
        f"    def __init__({', '.join(['self', *parameters])}) -> None:",
        "        super().__init__()",
        *(f"        {line}" for line in made),
        "",
        f"    def forward({', '.join(['self', *arguments])}) -> {returns}:",
        *(f"        {line}" for line in body),
    ]
    return "\n".join(lines)


def _made(group: Group, widths: Sequence[str], within: str = "") -> list[str]:
    """Lines that make a group's modules. within: the module that they hang in as one, where they have no class."""
    words = iter(widths)
    tree: dict[str, object] = {}
    for motif in group.motifs:
        build = motif.build.format(*(next(words) for _ in motif.widths))
        if motif.name == group.name:
            return [f"{within}.{group.name} = {build}"]
        *path, last = group.local(motif.name)
        place = tree
        for part in path:
            place = place.setdefault(part, {})  # type: ignore[assignment]  # A tree has no finite type.
        place[last] = build
    if within:
        return _assignment(f"{within}.{group.name}", tree) if tree else []
    return [line for name, value in tree.items() for line in _assignment(f"self.{name}", value)]


def _assignment(target: str, value: object) -> list[str]:
    text = f"{target} = {_expression(value)}"
    if len(text) <= LINE or not isinstance(value, dict):
        return [text]
    entries = [f'    "{name}": {_expression(entry)},' for name, entry in value.items()]
    return [f"{target} = nn.ModuleDict({{", *entries, "})"]


def _expression(value: object) -> str:
    if not isinstance(value, dict):
        return str(value)
    return "nn.ModuleDict({" + ", ".join(f'"{name}": {_expression(entry)}' for name, entry in value.items()) + "})"
