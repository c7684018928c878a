"""Scores of rows: what fits with and without a row say about it."""

import contextlib
import subprocess
import sys
import time

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from distributed import Client
from scipy.sparse import csc_array, csr_array
from scipy.stats import spearmanr
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sk_memorize import MemorizingMLP, memorization_scores
from sk_memorize.analysis.memorization._halves import draw_held_out, find_units
from sk_memorize.analysis.memorization._keys import row_keys, value_keys

X, y = load_iris(return_X_y=True)


def network(**params):
    return MemorizingMLP(width=16, max_epochs=12, target_accuracy=None, **params)


def committee():
    forest = RandomForestClassifier(5, n_jobs=2)
    return [forest, make_pipeline(StandardScaler(), network())]


def held_out(keys, codes, groups=None, n_fits=8, train_size=0.5):
    unit = find_units(np.asarray(keys, np.uint64), groups)
    return np.stack(list(draw_held_out(unit, np.asarray(codes), n_fits, train_size, 0)))


@pytest.mark.parametrize("n_rows", [4, 31, 150])
def test_halves_complement_each_other_and_divide_the_classes(n_rows):
    codes = np.random.RandomState(0).randint(3, size=n_rows)
    is_out = held_out(np.arange(n_rows), codes)
    assert (is_out[::2] == ~is_out[1::2]).all()
    assert n_rows == 4 or not (is_out[0] == is_out[2]).all()
    counts = [np.bincount(codes[row], minlength=3) for row in is_out]
    assert np.ptp(counts, axis=0).max() <= 2
    assert abs(is_out.sum(axis=1) - n_rows / 2).max() <= 0.5


@pytest.mark.parametrize("train_size", [0.1, 2 / 3, 0.7])
def test_rows_are_held_out_equally_often(train_size):
    is_out = held_out(np.arange(97), np.arange(97) % 4, None, 40, train_size)
    assert np.ptp(is_out.sum(axis=0)) <= 1
    assert abs(is_out.sum(axis=1) - 97 * (1 - train_size)).max() < 2


def test_equal_rows_and_groups_are_held_out_together_by_chains():
    keys = [0, 0, 1, 1, 2, 3, 4, 5]
    groups = np.array([7, 8, 8, 9, 9, 5, 5, 6], np.uint64)
    is_out = held_out(keys, [0, 1] * 4, groups, 40)
    assert (is_out[:, :5] == is_out[:, :1]).all()
    assert (is_out[:, 5] == is_out[:, 6]).all()
    assert len(np.unique(is_out[:, [0, 5, 7]], axis=0)) == 4  # two of a label part
    groups = np.repeat(np.arange(50, dtype=np.uint64), [8] * 10 + [1] * 40)
    is_out = held_out(np.arange(120), np.zeros(120, int), groups)
    assert (is_out[:, :80].sum(axis=1) == 40).all()  # half of the large ones


def test_keys_are_of_contents():
    rows = np.array([[0.0, 1], [2, 0], [-0.0, 1]])
    frame = pd.DataFrame({"a": ["x", None, "x"], "b": pd.Categorical([1, 2, 1])})
    for X, other in (
        (rows, rows[:, ::-1]),
        (rows.astype(">f2"), rows.astype(">f8") + 1),
        (csc_array(rows), csc_array(rows + 1)),
        (csr_array(([0, 1, 2, 1], ([0, 0, 1, 2], [0, 1, 0, 1]))), csr_array(rows + 1)),
        (frame, frame.iloc[:, ::-1]),
        (pl.DataFrame({"a": ["x", None, "x"], "b": [1, 2, 1]}), frame[["a"]]),
        (["good", "bad", "good"], ["fine", "poor", "fine"]),
    ):
        keys = row_keys(X)
        assert (keys[[0, 2]] == keys[0]).all()
        assert len({*keys, *row_keys(other)}) == 4
    assert value_keys([-0.0]) == value_keys([0.0])


def test_the_result_depends_on_nothing_else():
    def scores(rows=slice(None), **params):
        found = memorization_scores(
            committee(), frame.iloc[rows], y[rows], n_fits=4, random_state=0, **params,
            X_test=frame[::7], y_test=y[::7],
        )  # fmt: skip
        return found.to_frame().sort_index(), found.influence_values

    frame = pd.DataFrame(X, columns=list("abcd"))
    state = np.random.get_state()[1].copy()
    expected = scores()
    results = [scores(rows=np.random.RandomState(1).permutation(150))]
    results.append(scores(n_jobs=2))
    with joblib.parallel_config("threading", n_jobs=3):
        results.append(scores())
    cluster = Client(processes=False, dashboard_address=None, n_workers=1)
    with cluster, joblib.parallel_config("dask"):
        results.append(scores())
    for table, influence in results:
        pd.testing.assert_frame_equal(table, expected[0], check_exact=True)
        assert (influence == expected[1]).all()
    assert (np.random.get_state()[1] == state).all()


