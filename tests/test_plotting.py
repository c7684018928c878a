"""The displays: what is in the axes is what was given."""

import importlib
import itertools
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import sk_memorize
from sk_memorize import (
    CorruptedTargetClassifier,
    FittingCurveDisplay,
    GridHeatmapDisplay,
    MemorizingMLP,
    RandomizationTestDisplay,
)
from sk_memorize.plotting._style import line_style

plt = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is not installed")

X, y = (part[:300] for part in load_digits(return_X_y=True))


def network(seed=0, **params):
    return MemorizingMLP(
        width=16, max_epochs=4, target_accuracy=None, random_state=seed, **params
    )


@pytest.fixture(scope="module")
def networks():
    return [network(seed).fit(X, y) for seed in range(3)]


def history(*losses):
    index = pd.RangeIndex(1, len(losses) + 1, name="epoch")
    accuracies = np.linspace(0.1, 1, len(losses))
    return pd.DataFrame({"loss": losses, "accuracy": accuracies}, index=index)


def band(axes, number=0):
    """Return the lowest and the highest y of a band at each x."""
    vertices = axes.collections[number].get_paths()[0].vertices
    points = pd.DataFrame(vertices, columns=["x", "y"]).groupby("x")["y"]
    return points.min().to_numpy(), points.max().to_numpy()


def words(legend):
    return [text.get_text() for text in legend.get_texts()]


# Curves


def test_the_curves_are_those_of_the_histories(networks):
    display = FittingCurveDisplay.from_estimator(networks[0])
    loss, accuracy = display.ax_
    found = networks[0].history_
    for axes, column in ((loss, "loss"), (accuracy, "accuracy")):
        (line,) = axes.lines
        assert line is display.lines_[column][""]
        np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, 4])
        np.testing.assert_array_equal(line.get_ydata(), found[column])
        assert axes.get_xlabel() == "epoch"
        assert not axes.collections
    assert loss.get_ylabel() == "training loss (nats)"
    assert loss.get_yscale() == "log"
    assert accuracy.get_ylabel() == "training accuracy"
    assert display.figure_ is loss.figure
    assert not display.figure_.legends


def test_several_seeds_have_a_mean_and_a_band():
    histories = {"a": [history(4, 2, 1), history(8, 4, 3, 2)], "b": history(1, 2)}
    display = FittingCurveDisplay.from_results(histories, panels="loss")
    first, second = display.ax_.lines
    # As far as both were trained.
    assert first.get_xdata().tolist() == [1, 2, 3]
    assert first.get_ydata().tolist() == [6, 3, 2]
    assert second.get_ydata().tolist() == [1, 2]
    assert len(display.ax_.collections) == 1
    low, high = band(display.ax_)
    assert low.tolist() == [4, 2, 1]
    assert high.tolist() == [8, 4, 3]
    (legend,) = display.figure_.legends
    assert words(legend) == ["a", "b"]


@pytest.mark.parametrize(
    "losses", [(1, 0.1, 0), (0, 0), (1, 1e-9, 1e-12), (3, 2), (2e-8, 1e-8), (2,) * 30]
)
def test_every_loss_is_in_sight_and_the_last_is_marked(losses):
    display = FittingCurveDisplay.from_results(history(*losses), panels="loss")
    axes = display.ax_
    display.figure_.canvas.draw()
    low, high = axes.get_ylim()
    assert low < min(losses) <= max(losses) < high
    assert len(losses) - 1 in axes.lines[0].get_markevery()
    ticks = zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
    shown = [label.get_text() for y, label in ticks if y and low <= y <= high]
    assert shown or losses == (0, 0)
    assert len({"10^" in text for text in shown}) <= 1  # numbers, or powers


def test_stars_tell_the_test_accuracy_and_a_line_the_chance():
    display = FittingCurveDisplay.from_results(
        {"true": history(2, 1), "random": history(3, 2, 1)},
        test_accuracies={"random": 0.125},
        chance_accuracy=0.1,
        panels=["accuracy"],
    )
    *curves, star, chance = display.ax_.lines
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (3, 0.125)
    assert star.get_color() == curves[1].get_color()
    assert list(chance.get_ydata()) == [0.1, 0.1]
    assert [text.get_text() for text in display.ax_.texts] == ["chance"]
    (legend,) = display.figure_.legends
    assert words(legend) == ["true", "random", "random, test: 0.125"]
    assert display.ax_.get_ylabel() == "training accuracy (stars: test)"


