"""Wrong labels are found, counted, dropped and replaced."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from imblearn.pipeline import make_pipeline
from imblearn.utils.estimator_checks import estimator_checks_generator
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy.sparse import csr_array
from sklearn.datasets import load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.naive_bayes import GaussianNB
from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_memorize import LabelPermuter, MislabeledRows, find_mislabeled
from sk_memorize.analysis.memorization._committee import encode_rows

X, Y = load_wine(return_X_y=True, as_frame=True)
NOISE = LabelPermuter("symmetric", fraction=0.1, random_state=0).fit(Y)
Y_WRONG, IS_WRONG = NOISE.y_corrupted_, NOISE.corrupted_mask_

CHEAP = MislabeledRows(LogisticRegression(), n_fits=5, random_state=0)


@parametrize_with_checks([CHEAP])
def test_sklearn_conventions(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    ("estimator", "check"),
    list(estimator_checks_generator(CHEAP)),
    ids=lambda value: getattr(getattr(value, "func", None), "__name__", None),
)
def test_imblearn_conventions(estimator, check):
    check(estimator)


def test_wrong_labels_come_first_and_are_counted():
    found = find_mislabeled(X, Y_WRONG, n_fits=10, random_state=0)
    assert average_precision_score(IS_WRONG[found.index], found["score"]) > 0.95
    assert found.attrs["n_wrong"] == pytest.approx(IS_WRONG.sum(), rel=0.2)
    assert found.attrs["n_wrong"] == pytest.approx(found["probability_wrong"].sum())
    assert found["score"].is_monotonic_decreasing
    worst = found[found["probability_wrong"] > 0.5]
    assert (worst["suggested_label"] == Y[worst.index]).mean() > 0.9
    rest = found.drop(worst.index)
    assert_array_equal(rest["suggested_label"], rest["given_label"])


def test_neither_the_order_of_the_rows_nor_n_jobs_matters():
    found = find_mislabeled(X, Y_WRONG, n_fits=5, random_state=0)
    shuffled = X.sample(frac=1, random_state=1)
    again = find_mislabeled(
        shuffled, Y_WRONG[shuffled.index], n_fits=5, random_state=0, n_jobs=2
    )
    assert_frame_equal(found, again)
    assert found.attrs == again.attrs
    named = X.set_axis([f"row {i}" for i in X.index])
    again = find_mislabeled(named, Y_WRONG, n_fits=5, random_state=0)
    assert again.index[0] == f"row {found.index[0]}"


def test_frames_of_any_columns_are_read():
    n = np.arange(90)
    days = pd.date_range("2026-01-01", periods=90).to_pydatetime()
    columns = {
        "number": [None if k % 9 == 0 else float(k) for k in n],
        "word": [("left", "right", None)[k % 3] for k in n],
        "day": [None if k % 7 == 0 else days[k] for k in n],
        "flag": [bool(k % 2) for k in n],
    }
    y = np.array(["a", "b", "c"])[n % 3]
    y[5] = "a"
    frame, settings = pd.DataFrame(columns), {"n_fits": 5, "random_state": 0}
    found = find_mislabeled(frame, y, **settings)
    assert found.index[0] == 5
    assert found["suggested_label"][5] == "c"
    assert_frame_equal(found, find_mislabeled(pl.DataFrame(columns), y, **settings))
    as_objects = frame.drop(columns="day").to_numpy()
    assert find_mislabeled(as_objects, y, **settings).index[0] == 5


def test_rows_of_one_kind_are_encoded():
    numbers = np.array([[1.0, 0], [0, 3]])
    assert_array_equal(encode_rows(csr_array(numbers), "f"), numbers)
    words = pd.DataFrame({"word": ["left", "right"]})
    assert_array_equal(encode_rows(words, "f"), np.eye(2))
    gaps = pd.DataFrame({"number": [1.0, np.nan, 5]})
    masked = np.ma.masked_equal([[1], [0], [5]], 0)
    for rows in (gaps, masked):
        assert_array_equal(encode_rows(rows, "f"), [[1, 0], [3, 1], [5, 0]])
    objects = {"day": [date(2026, 1, 1), date(9999, 1, 1)], "price": [Decimal(2)] * 2}
    for kind in (pl.DataFrame, pd.DataFrame):
        assert_array_equal(encode_rows(kind(objects), "f"), [[0, 2], [2_912_078, 2]])


def draw_probabilities(n_rows, transitions, rng):
    """Draw true labels by known probabilities, and given ones by known transitions."""
    n_classes = len(transitions)
    probabilities = rng.dirichlet(np.full(n_classes, 0.2), n_rows)
    draw = [rng.choice(n_classes, p=p) for p in probabilities]
    return probabilities, draw, [rng.choice(n_classes, p=transitions[k]) for k in draw]


def test_the_probability_is_calibrated_for_given_probabilities():
    transitions = np.array([[0.7, 0.3, 0], [0, 1, 0], [0.05, 0.05, 0.9]])
    rng = np.random.RandomState(0)
    probabilities, true, given = draw_probabilities(3000, transitions, rng)
    found = find_mislabeled(None, given, pred_probs=probabilities).sort_index()
    is_wrong = np.not_equal(true, given)
    assert found.attrs["n_wrong"] == pytest.approx(is_wrong.sum(), rel=0.1)
    for low in np.arange(0, 1, 0.25):
        inside = found["probability_wrong"].between(low, low + 0.25)
        off = is_wrong[inside].mean() - found["probability_wrong"][inside].mean()
        assert abs(off) < 0.1
    is_other = found["suggested_label"] != found["given_label"]
    assert_array_equal(is_other, found["probability_wrong"] > 0.5)
    order = rng.permutation(3000)
    again = find_mislabeled(
        None, np.take(given, order), pred_probs=probabilities[order]
    )
    assert_array_equal(again.sort_index()["score"], found["score"].iloc[order])


def test_rows_of_a_group_do_not_judge_each_other():
    rng = np.random.RandomState(0)
    twins = np.repeat(rng.standard_normal((60, 5)), 2, axis=0)
    twins += 1e-3 * rng.standard_normal(twins.shape)
    y = np.repeat(rng.randint(2, size=60), 2)  # tells nothing about the rows
    groups = np.repeat(np.arange(60), 2)
    settings = {"n_fits": 10, "random_state": 0}
    trusted = find_mislabeled(twins, y, **settings)
    judged = find_mislabeled(twins, y, groups=groups, **settings)
    assert judged["score"].mean() > trusted["score"].mean() + 0.1


def test_rows_are_found_by_number_share_or_threshold():
    sampler = MislabeledRows(GaussianNB(), n_rows=7, random_state=0)
    X_kept, y_kept = sampler.fit_resample(X, Y_WRONG)
    assert sampler.mask_.sum() == 7
    assert_array_equal(sampler.sample_indices_, np.flatnonzero(~sampler.mask_))
    assert_frame_equal(X_kept, X[~sampler.mask_])
    assert_array_equal(y_kept, Y_WRONG[~sampler.mask_])
    assert sampler.scores_.index.equals(X.index)
    worst = sampler.scores_.nlargest(7, "score").index
    assert_array_equal(np.sort(worst), np.flatnonzero(sampler.mask_))
    assert sampler.set_params(n_rows=0.5).fit(X, Y_WRONG).mask_.sum() == 89
    sampler.set_params(n_rows=None, threshold=0.9).fit(X, Y_WRONG)
    expected = sampler.scores_["probability_wrong"] > 0.9
    assert_array_equal(sampler.mask_, expected)
    assert 0 < expected.sum() < 25


@pytest.mark.parametrize("kind", [list, np.array, pd.Series, pl.Series])
def test_labels_are_corrected_in_the_type_given(kind):
    rows, true = load_iris(return_X_y=True)
    true = np.array(["setosa", "versicolor", "virginica"])[true]
    y = true.copy()
    y[[3, 60]] = "virginica"
    given = kind(y.tolist())
    sampler = MislabeledRows(GaussianNB(), action="relabel", n_rows=2, random_state=0)
    X_out, y_out = sampler.fit_resample(rows, given)
    assert_array_equal(X_out, rows)
    assert type(y_out) is type(given)
    assert (np.asarray(y_out) == true)[[3, 60]].sum() >= 1
    assert (np.asarray(given) == y).all()
    assert sum(sampler.sampling_strategy_.values()) == 150


def test_a_pipeline_drops_rows_in_training_only():
    sampler = MislabeledRows(GaussianNB(), n_rows=0.1, random_state=0)
    pipeline = make_pipeline(sampler, GaussianNB()).fit(X, Y_WRONG)
    assert_allclose(pipeline[-1].class_count_.sum(), 160)
    assert len(pipeline.predict(X)) == 178
