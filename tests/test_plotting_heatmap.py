"""The heat map: its cells are the scores, and can be read."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from sk_memorize import GridHeatmapDisplay

plt = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is not installed")

X, y = (part[:300] for part in load_digits(return_X_y=True))


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
