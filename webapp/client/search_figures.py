"""Figures of a search for Plotly, as the live page draws them."""

import csv
import io
from typing import Literal

import plotly.graph_objects as go
import plotly.io

from search_engine.figures import CostPoint, cost_figure, policy_figure
from webapp.client.connection import Connection


class SearchFigures:
    """Each is made of what the server knows at the moment; a notebook shows it by itself."""

    def __init__(self, connection: Connection, path: str, title: str) -> None:
        self._connection = connection
        self._path = path
        self._title = title

    def rewards(self) -> go.Figure:
        """The curve of rewards: children, the best so far, the mean of each step, the entropy of the policy."""
        return plotly.io.from_json(self._connection.content(f"{self._path}/rewards.json").decode())

    def policy(self, points: int = 200) -> go.Figure:
        """What the controller preferred: a row for every option, a column for at most so many steps."""
        told = self._connection.get(f"{self._path}/policy", points=points)
        decisions = self._connection.get(f"{self._path}/decisions")["decisions"]
        options = [(each["name"], [option["option"] for option in each["options"]]) for each in decisions]
        return policy_figure(told["steps"], told["policy"], options, title=self._title)

    def cost(self, of: Literal["parameters", "mult_adds"] = "parameters") -> go.Figure:
        """Accuracy against cost: every measured child, and those that no cheaper one reaches."""
        text = self._connection.content(f"{self._path}/children.csv").decode()
        points = [
            CostPoint(
                cost=int(row[of]),
                reached=float(row["accuracy"] or row["reward"]),
                label=f"{row['step']}.{row['slot']}",
            )
            for row in csv.DictReader(io.StringIO(text))
            if row["reward"] and row[of] and not row["reason"] and not row["twin_step"]
        ]
        return cost_figure(points, of=of, title=self._title)