@pytest.mark.parametrize("own_axes", [True, False])
@pytest.mark.parametrize("names", [(0.0, 0.5), ("_a", "__"), (None, ("x", 1))])
def test_every_name_is_in_the_legend(names, own_axes):
    display = FittingCurveDisplay.from_results(
        dict.fromkeys(names, history(2, 1)),
        test_accuracies={names[0]: 0.5},
        ax=None if own_axes else plt.subplots()[1],
        panels="accuracy",
    )
    legend = display.figure_.legends[0] if own_axes else display.ax_.get_legend()
    first, second = map(str, names)
    assert words(legend) == [first, second, f"{first}, test: 0.500"]
    assert list(display.lines_["accuracy"]) == [first, second]


def test_the_network_is_found_within_other_estimators():
    wrapped = CorruptedTargetClassifier(network())
    estimators = {
        "corrupted": wrapped.fit(X, y),
        "pipeline": make_pipeline(StandardScaler(), wrapped).fit(X, y),
        "search": GridSearchCV(network(), {"depth": [1]}, cv=2).fit(X, y),
    }
    display = FittingCurveDisplay.from_estimator(estimators, panels="loss")
    inner = [
        estimators["corrupted"].estimator_,
        estimators["pipeline"][-1].estimator_,
        estimators["search"].best_estimator_,
    ]
    for line, fitted in zip(display.ax_.lines, inner, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), fitted.history_["loss"])


def test_lists_of_networks_are_seeds(networks):
    display = FittingCurveDisplay.from_estimator({"digits": networks}, panels="loss")
    losses = np.array([fitted.history_["loss"] for fitted in networks])
    (line,) = display.ax_.lines
    np.testing.assert_allclose(line.get_ydata(), losses.mean(0))
    low, high = band(display.ax_)
    np.testing.assert_allclose(low, losses.min(0))
    np.testing.assert_allclose(high, losses.max(0))


# The heat map


@pytest.fixture(scope="module")
def search():
    return GridSearchCV(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [8, 2, None], "min_samples_leaf": [1, 20]},
        cv=2,
    ).fit(X, y)


def test_the_cells_of_a_heat_map_are_the_scores(search):
    display = GridHeatmapDisplay.from_estimator(search, values_format=".4f")
    results = search.cv_results_
    assert display.cells.shape == (2, 3)
    assert display.ax_.get_xlabel() == "max_depth"
    across = [label.get_text() for label in display.ax_.get_xticklabels()]
    down = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert (across, down) == (["8", "2", "None"], ["1", "20"])
    image = display.image_.get_array()
    for params, score in zip(
        results["params"], results["mean_test_score"], strict=True
    ):
        i = down.index(str(params["min_samples_leaf"]))
        j = across.index(str(params["max_depth"]))
        assert image[i, j] == score
        assert display.text_[i, j].get_text() == f"{score:.4f}"
    bar = display.figure_.axes[1]
    assert bar.get_ylabel() == "mean test score"


def test_a_table_and_the_axes_of_the_user(search):
    table = pd.DataFrame(
        {
            "labels": ["true"] * 4 + ["permuted"] * 4,
            "width": [8, 8, np.nan, np.nan] * 2,
            "norm": pd.Series(["batch", None] * 4, dtype=object),
            "accuracy": np.arange(8) / 10,
        }
    )
    figure, axes = plt.subplots()
    display = GridHeatmapDisplay.from_results(
        table,
        x="width",
        y="norm",
        measure="accuracy",
        ax=axes,
        vmin=0,
        vmax=1,
        colorbar=False,
        values_format=None,
    )
    # The means over both kinds of labels.
    assert display.cells.to_numpy() == pytest.approx(np.array([[0.2, 0.4], [0.3, 0.5]]))
    assert display.cells.columns.tolist() == ["8.0", "nan"]
    assert display.cells.index.tolist() == ["batch", "None"]
    assert display.image_.get_clim() == (0, 1)
    assert display.ax_ is axes
    assert figure.axes == [axes]
    assert all(text is None for text in display.text_.ravel())


