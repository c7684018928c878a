"""What the displays refuse, and what they say."""

import numpy as np
import pandas as pd
import pytest
from error_cases import each, refused, wrong_data
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

import sk_memorize
from sk_memorize import CorruptedTargetClassifier, MemorizingMLP

plt = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is not installed")

HISTORY = pd.DataFrame({"loss": [2.0, 1.0], "accuracy": [0.5, 1.0]}, index=[1, 2])
GRID = pd.DataFrame({"param_a": [1, 2], "param_b": [3, 3], "mean_test_score": [0, 1.0]})
CELLS = pd.DataFrame([[0.5, 1.0]])

# What makes a display, and what its methods are given unless a case says otherwise.
MAKE = {
    "FittingCurveDisplay": {"histories": HISTORY},
    "GridHeatmapDisplay": {"cells": CELLS, "name": "score"},
}
GIVEN = {
    "FittingCurveDisplay.from_results": {"histories": HISTORY},
    "GridHeatmapDisplay.from_results": {"results": GRID},
}


def unfitted():
    return MemorizingMLP()


def search():
    return GridSearchCV(LogisticRegression(), {"C": [1, 2]})


def told(owner):
    return f"parameter of {owner} must"


def axes(of, n_panels):
    """Make the cases of axes that cannot be drawn on."""
    start = f"'ax' {told(of)} be"
    kinds = (
        "an Axes of matplotlib" if n_panels == 1 else f"a sequence of {n_panels} Axes"
    )
    return wrong_data(
        of,
        ("ax-int", {"ax": 3}, start, kinds, "or None. Got 3"),
        ("ax-numbers", {"ax": [1] * n_panels}, start, kinds, "Got [1"),
        ("ax-too-few", {"ax": []}, start, kinds, "Got []"),
    )


def panels(of, owner, known):
    start = f"'panels' {told(owner)} be one or some of"
    return wrong_data(
        of,
        ("panels-unknown", {"panels": "speed"}, start, known, "Got 'speed'"),
        ("panels-empty", {"panels": []}, start, known, "Got []"),
        ("panels-one-unknown", {"panels": [known, "x"]}, start, known, "'x'"),
    )


FITTING = "FittingCurveDisplay"
HISTORIES = f"'histories' {told(FITTING)}"
TESTS = f"'test_accuracies' {told(FITTING)}"
ESTIMATOR = f"'estimator' {told(FITTING + '.from_estimator')} have a fitted Memor"
CURVES = [
    *wrong_data(
        f"{FITTING}.from_results",
        ("histories-None", {"histories": None}, HISTORIES, "a dict", "Got None"),
        ("histories-empty", {"histories": {}}, HISTORIES, "a dict", "Got {}"),
        ("histories-seeds", {"histories": {"a": []}}, HISTORIES, "a table", "Got []"),
        (
            "histories-equal",
            {"histories": {0: HISTORY, "0": HISTORY}},
            *(HISTORIES, "names that differ", "Got '0'"),
        ),
        ("histories-int", {"histories": {"a": 3}}, HISTORIES, "DataFrame", "Got 3"),
        (
            "histories-columns",
            {"histories": HISTORY[["loss"]]},
            *(HISTORIES, "columns ['loss', 'accuracy']", "without ['accuracy']"),
        ),
        (
            "tests-name",
            {"histories": {"a": HISTORY}, "test_accuracies": {"b": 0.5}},
            *(TESTS, "names of 'histories', ['a']", "Got 'b'"),
        ),
    ),
    *wrong_data(
        f"{FITTING}.from_results",
        ("chance", {"chance_accuracy": np.nan}, "'chance_accuracy'", "0 and 1", "nan"),
    ),
    *panels(f"{FITTING}.plot", f"{FITTING}.plot", "loss"),
    *axes(f"{FITTING}.plot", 2),
    *wrong_data(
        f"{FITTING}.from_estimator",
        ("estimator-None", {"estimator": None}, ESTIMATOR, "Got None"),
        ("estimator-class", {"estimator": MemorizingMLP}, ESTIMATOR, "Got <class"),
        ("estimator-str", {"estimator": "mlp"}, ESTIMATOR, "Got 'mlp'"),
        ("estimator-in-dict", {"estimator": {"a": 3}}, ESTIMATOR, "Got 3"),
        (
            "estimator-other",
            {"estimator": LogisticRegression().fit([[0], [1]], [0, 1])},
            *(ESTIMATOR, "Got LogisticRegression()"),
        ),
    ),
    *wrong_data(
        f"{FITTING}.from_estimator",
        ("unfitted", {"estimator": unfitted()}, "MemorizingMLP", "not fitted yet"),
        (
            "unfitted-within",
            {"estimator": {"a": CorruptedTargetClassifier(unfitted())}},
            *("CorruptedTargetClassifier", "not fitted yet"),
        ),
        error=NotFittedError,
    ),
]

