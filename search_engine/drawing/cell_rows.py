"""A cell in rows for its picture: inputs, then blocks below everything they read, then the output.

An edge that passes a row gets a lane there, one for all edges of one source. Orders within the rows are chosen one row
at a time to cross as few edges as possible: exactly in rows of few items, by moving one item at a time in fuller ones.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from search_engine.architectures.cell import Cell

BLOCKS_A_ROW = 3  # More in a row make the picture too wide to read beside a chart.
MOST_EXACT = 7  # Items of a row that are ordered exactly: twice the work for each further one.
OUTPUT = -1  # Stands for the output where a state's number is wanted.

Lane = tuple[int, int]  # (state, row)
Item = int | Lane  # A state, OUTPUT, or a lane.


@dataclass(slots=True)
class Rows:
    """The cell in rows. links[r]: (item of row r, item of row r + 1), once per edge end that needs it."""

    cell: Cell
    row_of: dict[int, int]
    items: list[list[Item]]
    links: list[list[tuple[Item, Item]]] = field(default_factory=list)


def ordered_rows(cell: Cell) -> Rows:
    """The rows with few crossings, from both orders of the inputs."""
    graph = _unordered(cell)
    orders = [_ordered(graph, first) for first in ([1, 0], [0, 1])]
    graph.items = min(orders, key=lambda items: _crossings(graph.links, items))
    return graph


def _unordered(cell: Cell) -> Rows:
    row_of = _row_of(cell)
    reads = [(s, 2 + index) for index, block in enumerate(cell.blocks) for s in block.inputs]
    reads += [(state, OUTPUT) for state in cell.concat]
    rows: list[list[Item]] = [[] for _ in range(row_of[OUTPUT] + 1)]
    used = {source for source, _ in reads} | {OUTPUT}
    for state in sorted(used | set(range(2, 2 + len(cell.blocks)))):
        rows[row_of[state]].append(state)
    links: list[list[tuple[Item, Item]]] = [[] for _ in rows[1:]]
    for source, target in reads:
        way = chain(row_of, source, target)
        for row, link in enumerate(itertools.pairwise(way), start=row_of[source]):
            if isinstance(link[1], tuple) and link in links[row]:
                continue  # This edge shares the lane of an earlier one.
            links[row].append(link)
            if isinstance(link[1], tuple) and link[1] not in rows[row + 1]:
                rows[row + 1].append(link[1])
    return Rows(cell, row_of, rows, links)


def chain(row_of: Mapping[int, int], source: int, target: int) -> list[Item]:
    """The items that an edge passes, from its source by its lanes to its target."""
    lanes: list[Item] = [(source, row) for row in range(row_of[source] + 1, row_of[target])]
    return [source, *lanes, target]


def _row_of(cell: Cell) -> dict[int, int]:
    """The row of every state and of the output: below all it reads, and never too many blocks in one row.

    Where a row is too full, blocks with the longest way to the output stand first (after Coffman and Graham).
    """
    count = len(cell.blocks)
    ways = [0] * (2 + count)
    for index in reversed(range(count)):
        for state in cell.blocks[index].inputs:
            ways[state] = max(ways[state], ways[2 + index] + 1)
    most = -(-count // -(-count // BLOCKS_A_ROW))
    row_of = {0: 0, 1: 0}
    row = 1
    while len(row_of) < 2 + count:
        ready = [
            2 + index
            for index, block in enumerate(cell.blocks)
            if 2 + index not in row_of and all(row_of.get(state, row) < row for state in block.inputs)
        ]
        for state in sorted(ready, key=lambda state: (-ways[state], state))[: max(most, 2)]:
            row_of[state] = row
        row += 1
    row_of[OUTPUT] = row
    return row_of


def _ordered(graph: Rows, first: list[int]) -> list[list[Item]]:
    """Orders found by best single rows, down and up again, until nothing improves; the inputs start as `first`."""
    rows = [list(row) for row in graph.items]
    rows[0].sort(key=lambda item: first.index(item) if isinstance(item, int) else 0)
    for row in range(1, len(rows)):
        rows[row] = _best_order(rows[row], _neighbours(graph.links[row - 1], rows[row - 1], below=True))
    best = _crossings(graph.links, rows)
    for _ in range(4):
        if best == 0:
            break
        for row in [*reversed(range(len(rows))), *range(len(rows))]:
            above = _neighbours(graph.links[row - 1], rows[row - 1], below=True) if row else {}
            under = _neighbours(graph.links[row], rows[row + 1], below=False) if row + 1 < len(rows) else {}
            rows[row] = _best_order(rows[row], above, under)
        found = _crossings(graph.links, rows)
        if found >= best:
            break
        best = found
    return rows


def _neighbours(links: Sequence[tuple[Item, Item]], other: Sequence[Item], *, below: bool) -> dict[Item, list[int]]:
    """Where in the `other` row each item's neighbours stand; below: the items are the lower ends of the links."""
    place = {item: index for index, item in enumerate(other)}
    found: dict[Item, list[int]] = {}
    for upper, lower in links:
        item, neighbour = (lower, upper) if below else (upper, lower)
        found.setdefault(item, []).append(place[neighbour])
    return found