def test_parameters_and_measures_that_are_not_named():
    search = RandomizedSearchCV(
        make_pipeline(DecisionTreeClassifier(random_state=0)),
        {
            "decisiontreeclassifier__min_samples_leaf": [3],
            "decisiontreeclassifier__max_depth": [1, 3],
            "decisiontreeclassifier__max_features": [4, 16],
        },
        n_iter=4,
        scoring=["accuracy", "neg_log_loss"],
        refit="neg_log_loss",
        cv=2,
        random_state=0,
    ).fit(X, y)
    display = GridHeatmapDisplay.from_estimator(search)
    # The first two that vary, the measure of the refit.
    names = {display.ax_.get_xlabel(), display.ax_.get_ylabel()}
    step = "decisiontreeclassifier"
    assert names == {f"{step}__max_depth", f"{step}__max_features"}
    assert display.name == "mean test neg log loss"
    display = GridHeatmapDisplay.from_results(
        search.cv_results_, y=f"{step}__max_depth"
    )
    assert display.ax_.get_ylabel() == f"{step}__max_depth"
    assert display.name == "mean test accuracy"


def test_a_parameter_that_some_candidates_lack():
    search = GridSearchCV(
        DecisionTreeClassifier(random_state=0),
        [{"max_depth": [1, 2]}, {"max_depth": [2], "min_samples_leaf": [5, 10]}],
        cv=2,
    ).fit(X, y)
    display = GridHeatmapDisplay.from_estimator(search)
    assert display.cells.index.tolist() == ["--", "5", "10"]
    assert display.cells.notna().to_numpy().tolist() == [
        *([True, True], [False, True], [False, True])
    ]


def test_missing_cells_stay_empty():
    values = pd.DataFrame([[0.5, np.nan], [0.25, 1.0]], columns=[np.nan, None])
    display = GridHeatmapDisplay(cells=values, name="accuracy").plot()
    assert display.text_[0, 1] is None
    assert display.text_[0, 0].get_text() == "0.5"


@pytest.mark.parametrize("cmap", ["cividis", "viridis", "gray", "RdBu", "Blues"])
def test_numbers_stand_out_from_their_cells(cmap):
    values = pd.DataFrame(np.linspace(0, 1, 24).reshape(4, 6))
    display = GridHeatmapDisplay(cells=values, name="").plot(cmap=cmap)
    for (i, j), text in np.ndenumerate(display.text_):
        shade = luminance(display.image_.cmap(values.iloc[i, j]))
        low, high = sorted(
            [luminance(plt.matplotlib.colors.to_rgb(text.get_color())), shade]
        )
        assert (high + 0.05) / (low + 0.05) >= 4.5  # W3C's demand for text


def luminance(color):
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color[:3]
    ]
    return np.dot(linear, [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("n_columns", [3, 12, 25])
def test_numbers_fit_into_their_cells(n_columns):
    values = pd.DataFrame(np.full((2, n_columns), 0.123456))
    display = GridHeatmapDisplay(cells=values, name="x").plot(values_format=".4f")
    display.figure_.canvas.draw()
    cell = display.ax_.get_window_extent().width / n_columns
    assert display.text_[0, 0].get_window_extent().width < cell


@pytest.mark.parametrize("step", ["", "a_pipeline__a_step__an_inner_step__"])
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([True, False], ["True", "False"]),
        ([1e-5, 0.0004], ["1e-5", "4e-4"]),
        ([0.1 + 0.2, 8.0], ["0.3", "8"]),
        ([f"a value of many letters: {i}" for i in range(8)], None),
    ],
)
def test_no_label_is_longer_than_its_axis(values, expected, step):
    n, measure = len(values), f"mean_test_{step}score"
    table = {f"param_{step}x": values * 2, f"param_{step}y": [1] * n + [2] * n}
    display = GridHeatmapDisplay.from_results(table | {measure: np.arange(2.0 * n)})
    display.figure_.canvas.draw()
    axes, (_, bar) = display.ax_, display.figure_.axes
    room = axes.get_window_extent()
    assert axes.xaxis.label.get_window_extent().width <= room.width + 1
    for panel in (axes, bar):
        assert panel.yaxis.label.get_window_extent().height <= room.height + 1
    if expected:
        ticks = axes.get_xticklabels()
        assert [tick.get_text() for tick in ticks] == expected
        ends = [tick.get_window_extent() for tick in ticks]
        assert ends[0].x1 < ends[1].x0
    else:
        assert {tick.get_rotation() for tick in axes.get_xticklabels()} == {45}


