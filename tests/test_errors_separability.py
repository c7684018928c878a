"""What the test of separability and Cover's theorem refuse, and what they say."""

import numpy as np
import pandas as pd
from error_cases import each, never, refused, wrong_data
from scipy import sparse

from sk_memorize import cover_count, cover_log10_probability, separability_test
from sk_memorize.analysis.separability import _test

X = np.random.RandomState(0).standard_normal((6, 2))
Y = list("abcabc")
ROWS = "'X' parameter of separability_test"
LABELS = "'y' parameter of separability_test"

COVER = [
    case
    for name in ("cover_count", "cover_log10_probability")
    for case in wrong_data(
        name,
        ("samples-0", {"n_samples": 0}, "'n_samples' parameter", "[1, inf)", "Got 0"),
        ("samples-float", {"n_samples": 2.5}, "'n_samples'", "an int", "Got 2.5"),
        ("dim-negative", {"dim": -1}, "'dim' parameter", "[0, inf)", "Got -1"),
        ("dim-None", {"dim": None}, "'dim' parameter", "an int", "Got None"),
    )
]
SEPARABILITY = [
    *wrong_data(
        "separability_test",
        ("strategy", {"strategy": "all"}, "'strategy'", "'joint'", "Got 'all'"),
        ("intercept", {"fit_intercept": "no"}, "'fit_intercept'", "'bool'", "'no'"),
        ("iter-0", {"max_iter": 0}, "'max_iter' parameter", "[1, inf)", "Got 0"),
        ("jobs", {"n_jobs": "all"}, "'n_jobs' parameter", "or None", "'all'"),
        ("X-1d", {"X": X[:, 0]}, ROWS, "2d array-like of numbers", "shape (6,)"),
        ("X-nan", {"X": np.full((6, 2), np.nan)}, ROWS, "finite", "nan in row 0"),
        (
            "X-dates",
            {"X": pd.DataFrame(X.astype("M8[s]"))},
            ROWS,
            "hold numbers",
            "[s]",
        ),
        ("X-tiny", {"X": X * 1e-120}, ROWS, "largest magnitude in [1e-100", "multiply"),
        ("X-words", {"X": [["a"]] * 6}, ROWS, "2d array-like of numbers", "(6, 1)"),
        ("y-short", {"y": Y[:5]}, LABELS, "each of the 6 rows", "Got 5 labels"),
        ("y-one-class", {"y": ["a"] * 6}, LABELS, "at least two classes", "'a'"),
        ("y-continuous", {"y": X[:, 0]}, LABELS, "must hold whole numbers", "Got"),
    ),
    *wrong_data(
        "separability_test",
        ("X-sparse", {"X": sparse.csr_array(X)}, ROWS, "dense", "X.toarray()"),
        error=TypeError,
    ),
]
CHECK = wrong_data(
    "SeparabilityResult.check",
    (
        *("X-other-shape", {"X": X[:5], "y": Y[:5]}),
        *("'X' parameter of SeparabilityResult.check", "shape (6, 2)", "(5, 2)"),
    ),
)


@each(CHECK)
def test_a_proof_of_other_rows_is_not_checked(case):
    result = separability_test(X, Y)
    with refused(case):
        result.check(**case.data)


@each(COVER)
def test_nothing_is_counted(case):
    function = {f.__name__: f for f in (cover_count, cover_log10_probability)}[case.of]
    with refused(case):
        function(**({"n_samples": 6, "dim": 2} | case.data))


@each(SEPARABILITY)
def test_nothing_is_decided(case, monkeypatch):
    monkeypatch.setattr(_test, "_answer", never)
    with refused(case):
        separability_test(**({"X": X, "y": Y} | case.data))


CASES = CHECK + COVER + SEPARABILITY
