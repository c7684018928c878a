"""Scores against the true and the fitted labels."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sk_memorize.corruption import (
    CorruptedTargetClassifier,
    LabelPermuter,
    memorization_scoring,
)
from sk_memorize.corruption._fingerprints import digest_rows

X = np.random.RandomState(0).standard_normal((120, 4))
y = np.tile(["a", "b", "c"], 40)
NOISE = LabelPermuter("symmetric", fraction=0.25, random_state=0)
NEIGHBOR = KNeighborsClassifier(n_neighbors=1)
CELLS = pd.DataFrame(
    {
        "n": np.arange(120.0),
        "list": [[i, "x", None] for i in range(120)],
        "dict": [{"a": i, "b": {i}} for i in range(120)],
    }
)
fitted_accuracy = memorization_scoring()["fitted_accuracy"]


def corrupted(estimator=NEIGHBOR, corruption=NOISE):
    return CorruptedTargetClassifier(estimator, corruption)


@pytest.mark.parametrize(
    "classifier",
    [
        corrupted(DecisionTreeClassifier(random_state=0)),
        corrupted(),
        corrupted(make_pipeline(PCA(), NEIGHBOR)),
        make_pipeline(StandardScaler(), "passthrough", corrupted()),
        GridSearchCV(corrupted(), {"estimator__n_neighbors": [1]}, cv=2),
        GridSearchCV(NEIGHBOR, {"n_neighbors": [1]}, cv=2),
    ],
    ids=["tree", "neighbor", "around", "within", "search", "clean"],
)
@pytest.mark.parametrize("as_frame", [False, True])
def test_columns_of_cross_validation(classifier, as_frame):
    data = (pd.DataFrame(X), pd.Series(y)) if as_frame else (X, y)
    scores = cross_validate(
        classifier,
        *data,
        cv=4,
        scoring=memorization_scoring(),
        return_train_score=True,
        return_estimator=True,
        return_indices=True,
    )
    clean = isinstance(classifier, GridSearchCV) and classifier.estimator is NEIGHBOR
    assert_array_equal(scores["train_fitted_accuracy"], 1)
    rate = 0 if clean else 22 / 90
    assert_allclose(scores["train_accuracy"], 1 - rate)
    for fitted, test, accuracy, by_fitted in zip(
        scores["estimator"],
        scores["indices"]["test"],
        scores["test_accuracy"],
        scores["test_fitted_accuracy"],
        strict=True,
    ):
        rows = data[0].iloc[test] if as_frame else data[0][test]
        assert accuracy == (fitted.predict(rows) == y[test]).mean()
        assert by_fitted == accuracy if clean else np.isnan(by_fitted)


def test_folds_with_equal_labels_are_told_apart():
    labels = np.sort(y)
    train, test = next(StratifiedKFold(2).split(X, labels))
    assert_array_equal(labels[train], labels[test])
    clf = corrupted().fit(X[train], labels[train])
    assert fitted_accuracy(clf, X[train], labels[train]) == 1
    assert np.isnan(fitted_accuracy(clf, X[test], labels[test]))
    scores = cross_validate(clf, X, labels, cv=2, scoring=memorization_scoring())
    assert np.isnan(scores["test_fitted_accuracy"]).all()


def test_the_training_rows_with_other_labels_have_no_fitted_labels():
    clf = corrupted().fit(X, y)
    assert np.isnan(fitted_accuracy(clf, X, np.roll(y, 1)))
    assert np.isnan(fitted_accuracy(clf, X[:-3], y[:-3]))
    assert np.isnan(fitted_accuracy(clf, X[::-1], y))


def test_a_search_warns_about_the_undefined_score_and_refits_by_the_other():
    search = GridSearchCV(
        corrupted(),
        {"estimator__n_neighbors": [1, 5]},
        cv=3,
        scoring=memorization_scoring(),
        refit="accuracy",
        return_train_score=True,
    )
    with pytest.warns(UserWarning, match="test scores are non-finite"):
        search.fit(X, y)
    assert search.cv_results_["mean_train_fitted_accuracy"][0] == 1
    assert search.cv_results_["mean_train_accuracy"][0] == 0.75
    assert np.isfinite(search.cv_results_["mean_test_accuracy"]).all()


def test_a_corruption_within_a_corruption_is_followed():
    clf = corrupted(corrupted(NEIGHBOR, LabelPermuter("asymmetric"))).fit(X, y)
    assert_array_equal(clf.predict(X), clf.estimator_.y_corrupted_)
    assert fitted_accuracy(clf, X, y) == 1


def test_a_corruption_that_only_the_grid_knows_is_followed():
    search = GridSearchCV(
        make_pipeline(NEIGHBOR), {"kneighborsclassifier": [corrupted()]}, cv=2
    ).fit(X, y)
    assert search.score(X, y) == 0.75
    assert fitted_accuracy(search, X, y) == 1


@pytest.mark.parametrize(
    "classifier",
    [
        CalibratedClassifierCV(corrupted(), cv=2),
        BaggingClassifier(corrupted(), n_estimators=2),
        make_pipeline(PCA(svd_solver="full"), corrupted()),
    ],
    ids=["calibrated", "bagging", "inexact"],
)
def test_what_cannot_be_followed_is_nan(classifier):
    assert np.isnan(fitted_accuracy(classifier.fit(X, y), X, y))


def test_an_estimator_need_not_be_one_of_scikit_learn():
    class Constant:
        def predict(self, X):
            return np.full(len(X), "a")

    assert fitted_accuracy(Constant(), X, y) == pytest.approx(1 / 3)


def test_scorers_pickle():
    copy = pickle.loads(pickle.dumps(memorization_scoring()))
    clf = corrupted().fit(X, y)
    assert copy["fitted_accuracy"](clf, X, y) == 1
    assert copy["accuracy"](clf, X, y) == 0.75


@pytest.mark.parametrize(
    ("rows", "same"),
    [
        (X, np.asfortranarray(X)),
        (X, np.repeat(X, 2, axis=1)[:, ::2]),
        (X, X.astype(">f8")),
        (X, X.tolist()),
        (X, pd.DataFrame(dict(enumerate(X.T)), index=np.arange(1, 121))),
        (np.eye(3, dtype=np.float32), -0.0 + np.eye(3, dtype=int)),
        (sparse.csr_array(X), sparse.coo_array(X)),
        ([f"text {i}" for i in range(9)], [f"text {i}" for i in range(9)]),
        ([[1], [2, 3]], [[1], [2, 3]]),  # of different lengths
        (CELLS, pickle.loads(pickle.dumps(CELLS))),
    ],
)
def test_the_digest_depends_on_content_only(rows, same):
    assert digest_rows(rows) == digest_rows(same)


def test_rows_with_lists_and_dicts_are_recognized_again():
    trees = make_pipeline(FunctionTransformer(lambda X: X[["n"]]), NEIGHBOR)
    clf = corrupted(trees).fit(CELLS, y)
    assert fitted_accuracy(clf, pickle.loads(pickle.dumps(CELLS)), y[:, None]) == 1
    CELLS.loc[119, "dict"]["a"] += 1
    assert np.isnan(fitted_accuracy(clf, CELLS, y))
    CELLS.loc[119, "dict"]["a"] -= 1


def test_the_digest_sees_row_order_dtype_and_number():
    first, last = X.copy(), X.copy()
    first[1] += 1
    last[-1] += 1
    others = first, last, X[::-1], X[:-1], X.astype(np.float32), np.vstack([X, X[:1]])
    assert len({digest_rows(rows) for rows in [X, *others]}) == 7