# All of them


def draw(kind, **arguments):
    if kind == "fitting":
        return FittingCurveDisplay.from_results(history(2, 1), **arguments)
    values = pd.DataFrame([[0.5, 1.0], [0.25, 1.0]])
    return GridHeatmapDisplay(cells=values, name="accuracy").plot(**arguments)


def test_given_axes_are_drawn_on():
    figure, axes = plt.subplots(1, 2)
    for given in (axes, list(axes)):
        display = draw("fitting", ax=given)
        assert list(display.ax_) == list(axes)
        assert display.figure_ is figure
        assert plt.get_fignums() == [figure.number]
        assert all(panel.lines for panel in axes)


@pytest.mark.parametrize("kind", ["fitting", "heat"])
def test_a_new_figure_fits_a_page_and_can_be_read_there(kind, tmp_path):
    size = dict(plt.rcParams)["font.size"]
    display = draw(kind)
    width, height = display.figure_.get_size_inches()
    assert 3.5 <= width <= 7
    assert height <= 4
    display.figure_.savefig(tmp_path / "figure.png", dpi=72)
    for axes in display.figure_.axes:
        texts = [axes.xaxis.label, axes.yaxis.label, *axes.get_yticklabels()]
        assert all(7 <= text.get_fontsize() <= 9 for text in texts)
    assert plt.rcParams["font.size"] == size


@pytest.mark.parametrize("kind", ["fitting", "heat"])
def test_the_documented_attributes_are_those_there_are(kind):
    import re

    display = draw(kind)
    section = re.search(r"Attributes\n +-+\n(.*?)\n\n", type(display).__doc__, re.S)
    documented = re.findall(r"\b\w+_(?= :|, \w+_ :)", section.group(1))
    assert {name for name in vars(display) if name.endswith("_")} == set(documented)


@pytest.mark.parametrize(
    ("wrong", "words"), [({"ax": "left"}, "'ax'"), ({"bins": 0}, "`bins` must be pos")]
)
def test_nothing_is_fitted_for_a_picture_that_cannot_be_drawn(wrong, words):
    with pytest.raises(ValueError, match=words):
        RandomizationTestDisplay.from_estimator("fitted", "never", None, **wrong)


def test_lines_differ_by_more_than_color():
    styles = [line_style(number) for number in range(100)]
    assert len({str(style) for style in styles}) == 100
    # Those next to each other differ in all of color, dashes and marker.
    for one, next_one in itertools.pairwise(styles):
        for name in ("color", "linestyle", "marker"):
            assert one[name] != next_one[name]


@pytest.mark.parametrize("kind", ["fitting", "heat"])
def test_without_matplotlib_the_extra_is_named(kind, monkeypatch):
    display = draw(kind)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"Display.* requires matplotlib"):
        display.plot()


def test_every_display_is_public():
    plotting = importlib.import_module("sk_memorize.plotting")
    assert set(plotting.__all__) <= set(sk_memorize.__all__)
    assert sk_memorize.__all__ == sorted(sk_memorize.__all__)


def test_a_figure_that_fails_is_closed(monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("no ink")

    monkeypatch.setattr("sk_memorize.plotting._fitting.draw_histories", fail)
    with pytest.raises(RuntimeError, match="no ink"):
        draw("fitting")
    assert plt.get_fignums() == []
