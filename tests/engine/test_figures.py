"""The figure of rewards holds what it is given, and nothing that is not there."""

from search_engine.figures import RewardPoint, StepPoint, reward_figure

CHILDREN = [RewardPoint(0, 0.4), RewardPoint(1, 0.6), RewardPoint(2, 0.6, is_copied=True), RewardPoint(3, 0.5)]
STEPS = [StepPoint(0.5, 0.5, 9.0), StepPoint(2.5, None, 8.0)]


def by_name(figure):
    return {trace.name: (list(trace.x), list(trace.y)) for trace in figure.data}


def test_points_best_means_and_entropy_stand_at_their_places():
    assert by_name(reward_figure(CHILDREN, STEPS, title="A search")) == {
        "child": ([0, 1, 3], [0.4, 0.6, 0.5]),
        "copied": ([2], [0.6]),
        "best so far": ([0, 1, 2, 3], [0.4, 0.6, 0.6, 0.6]),
        "entropy": ([0.5, 2.5], [9.0, 8.0]),
        "mean of step": ([0.5], [0.5]),
    }


def test_a_search_without_rewards_has_axes_and_no_curves():
    weighed = reward_figure([], [], title="Nothing yet", weighs_cost=True)
    assert weighed.layout.yaxis.title.text == "reward (accuracy weighed with cost)"
    figure = reward_figure([], [], title="Nothing yet")
    assert len(figure.data) == 0
    assert figure.layout.title.text == "Nothing yet"


def test_the_figure_becomes_a_page_that_needs_nothing_else():
    page = reward_figure(CHILDREN, STEPS, title="A search").to_html(include_plotlyjs=True)
    assert "mean of step" in page and "<script src=" not in page
