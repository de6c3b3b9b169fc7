"""What a controller does, as data: turns of its LSTM, each with what it reads, what it chooses and what it keeps.

One turn is one step of the LSTM. What it keeps is an *anchor*, which later turns may point at or read. So the softmaxes
of NASNet, pointing at earlier nodes and skip bits (ENAS, Pham et al. 2018, and released code) are three programs of one
controller. Decisions are counted as those of the space.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from search_engine.config.controller import (
    ControllerConfig,
    MacroControllerConfig,
    MicroControllerConfig,
    RecurrentControllerConfig,
)
from search_engine.spaces.base import Decision

FIRST_BIAS = 10.0  # Of separable convolutions in a micro search, inside the tanh; learned from there.
FIXED_BIAS = 0.25  # Of the same in the normal cell, outside the tanh; the others have its negative.
LOCALITY = 6.0  # The squared distance of a node is divided by this.
NEAREST = 0.1  # An anchor that is read is divided by its distance and this.


@dataclass(frozen=True, slots=True)
class Start:
    """Reads a learned vector."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """Reads the embedding of what was decided; first_row: of the decision's options in the one table."""

    decision: int
    first_row: int


@dataclass(frozen=True, slots=True)
class ChosenAnchor:
    """Reads the anchor that was pointed at: that of number `first` and the index chosen, divided by its divisor."""

    decision: int
    first: int
    divisors: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ChosenSum:
    """Reads the sum of the anchors whose bits are set, divided by one more than they are."""

    first_decision: int
    count: int


@dataclass(frozen=True, slots=True)
class Softmax:
    """Chooses by rows of one matrix; fixed: what is added to each option's score at last."""

    decision: int
    first_row: int
    fixed: tuple[float, ...]
    tanh_constant: float


@dataclass(frozen=True, slots=True)
class Pointer:
    """Chooses one of the anchors from number `first` on by attention; fixed: as above, one per anchor."""

    decision: int
    first: int
    fixed: tuple[float, ...]
    tanh_constant: float