@pytest.fixture(scope="module")
def scores():
    return memorization_scores(
        GaussianNB(), X, y, n_fits=8, random_state=0,
        X_test=X[::10].tolist(), y_test=y[::10].astype(">i4"),
    )  # fmt: skip


def test_scores_are_those_of_fits_made_one_by_one(scores):
    bits, position, *_ = scores._tests
    is_out = np.unpackbits(bits, axis=1, count=150)[:, position].astype(bool)
    fits = [GaussianNB().fit(X[~out], y[~out]) for out in is_out]
    all_classes = np.stack([fit.predict_proba(X) for fit in fits])
    given = all_classes[:, np.arange(150), y]
    out, hits = (
        np.where(is_out, a, np.nan) for a in (given, all_classes.argmax(2) == y)
    )
    in_sample = np.where(is_out, np.nan, given)
    difference = np.nanmean(in_sample, 0) - np.nanmean(out, 0)
    # Of the two fits of a pair one is without the row.
    of_pairs = (np.where(is_out, -1, 1) * given).reshape(4, 2, 150).sum(axis=1)
    for name, expected in (
        ("heldout_probability", np.nanmean(out, 0)),
        ("heldout_accuracy", np.nanmean(hits, 0)),
        ("memorization", difference),
        ("standard_error", of_pairs.std(axis=0, ddof=1) / 2),
    ):
        np.testing.assert_allclose(getattr(scores, name), expected, atol=1e-4)


def test_influences_are_those_of_fits_made_one_by_one(scores):
    bits, position, probability, _ = scores._tests
    out = np.unpackbits(bits, axis=1, count=150)[:, position[7]].astype(bool)
    expected = probability[~out].mean(axis=0) - probability[out].mean(axis=0)
    np.testing.assert_allclose(scores.influence_of(7), expected, atol=1e-6)
    every = np.stack([scores.influence_of(row) for row in range(150)], 1)
    largest = np.sort(every)[:, ::-1][:, :10]
    assert (largest == scores.influence_values).all()
    chosen = np.take_along_axis(every, scores.influence_indices, 1)
    assert (chosen == largest).all()
    row = scores.influence_indices[3, 0]
    _, errors = scores.influence_of(row, return_std=True)
    assert errors[3] == scores.influence_standard_errors[3, 0]
    pairs = scores.influential_pairs(min_memorization=0.05, min_influence=0.02)
    is_same = y[::10][:, None] == y
    is_pair = (every >= 0.02) & (scores.memorization >= 0.05) & is_same
    found = zip(*np.nonzero(is_pair), every[is_pair], strict=True)
    columns = pairs[["test_row", "row", "influence"]].itertuples(index=False, name=None)
    assert sorted(columns) == sorted(found)


def test_held_out_probability_ranks_as_leaving_one_out_does():
    rng = np.random.RandomState(0)
    rows, labels = X[::2], y[::2].copy()
    labels[rng.permutation(75)[:8]] = rng.randint(3, size=8)
    classifier = LogisticRegression(max_iter=1000)
    scores = memorization_scores(classifier, rows, labels, n_fits=64, random_state=0)
    exact = [
        classifier.fit(np.delete(rows, row, 0), np.delete(labels, row)).predict_proba(
            rows[[row]]
        )[0, labels[row]]
        for row in range(75)
    ]
    assert spearmanr(scores.heldout_probability, exact)[0] > 0.9


FRAME = {"color": ["red", "blue"] * 20, "size": list(range(40))}
TEXTS = [f"{'good fine' if i % 2 else 'bad poor'} {i}" for i in range(40)]
ENCODER = make_column_transformer(
    # Not "passthrough": scikit-learn 1.7 cannot pass columns of polars.
    (OneHotEncoder(handle_unknown="ignore"), ["color"]),
    remainder=StandardScaler(),
)


