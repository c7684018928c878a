"""The displays: what is in the axes is what was given."""

import itertools
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_memorize import (
    CorruptedTargetClassifier,
    FittingCurveDisplay,
    GridHeatmapDisplay,
    MemorizingMLP,
    RandomizationTestDisplay,
    randomization_test,
)
from sk_memorize.plotting._style import line_style

plt = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is not installed")

X, y = (part[:300] for part in load_digits(return_X_y=True))
TESTED = randomization_test(GaussianNB(), X, y, n_permutations=1, random_state=0)


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


def test_epochs_are_whole_and_panels_keep_their_room():
    names = [f"a network with a rather long name {i}" for i in range(12)]
    display = FittingCurveDisplay.from_results(dict.fromkeys(names, history(2)))
    display.figure_.canvas.draw()
    for axes in display.ax_:
        low, high = axes.get_xlim()
        assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [1]
        room = axes.get_window_extent().height
        assert axes.yaxis.label.get_window_extent().height < room


def test_no_line_is_lost_in_a_dark_style():
    with plt.style.context("dark_background"):
        display = FittingCurveDisplay.from_results(dict.fromkeys("abcdefg", history(2)))
    colors = [line.get_color() for line in display.lines_["loss"].values()]
    assert "#000000" not in map(plt.matplotlib.colors.to_hex, colors)


# All of them


@pytest.mark.parametrize("name", ["scale", "ticks"])
def test_axes_keep_scales_and_ticks_of_the_user(name):
    setting = "log" if name == "scale" else []
    _, (left, right) = plt.subplots(1, 2)
    left.set(**{f"x{name}": setting})
    right.set(**{f"y{name}": setting})
    FittingCurveDisplay.from_results(history(2, 1), panels="accuracy", ax=left)
    RandomizationTestDisplay.from_results(TESTED, ax=right)
    for kept in (getattr(left, f"get_x{name}")(), getattr(right, f"get_y{name}")()):
        assert list(kept) == list(setting)


def test_a_bar_of_equal_values_is_seen():
    display = RandomizationTestDisplay.from_results(TESTED)
    low, high = display.ax_.get_xlim()
    assert display.bars_[0].get_width() > 0.05 * (high - low)


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


def test_a_figure_that_fails_is_closed(monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("no ink")

    monkeypatch.setattr("sk_memorize.plotting._fitting.draw_histories", fail)
    with pytest.raises(RuntimeError, match="no ink"):
        draw("fitting")
    assert plt.get_fignums() == []
