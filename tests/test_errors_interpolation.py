"""What the interpolators refuse, and what they say."""

import numpy as np
import pandas as pd
import pytest
from error_cases import each, never, refused, wrong_data, wrong_parameters
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sk_memorize import (
    KernelInterpolator,
    MemorizingMLP,
    TwoLayerInterpolator,
    TwoLayerInterpolatorRegressor,
    separability_test,
)
from sk_memorize.analysis.interpolation import _kernel, _two_layer

X, Y = (values[:60] for values in load_digits(return_X_y=True))
FRAME = pd.DataFrame(X).add_prefix("pixel")
CLASSES = {
    public.__name__: public
    for public in (
        KernelInterpolator,
        TwoLayerInterpolator,
        TwoLayerInterpolatorRegressor,
    )
}
NUMBERS = ["TwoLayerInterpolatorRegressor"]
CLASSIFIERS = ["KernelInterpolator", "TwoLayerInterpolator"]
LINES = ["TwoLayerInterpolator", "TwoLayerInterpolatorRegressor"]

SEED = "'random_state' parameter", "an int in the range"
GAMMA = "'gamma' parameter of KernelInterpolator"
ROWS = "'X' parameter of KernelInterpolator"
MEMORY = "'max_memory' parameter of KernelInterpolator"
PARAMETERS = [
    *(
        case
        for name in LINES
        for case in wrong_parameters(
            f"{name}.fit",
            ("seed-str", {"random_state": "x"}, *SEED, "Got 'x'"),
            ("seed-negative", {"random_state": -1}, *SEED, "Got -1"),
            (
                "seed-new",
                {"random_state": np.random.default_rng(0)},
                *(*SEED, "Generator(PCG64)"),
            ),
        )
    ),
    *wrong_parameters(
        "KernelInterpolator.fit",
        ("gamma-str", {"gamma": "auto"}, GAMMA, "{'scale'}", "Got 'auto'"),
        ("gamma-0", {"gamma": 0}, GAMMA, "(0.0, inf)", "Got 0"),
        ("gamma-nan", {"gamma": np.nan}, GAMMA, "a float", "Got nan"),
        ("memory-0", {"max_memory": 0}, MEMORY, "(0.0, inf)", "Got 0"),
        ("memory-str", {"max_memory": "20G"}, MEMORY, "or None", "Got '20G'"),
        (
            "memory-small",
            {"max_memory": 1e-6},
            *(MEMORY, "at least 0.000141 (GiB)", "60 distinct rows in float64"),
            *("Got 1e-06", "fit fewer rows"),
        ),
    ),
]

TO_PREDICT = [
    ("X-nan", {"X": np.where(X == 5, np.nan, X)}, "Input X contains NaN"),
    ("X-1d", {"X": X[:, 0]}, "Expected 2D array", "got 1D array", "Reshape your data"),
    ("X-None", {"X": None}, "Expected 2D array", "got scalar array", "nan"),
    ("X-words", {"X": X.astype(str) + "x"}, "could not convert string", "'0.0x'"),
    ("X-dates", {"X": X.astype("M8[D]")}, "'X' parameter", "hold numbers", "[D]"),
    ("no-rows", {"X": X[:0]}, "0 sample(s)", "minimum of 1 is required"),
]
SPARSE = (
    *("sparse", {"X": sparse.csr_array(X)}, "Sparse data was passed for X"),
    *("dense data is required", ".toarray()"),
)
NAN_LABELS = np.where(np.arange(60) == 3, np.nan, Y)
# Two numbers that a float64 sum over both columns cannot tell apart.
NEAR = np.array([[5e-324, 0.0], [0.0, 0.0], [1.0, 1.0]])
HUGE = np.array([[1.7e308, 1.7e308], [-1.7e308, 1.7e308], [1.7e308, -1.7e308]])
DATA = [
    *(
        case
        for name in CLASSES
        for case in wrong_data(f"{name}.fit", SPARSE, error=TypeError)
    ),
    *(
        case
        for name in CLASSES
        for case in wrong_data(
            f"{name}.fit",
            *TO_PREDICT,
            ("no-columns", {"X": X[:, :0]}, "0 feature(s)", "minimum of 1"),
            ("y-None", {"y": None}, name, "requires y", "y is None"),
            ("y-short", {"y": Y[:-1]}, "inconsistent numbers of samples", "[60, 59]"),
            ("y-2d", {"y": np.eye(10)[Y]}, "1d array", "shape (60, 10)"),
            ("y-nan", {"y": NAN_LABELS}, "y", "NaN" if name in NUMBERS else "missing"),
        )
    ),
    *(
        case
        for name in CLASSIFIERS
        for case in wrong_data(
            f"{name}.fit",
            (
                "y-one-class",
                {"y": 0 * Y},
                *(f"'y' parameter of {name}", "at least two classes"),
                "Got one class, 0, instead",
            ),
            ("y-continuous", {"y": Y + 0.5}, "label type: continuous", "Got 0.5"),
        )
    ),
    *(
        case
        for name in LINES
        for case in wrong_data(
            f"{name}.fit",
            (
                "X-near",
                {"X": NEAR, "y": [0, 1, 0]},
                *(f"'X' parameter of {name}", "different projections"),
                *("Got the rows 0 and 1", "10 random lines", "rescale"),
            ),
        )
    ),
    *wrong_data(
        "TwoLayerInterpolatorRegressor.fit",
        ("y-dates", {"y": Y.astype("m8[s]")}, "'y' parameter of Two", "numbers"),
        ("y-words", {"y": FRAME.columns[:60]}, "could not convert string", "'pixel0'"),
    ),
    *wrong_data(
        "KernelInterpolator.fit",
        (
            "X-huge",
            {"X": HUGE / 1e100, "y": [0, 1, 0]},
            *(ROWS, "squared distances, times gamma, are finite in float64"),
            *("Got a row, number 0,", "overflow", "gamma = 1"),
        ),
        gamma=1.0,
    ),
    *wrong_data(
        "KernelInterpolator.fit",
        (
            "X-tiny",
            {"X": X * 1e-170},
            *(ROWS, "must have a variance", "Got", "a constant"),
        ),
    ),
]