@pytest.mark.parametrize(
    ("classifier", "rows"),
    [
        (make_pipeline(ENCODER, LogisticRegression()), pl.DataFrame(FRAME)),
        (make_pipeline(CountVectorizer(), MultinomialNB()), TEXTS),
        (MultinomialNB(), csc_array(np.arange(80).reshape(40, 2))),
        (network(), np.random.RandomState(0).rand(40, 3, 3).astype(np.float32)),
    ],
)
def test_takes_what_the_classifier_takes(classifier, rows):
    labels = np.array(["no", "yes"])[np.arange(40) % 2]
    scores = memorization_scores(classifier, rows, labels, n_fits=4, random_state=0)
    assert set(scores.suggested_label) <= {"no", "yes"}
    assert np.isfinite(scores.memorization).all()


def test_the_loss_of_a_training_comes_with_it():
    labels = np.where(np.arange(150) == 10, 2, y)
    weight = np.where(np.arange(150) == 20, 0.0, 1.0)
    for classifier in (
        network(),
        [make_pipeline(StandardScaler(), network()), GaussianNB()],
    ):
        scores = memorization_scores(
            classifier, X, labels, n_fits=16, random_state=0, sample_weight=weight
        )
        assert 10 in np.argsort(scores.cumulative_loss)[-3:]
        assert scores.cumulative_loss[20] == 0
        assert "cumulative_loss" in scores.to_frame()
    unweighted = network(class_weight={0: 0, 1: 1, 2: 1})
    resampled = BaggingClassifier(network(), n_estimators=1)
    without = [GaussianNB(), OneVsRestClassifier(network()), unweighted, resampled]
    for classifier in without:
        scores = memorization_scores(classifier, X, y, n_fits=2, random_state=0)
        assert scores.cumulative_loss is None


def test_top_finds_the_worst_of_each_value():
    index = [f"row {i}" for i in range(150)]
    frame = pd.DataFrame(X, index=index)
    scores = memorization_scores(GaussianNB(), frame, y, n_fits=4, random_state=0)
    assert scores.top(1).index == index[scores.memorization.argmax()]
    assert scores.top(2, within="class")["within"].tolist() == [0, 0, 1, 1, 2, 2]
    who = np.where(np.arange(150) % 2, "Ann", "Bob")
    worst = scores.top(2, by="heldout_margin", within=who)
    assert worst["within"].tolist() == ["Ann", "Ann", "Bob", "Bob"]
    missing = scores.top(2, within=np.where(who == "Ann", who, None))["within"]
    assert missing.isna().tolist() == [False, False, True, True]
    assert worst["heldout_margin"].iloc[0] == scores.heldout_margin[1::2].min()


def test_rare_classes_and_equal_rows_are_said():
    labels = y.copy()
    labels[0] = 7
    rows = X.copy()
    rows[1] = rows[0]
    scores = memorization_scores(GaussianNB(), rows, labels, n_fits=4, random_state=0)
    assert scores.rare_classes.tolist() == [7]
    assert scores.heldout_probability[0] == 0
    assert scores.n_equal_rows == 4  # two of iris are equal as well
    assert "[7]" in repr(scores)
    assert "4 rows" in repr(scores)
    plain = memorization_scores(GaussianNB(), X[:99:5], y[:99:5], n_fits=2)
    assert plain.summary().count("\n") == scores.summary().count("\n") - 2


ENDLESS = """
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB
from sk_memorize import memorization_scores
X, y = load_iris(return_X_y=True)
memorization_scores(
    GaussianNB(), X, y, n_fits=10_000, X_test=X, y_test=y, checkpoint="sums"
)
"""


def test_goes_on_after_a_kill(tmp_path):
    path = tmp_path / "sums"
    process = subprocess.Popen([sys.executable, "-c", ENDLESS], cwd=tmp_path)
    n_finished = 0
    while n_finished < 3 and process.poll() is None:
        time.sleep(0.02)
        with contextlib.suppress(FileNotFoundError), np.load(path) as file:
            n_finished = len(file["test_probability"])
    process.kill()
    process.wait()
    with np.load(path) as file:
        n_finished, seed = len(file["test_probability"]), int(file["seed"])
    params = {"X_test": X, "y_test": y, "n_fits": n_finished // 2 * 2 + 4}
    resumed = memorization_scores(GaussianNB(), X, y, checkpoint=path, **params)
    again = memorization_scores(GaussianNB(), X, y, checkpoint=path, **params)
    whole = memorization_scores(GaussianNB(), X, y, random_state=seed, **params)
    for scores in (resumed, again):
        pd.testing.assert_frame_equal(
            scores.to_frame(), whole.to_frame(), check_exact=True
        )
        assert (scores.influence_values == whole.influence_values).all()
