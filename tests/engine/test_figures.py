"""The figure of rewards holds what it is given, and nothing that is not there."""

from search_engine.figures import CostPoint, RewardPoint, StepPoint, cost_figure, policy_figure, reward_figure

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


COSTS = [CostPoint(100, 0.5, "0.0"), CostPoint(50, 0.4, "0.1"), CostPoint(70, 0.3, "1.0"), CostPoint(100, 0.6, "1.1")]


def test_the_line_against_cost_joins_those_that_no_cheaper_one_reaches():
    figure = cost_figure(COSTS, of="parameters", title="A search")
    assert by_name(figure) == {
        "child": ([100, 50, 70, 100], [0.5, 0.4, 0.3, 0.6]),
        "no cheaper one reaches": ([50, 100], [0.4, 0.6]),
    }
    assert list(figure.data[0].text) == ["0.0", "0.1", "1.0", "1.1"]
    assert figure.layout.xaxis.title.text == "parameters"


def test_the_map_of_the_policy_has_a_row_for_every_option_in_the_order_of_the_space():
    policy = [[[0.5, 0.5], [1.0]], [[0.25, 0.75], [1.0]]]
    figure = policy_figure([0, 8], policy, [("first", ["a", "b"]), ("second", ["c"])], title="A search")
    (drawn,) = figure.data
    assert list(drawn.y) == ["first: a", "first: b", "second: c"] and list(drawn.x) == [0, 8]
    assert [list(row) for row in drawn.z] == [[0.5, 0.25], [0.5, 0.75], [1.0, 1.0]]
    assert figure.layout.yaxis.autorange == "reversed"  # The first decision stands on top.


def test_figures_of_nothing_have_axes_and_no_points():
    assert len(cost_figure([], of="mult_adds", title="Nothing yet").data) == 0
    assert len(policy_figure([], [], [], title="Nothing yet").data) == 0