@each(PARAMETERS + DATA)
def test_nothing_is_fitted(case, monkeypatch):
    monkeypatch.setattr(_two_layer, "solve_output_weights", never)
    monkeypatch.setattr(_kernel, "solve_in_place", never)
    rng = np.random.RandomState(0)
    estimator = CLASSES[case.of.partition(".")[0]](**case.params)
    if case.of.startswith("Two") and not case.params and case.name != "X-near":
        estimator.set_params(random_state=rng)
    with refused(case):
        estimator.fit(**({"X": X, "y": Y} | case.data))
    with pytest.raises(NotFittedError):
        check_is_fitted(estimator)
    assert rng.rand() == np.random.RandomState(0).rand()


def test_what_the_system_has_not_is_refused(monkeypatch):
    monkeypatch.setattr(_kernel, "_available_memory", lambda: 1e-6)
    words = r"Got None, and 1e-06 GiB are available, instead; fit fewer rows"
    with pytest.raises(ValueError, match=words):
        KernelInterpolator().fit(X, Y)
    monkeypatch.setattr(_kernel, "_available_memory", lambda: None)
    assert KernelInterpolator().fit(X, Y).train_accuracy_ == 1.0


def test_the_system_tells_its_memory(monkeypatch):
    assert 0.01 < _kernel._available_memory() < 1e6
    monkeypatch.setattr("pathlib.Path.exists", lambda path: False)
    assert 0.01 < _kernel._available_memory() < 1e6
    monkeypatch.delattr("os.sysconf")
    assert _kernel._available_memory() is None


@pytest.fixture(scope="module")
def fitted():
    return {name: public().fit(FRAME, Y) for name, public in CLASSES.items()}


METHODS = [
    *(f"{name}.{method}" for name in CLASSES for method in ["predict"]),
    *(f"{name}.decision_function" for name in CLASSIFIERS),
    "TwoLayerInterpolator.predict_proba",
]
PREDICTION = [
    *wrong_data("TwoLayerInterpolator.predict", SPARSE, error=TypeError),
    *wrong_data("KernelInterpolator.predict", SPARSE, error=TypeError),
]
PREDICTION += [
    case
    for method in METHODS
    for case in wrong_data(
        method,
        *TO_PREDICT,
        ("columns", {"X": X[:, 1:]}, "X has 63 features", "is expecting 64"),
        (
            "names",
            {"X": FRAME.rename(columns={"pixel0": "a"})},
            *("feature names should match", "- a", "pixel0"),
        ),
        ("huge", {"X": HUGE.repeat(32, 1)}, "'X' parameter", "finite", "overflow"),
    )
]
UNFITTED = [
    case
    for method in [*METHODS, *(f"{name}.to_module" for name in LINES)]
    for case in wrong_data(
        method,
        (
            "unfitted",
            {} if method.endswith("module") else {"X": X},
            *(f"This {method.partition('.')[0]} instance is not fitted", "Call 'fit'"),
        ),
        error=NotFittedError,
    )
]


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@each(PREDICTION)
def test_nothing_is_predicted(case, fitted):
    name, _, method = case.of.partition(".")
    with refused(case):
        getattr(fitted[name], method)(**case.data)


@each(UNFITTED)
def test_predictions_need_a_fit(case):
    name, _, method = case.of.partition(".")
    with refused(case):
        getattr(CLASSES[name](), method)(**case.data)


def test_a_module_with_infinite_weights_is_not_made():
    rows, targets = [[0.0], [1.0], [1.0 + 1e-10]], [0.0, 0.0, 1e300]
    reg = TwoLayerInterpolatorRegressor(random_state=0).fit(rows, targets)
    assert reg.predict(rows).tolist() == targets
    with pytest.raises(ValueError, match=r"'y' parameter of .* finite .* Got inf"):
        reg.to_module()


NO_LABELS = [
    *([None, "a"], [np.nan, "a"], [1, "a"], [np.nan, 1.0], np.array([b"a", b"b"])),
    *(np.array(["NaT", 1], "M8[ns]"), np.array([1, 2], "M8[D]"), pd.array([1, None])),
]
TAKERS = [separability_test, MemorizingMLP().partial_fit]
TAKERS += [c().fit for c in (KernelInterpolator, TwoLayerInterpolator, MemorizingMLP)]


@pytest.mark.parametrize("y", NO_LABELS, ids=repr)
@pytest.mark.parametrize("take", TAKERS)
def test_what_is_no_label_is_refused_everywhere(take, y):
    with pytest.raises((ValueError, TypeError), match=r"The 'y' parameter.*instead\.$"):
        take([[0.0], [1.0]], y)


CASES = PARAMETERS + DATA + PREDICTION + UNFITTED