@dataclass(frozen=True, slots=True)
class Bits:
    """Chooses no or yes for each of the first `count` anchors, with scores of minus and plus its attention."""

    first_decision: int
    count: int
    tanh_constant: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One step of the LSTM. keeps: its output as an anchor; as_zero: that can be pointed at, but reads as zeros."""

    reads: Start | Embedding | ChosenAnchor | ChosenSum
    chooses: Softmax | Pointer | Bits | None = None
    keeps: bool = False
    as_zero: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """Turns, and the sizes of what they use.

    sizes: options of each decision. embeddings, heads: rows of the two tables. first_biases: what the learned biases of
    the heads start from, None without biases. temperature: every score is divided by it.
    """

    turns: tuple[Turn, ...]
    sizes: tuple[int, ...]
    embeddings: int
    heads: int
    first_biases: tuple[float, ...] | None = None
    temperature: float = 1.0

    @property
    def skips(self) -> tuple[Bits, ...]:
        """The skips of each layer that has any."""
        return tuple(turn.chooses for turn in self.turns if isinstance(turn.chooses, Bits))

    @property
    def has_attention(self) -> bool:
        return any(isinstance(turn.chooses, Pointer | Bits) for turn in self.turns)


def program_of(decisions: Sequence[Decision], config: ControllerConfig) -> Program:
    """The program of a controller over the decisions of its space."""
    if isinstance(config, MicroControllerConfig):
        return _micro(decisions, config)
    if isinstance(config, MacroControllerConfig):
        return _macro(decisions, config)
    assert isinstance(config, RecurrentControllerConfig), f"no program for {type(config).__name__}"
    return _recurrent(decisions, config)


def _micro(decisions: Sequence[Decision], config: MicroControllerConfig) -> Program:
    """Two cells. In each a turn for either input, then five for a node: two inputs, two operations, and its anchor.

    Both inputs are pointed at by what the LSTM made of them, but read as zeros, as in the released code.
    """
    rows = len(decisions[2].options)
    reduced = config.tanh_constant / config.operation_tanh_reduce
    learned, *fixed = _operation_biases(decisions[2].options, config.operation_bias, reduced)
    half = len(decisions) // 2
    turns: list[Turn] = []
    for cell, bias in enumerate(fixed):
        first = cell * (2 + half // 4)  # The number of its first anchor.
        turns += [Turn(Start(), keeps=True, as_zero=True)] * 2
        for decision in range(cell * half, (cell + 1) * half, 4):
            turns += _micro_node(
                decision, first, len(decisions[decision].options), Softmax(0, 0, bias, reduced), config
            )
    sizes = tuple(len(decision.options) for decision in decisions)
    return Program(tuple(turns), sizes, rows, rows, learned, config.temperature)


def _operation_biases(
    operations: Sequence[str], kind: str, reduced: float
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """What learned biases start from; then what is added in the normal and in the reduction cell.

    A bias of 10 is taken to the full height of the tanh, where there is no gradient left; added outside, the same
    height is as probable at the start.
    """
    none = (0.0,) * len(operations)
    if kind == "off":
        return none, none, none
    preferred = [operation.startswith("sep_conv") for operation in operations]
    normal = tuple(FIXED_BIAS if is_preferred else -FIXED_BIAS for is_preferred in preferred)
    if kind == "released":
        return tuple(FIRST_BIAS * is_preferred for is_preferred in preferred), normal, none
    height = tuple(reduced * is_preferred for is_preferred in preferred)
    return none, tuple(added + more for added, more in zip(normal, height, strict=True)), height


def _micro_node(
    decision: int, first: int, inputs: int, operations: Softmax, config: MicroControllerConfig
) -> list[Turn]:
    """operations: how either operation is chosen, whatever decision it names."""
    unscaled = (1.0,) * inputs

    def pointer(place: int) -> Pointer:
        return Pointer(place, first, (0.0,) * inputs, config.tanh_constant)

    return [
        Turn(Start(), pointer(decision)),
        Turn(ChosenAnchor(decision, first, unscaled), pointer(decision + 1)),
        Turn(ChosenAnchor(decision + 1, first, unscaled), replace(operations, decision=decision + 2)),
        Turn(Embedding(decision + 2, 0), replace(operations, decision=decision + 3)),
        Turn(Embedding(decision + 3, 0), keeps=True),
    ]


def _macro(decisions: Sequence[Decision], config: MacroControllerConfig) -> Program:
    """Two turns a layer: one chooses its operation, one its skips."""
    rows = len(decisions[0].options)
    turns: list[Turn] = []
    reads: Start | ChosenSum = Start()
    place = index = 0
    while place < len(decisions):
        skips = Bits(place + 1, index, config.tanh_constant) if index else None
        turns.append(Turn(reads, Softmax(place, 0, (0.0,) * rows, config.tanh_constant)))
        turns.append(Turn(Embedding(place, 0), skips, keeps=True))
        reads = ChosenSum(place + 1, index) if index else Start()
        place += 1 + index
        index += 1
    sizes = tuple(len(decision.options) for decision in decisions)
    return Program(tuple(turns), sizes, rows, rows, temperature=config.temperature)


def _recurrent(decisions: Sequence[Decision], config: RecurrentControllerConfig) -> Program:
    """A turn for the first activation; then two a node: one points at its source, one chooses its activation."""
    rows = len(decisions[0].options)
    no_bias = (0.0,) * rows
    turns = [Turn(Start(), Softmax(0, 0, no_bias, config.tanh_constant), keeps=True)]
    for place in range(1, len(decisions), 2):
        node = len(decisions[place].options)
        distances = range(node, 0, -1)
        fixed = tuple(-(distance**2) / LOCALITY if config.locality else 0.0 for distance in distances)
        divisors = tuple(NEAREST + distance for distance in distances)
        turns.append(Turn(Embedding(place - 1, 0), Pointer(place, 0, fixed, config.tanh_constant)))
        activation = Softmax(place + 1, 0, no_bias, config.tanh_constant)
        turns.append(Turn(ChosenAnchor(place, 0, divisors), activation, keeps=True))
    sizes = tuple(len(decision.options) for decision in decisions)
    return Program(tuple(turns), sizes, rows, rows, temperature=config.temperature)


def softmax_chain(decisions: Sequence[Decision]) -> Program:
    """NASNet's: a turn per decision, which reads the embedding of the one before and has rows of its own.

    What is searched with is strategies/controller.py, which computes the same in one pass.
    """
    sizes = tuple(len(decision.options) for decision in decisions)
    offsets, embeddings = embedding_offsets(decisions)
    turns: list[Turn] = []
    reads: Start | Embedding = Start()
    for place, size in enumerate(sizes):
        turns.append(Turn(reads, Softmax(place, sum(sizes[:place]), (0.0,) * size, 0.0)))
        reads = Embedding(place, offsets[place])
    return Program(tuple(turns), sizes, embeddings, sum(sizes), first_biases=(0.0,) * sum(sizes))


def embedding_offsets(decisions: Sequence[Decision]) -> tuple[list[int], int]:
    """Where each decision's family starts in one table of all embeddings, and how many rows the table has."""
    largest: dict[str, int] = {}
    for decision in decisions:
        largest[decision.family] = max(largest.get(decision.family, 0), len(decision.options))
    starts: dict[str, int] = {}
    rows = 0
    for family, options in largest.items():
        starts[family] = rows
        rows += options
    return [starts[decision.family] for decision in decisions], rows
