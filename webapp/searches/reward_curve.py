"""The curve of rewards of a search as a figure, from the state that its live page shows."""

import plotly.graph_objects as go

from search_engine.config.search import SearchConfig
from search_engine.config.searches import read_search_config
from search_engine.figures import RewardPoint, StepPoint, reward_figure
from webapp.searches.live_state import COPIED, MEASURED, state_at
from webapp.searches.models import Search


def rewards_of(search: Search) -> go.Figure:
    """What the live page draws, as it stands now."""
    state = state_at(search)
    size = state["step_size"]
    children = [
        RewardPoint(index, reward, is_copied=flag == COPIED)
        for index, reward, flag in sorted(state["points"])
        if flag in (MEASURED, COPIED)
    ]
    steps = [StepPoint(step * size + (size - 1) / 2, mean, entropy) for step, mean, entropy, _ in state["steps"]]
    config = read_search_config(search.config)
    weighs_cost = not isinstance(config, SearchConfig) or config.weighs_cost  # Scores on text are no shares either.
    return reward_figure(children, steps, title=search.name or "Search", weighs_cost=weighs_cost)