def _best_order(items: Sequence[Item], *neighbours: Mapping[Item, list[int]]) -> list[Item]:
    """The order of one row with the fewest crossings towards fixed rows; in a row of few items exactly so.

    Among equals the order by mean neighbour wins: a tie costs a thousandth of a crossing.
    """
    mean = {i: _mean([p for near in neighbours for p in near.get(i, ())]) for i in items}
    before = [
        [sum(_crossed(near.get(a, ()), near.get(b, ())) for near in neighbours) + 0.001 * (mean[a] > mean[b])
         for b in items] for a in items
    ]  # fmt: skip
    if len(items) <= MOST_EXACT:
        return [items[index] for index in _exact_order(before)]
    by_mean = sorted(range(len(items)), key=lambda index: mean[items[index]])
    return [items[index] for index in _moved_order(before, by_mean)]


def _exact_order(before: Sequence[Sequence[float]]) -> tuple[int, ...]:
    """The cheapest order, over all subsets instead of all orders; before[a][b]: what a standing left of b costs."""
    best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}
    for chosen in range(1, 1 << len(before)):
        ends = [index for index in range(len(before)) if chosen >> index & 1]
        best[chosen] = min(_extended(best[chosen ^ (1 << last)], before, last) for last in ends)
    return best[(1 << len(before)) - 1][1]


def _moved_order(before: Sequence[Sequence[float]], order: list[int]) -> list[int]:
    """A cheap order: each item in turn moves to where it costs least, until none gains."""
    for _ in before:
        start = list(order)
        for index in start:
            rest = [other for other in order if other != index]
            cost = least = sum(before[index][other] for other in rest)
            place = 0
            for behind, other in enumerate(rest, start=1):
                cost += before[other][index] - before[index][other]
                if cost < least - 1e-9:
                    least, place = cost, behind
            order = [*rest[:place], index, *rest[place:]]
        if order == start:
            break
    return order


def _extended(
    shorter: tuple[float, tuple[int, ...]], before: Sequence[Sequence[float]], last: int
) -> tuple[float, tuple[int, ...]]:
    cost, order = shorter
    return cost + sum(before[index][last] for index in order), (*order, last)


def _crossed(left: Sequence[int], right: Sequence[int]) -> int:
    return sum(a > b for a in left for b in right)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _crossings(links: Sequence[Sequence[tuple[Item, Item]]], rows: Sequence[Sequence[Item]]) -> int:
    """Crossings of all links. Two edges into one block never cross: its sides stand in the order of their sources."""
    count = 0
    for between, upper, lower in zip(links, rows, rows[1:], strict=False):
        up = {item: index for index, item in enumerate(upper)}
        low = {item: index for index, item in enumerate(lower)}
        places = [(up[a], low[b]) for a, b in between]
        count += sum((a - c) * (b - d) < 0 for (a, b), (c, d) in itertools.combinations(places, 2))
    return count


def sides_of(graph: Rows, state: int) -> tuple[int, int]:
    """The sides of a block as drawn: first the one whose edge comes from further left."""
    row = graph.row_of[state]
    above = {source_of(item): index for index, item in enumerate(graph.items[row - 1])}
    left, right = graph.cell.blocks[state - 2].inputs
    return (0, 1) if above[left] <= above[right] else (1, 0)


def source_of(item: Item) -> int:
    """The state whose output runs through an item."""
    return item[0] if isinstance(item, tuple) else item