HEATMAP = "GridHeatmapDisplay"
RESULTS = f"{HEATMAP}.from_results"
SEARCH = f"'estimator' {told(HEATMAP + '.from_estimator')} be a fitted search"
MAPS = [
    *wrong_data(
        HEATMAP,
        ("cells-None", {"cells": None}, f"'cells' {told(HEATMAP)}", "Got None"),
        ("cells-empty", {"cells": CELLS[:0]}, f"'cells' {told(HEATMAP)}", "rows"),
        ("name-int", {"name": 3}, f"'name' {told(HEATMAP)} be a str", "Got 3"),
    ),
    *wrong_data(
        RESULTS,
        (
            "results-None",
            {"results": None},
            *(f"'results' {told(RESULTS)} be cv_results_", "Got None"),
        ),
        (
            "x-unknown",
            {"x": "depth"},
            *(f"'x' {told(RESULTS)} be one of ['a', 'b']", "Got 'depth'"),
        ),
        ("y-unknown", {"y": 7}, f"'y' {told(RESULTS)} be one of ['a', 'b']", "Got 7"),
        (
            "y-missing",
            {"results": GRID.drop(columns="param_b")},
            *(f"'y' {told(RESULTS)} be given", "Got None"),
        ),
        (
            "y-same",
            {"x": "a", "y": "a"},
            *(f"'y' {told(RESULTS)} be another parameter than 'x'", "Got 'a'"),
        ),
        (
            "measure-unknown",
            {"measure": "speed"},
            *(f"'measure' {told(RESULTS)} be a key of numbers", "Got 'speed'"),
        ),
        (
            "measure-None",
            {"results": GRID.drop(columns="mean_test_score")},
            *(f"'measure' {told(RESULTS)} be a key of numbers", "Got None"),
        ),
    ),
    *wrong_data(
        f"{HEATMAP}.plot",
        ("cmap", {"cmap": "no colors"}, "'no colors'"),
        ("vmin", {"vmin": "low"}, "'low'"),
        ("values_format", {"values_format": ".4q"}, "'q'"),
    ),
    *axes(f"{HEATMAP}.plot", 1),
    *wrong_data(
        f"{HEATMAP}.from_estimator",
        ("estimator-None", {"estimator": None}, SEARCH, "Got None"),
        ("estimator-class", {"estimator": GridSearchCV}, SEARCH, "Got <class"),
        (
            "estimator-other",
            {"estimator": LogisticRegression().fit([[0], [1]], [0, 1])},
            *(SEARCH, "Got LogisticRegression()"),
        ),
    ),
    *wrong_data(
        f"{HEATMAP}.from_estimator",
        ("unfitted", {"estimator": search()}, "GridSearchCV", "not fitted yet"),
        error=NotFittedError,
    ),
]

CASES = [*CURVES, *MAPS]


@each(CASES)
def test_nothing_is_drawn(case):
    name, _, method = case.of.partition(".")
    display = getattr(sk_memorize, name)
    with refused(case):
        if not method:
            display(**(MAKE[name] | case.data))
        elif method == "plot":
            display(**MAKE[name]).plot(**case.data)
        else:
            getattr(display, method)(**(GIVEN.get(case.of, {}) | case.data))
    assert plt.get_fignums() == []
