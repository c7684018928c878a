"""CorruptedTargetClassifier."""

import inspect

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

from sk_memorize import memorization_capacity, randomization_test
from sk_memorize.corruption import CorruptedTargetClassifier, LabelPermuter

X = np.random.RandomState(0).standard_normal((90, 4))
y = np.tile(["a", "b", "c"], 30)
NOISE = LabelPermuter("symmetric", fraction=0.3, random_state=0)


class Recorder(KNeighborsClassifier):
    """A nearest neighbor that remembers what it was fitted to."""

    def __init__(self):
        super().__init__(n_neighbors=1)

    def fit(self, X, y, sample_weight=None, strata=None):
        self.y_seen_, self.weight_seen_, self.strata_seen_ = y, sample_weight, strata
        return super().fit(X, y)


def test_a_clone_is_fitted_to_the_corrupted_labels():
    estimator = Recorder()
    clf = CorruptedTargetClassifier(estimator, NOISE).fit(X, y)
    assert_array_equal(clf.estimator_.y_seen_, clf.y_corrupted_)
    assert_array_equal(clf.corrupted_mask_, clf.y_corrupted_ != y)
    assert clf.realized_rate_ == clf.corruption_.realized_rate_ == 0.3
    assert_array_equal(clf.corruption_.transform(y), clf.y_corrupted_)
    assert_array_equal(clf.predict(X), clf.y_corrupted_)
    assert not hasattr(estimator, "classes_")
    assert not hasattr(NOISE, "classes_")


@pytest.mark.parametrize("labels", [y, pd.Series(y, index=range(100, 190), name="y")])
def test_rows_without_weight_are_as_good_as_absent(labels):
    weight = np.tile([0.0, 1.0, 2.0, 0.0, 1.0], 18)
    kept = weight > 0
    groups = 10 * (np.arange(90) // 6) + np.tile([0, 1, 2], 30)
    clf = CorruptedTargetClassifier(Recorder(), NOISE)
    clf.fit(X, labels, sample_weight=weight, groups=groups)
    absent = CorruptedTargetClassifier(Recorder(), NOISE).fit(
        X[kept], y[kept], groups=groups[kept]
    )
    assert type(clf.y_corrupted_) is type(labels)
    corrupted = np.asarray(clf.y_corrupted_)
    assert_array_equal(corrupted[kept], absent.y_corrupted_)
    assert_array_equal(corrupted[~kept], y[~kept])
    assert_array_equal(clf.corrupted_mask_, corrupted != y)
    assert clf.realized_rate_ == absent.realized_rate_ > 0
    with pytest.raises(ValueError, match=r"sample_weight.*100"):
        CorruptedTargetClassifier(LogisticRegression()).fit(
            X, y, sample_weight=np.arange(100) % 3
        )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "kind"), all_estimators(type_filter="classifier"))
def test_every_classifier_of_scikit_learn(name, kind):
    tree = DecisionTreeClassifier(max_depth=1)
    parts = {"estimator": tree, "estimators": [("tree", tree)]}
    needed = {
        key: parts[key] for key in inspect.signature(kind).parameters if key in parts
    }
    rows, labels = (abs(10 * X[:60])).astype(int), (y[:60] == "a").astype(int)
    clf = CorruptedTargetClassifier(kind(**needed), LabelPermuter(random_state=0))
    if name in ("ClassifierChain", "MultiOutputClassifier"):
        with pytest.raises(ValueError, match="one label for each row"):
            clf.fit(rows, labels)
    else:
        assert clf.fit(rows, labels).predict(rows).shape == (60,)
    if name == "StackingClassifier":
        randomization_test(kind(**needed), rows, labels, n_permutations=1)
        memorization_capacity(kind(**needed), rows, n_repeats=1, random_state=0)


STEP = Pipeline([("scale", StandardScaler()), ("knn", Recorder())])


@pytest.mark.parametrize(
    ("estimator", "name", "container"),
    [
        (Recorder(), "sample_weight", list),
        (Recorder(), "sample_weight", torch.asarray),
        (Recorder(), "sample_weight", lambda w: pd.Series(w, dtype="Float64")),
        (Recorder(), "sample_weight", lambda w: w.astype(object)),
        (Recorder(), "sample_weight", lambda w: -w),
        (STEP, "knn__sample_weight", np.asarray),
        (Pipeline([("inner", STEP)]), "inner__knn__sample_weight", list),
        (GridSearchCV(STEP, {}, cv=2), "knn__sample_weight", np.asarray),
        (STEP, "mass", np.asarray),
        (GridSearchCV(STEP, {}, cv=2), "mass", pd.Series),
    ],
)
def test_weights_of_zero_however_they_are_passed(estimator, name, container):
    weight = np.tile([0.0, 1.0, 2.0], 30)
    strata = np.arange(90) // 30
    estimator = clone(estimator)
    with sklearn.config_context(enable_metadata_routing=name == "mass"):
        noise = clone(NOISE)
        if name == "mass":
            noise.set_fit_request(strata=True)
            step = getattr(estimator, "estimator", estimator)
            step["knn"].set_fit_request(sample_weight="mass", strata=False)
            step["scale"].set_fit_request(sample_weight=False)
        clf = CorruptedTargetClassifier(estimator, noise)
        clf.fit(X, y, strata=strata, **{name: container(weight)})
        assert not clf.corrupted_mask_[weight == 0].any()
        assert clf.corrupted_mask_[weight > 0].sum() == 18
        for wrong in (strata[:60], np.append(strata, 0), 3):
            with pytest.raises(ValueError, match="'strata' parameter"):
                clf.fit(X, y, strata=wrong, **{name: container(weight)})


def test_the_default_is_a_permutation_drawn_anew():
    clf = CorruptedTargetClassifier(Recorder()).fit(X, y)
    first = clf.y_corrupted_
    assert_array_equal(np.sort(first), np.sort(y))
    assert (clf.fit(X, y).y_corrupted_ != first).any()
    other = clf.set_params(corruption="symmetric").fit(X, y)
    assert other.realized_rate_ == 1
    clf.set_params(corruption=LabelPermuter(random_state=np.random.RandomState(0)))
    assert_array_equal(clf.fit(X, y).y_corrupted_, clf.fit(X, y).y_corrupted_)


class Interrupted(Recorder):
    """A nearest neighbor whose training is broken off when it is of use already."""

    def fit(self, X, y):
        super().fit(X, y)
        raise KeyboardInterrupt


def test_what_was_learned_before_ctrl_c_is_kept():
    clf = CorruptedTargetClassifier(Interrupted(), NOISE)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    assert_array_equal(clf.predict(X), clf.y_corrupted_)
    assert clf.realized_rate_ == 0.3


def test_frames_series_and_string_labels():
    frame = pd.DataFrame(X, columns=list("pqrs"), index=np.arange(90)[::-1])
    series = pd.Series(y, index=frame.index, name="target")
    clf = CorruptedTargetClassifier(Recorder(), NOISE).fit(frame, series)
    assert isinstance(clf.estimator_.y_seen_, pd.Series)
    assert clf.y_corrupted_.index.equals(frame.index)
    assert_array_equal(clf.feature_names_in_, frame.columns)
    assert clf.n_features_in_ == 4
    assert_array_equal(clf.classes_, ["a", "b", "c"])
    assert_array_equal(clf.predict(frame), clf.y_corrupted_)


def test_within_and_around_a_pipeline():
    within = make_pipeline(
        StandardScaler(), CorruptedTargetClassifier(Recorder(), NOISE)
    ).fit(X, y)
    around = CorruptedTargetClassifier(
        make_pipeline(StandardScaler(), Recorder()), NOISE
    ).fit(X, y)
    assert_array_equal(within[-1].y_corrupted_, around.y_corrupted_)
    assert_array_equal(within.predict(X), around.predict(X))
    assert within.score(X, y) == around.score(X, y) == 0.7
    assert around.n_features_in_ == 4


def test_methods_are_those_of_the_classifier():
    svc = CorruptedTargetClassifier(LinearSVC(), NOISE)
    assert hasattr(svc, "decision_function")
    assert not hasattr(svc, "predict_proba")
    assert svc.fit(X, y).decision_function(X).shape == (90, 3)
    logistic = CorruptedTargetClassifier(LogisticRegression(), NOISE).fit(X, y)
    inner = logistic.estimator_
    assert_array_equal(logistic.predict_proba(X), inner.predict_proba(X))
    assert_array_equal(logistic.predict_log_proba(X), inner.predict_log_proba(X))
    assert_array_equal(logistic.decision_function(X), inner.decision_function(X))


def test_without_routing_groups_and_strata_go_to_the_corruption():
    groups, labels = np.repeat(np.arange(30), 3), np.repeat(y[:30], 3)
    weight = 1 + np.arange(90.0)
    clf = CorruptedTargetClassifier(Recorder(), LabelPermuter(random_state=0))
    clf.fit(X, labels, groups=groups, strata=groups % 2, sample_weight=weight)
    seen = clf.estimator_.y_seen_.reshape(30, 3)
    assert (seen == seen[:, :1]).all()
    even = groups % 2 == 0
    assert_array_equal(np.sort(seen.ravel()[even]), np.sort(labels[even]))
    assert clf.estimator_.weight_seen_ is weight
    assert clf.estimator_.strata_seen_ is None


def test_with_routing_metadata_goes_where_it_was_requested():
    groups, labels = np.repeat(np.arange(30), 3), np.repeat(y[:30], 3)
    weight = np.arange(90.0) ** 2
    with sklearn.config_context(enable_metadata_routing=True):
        clf = CorruptedTargetClassifier(
            Recorder().set_fit_request(sample_weight=True, strata="blocks"),
            LabelPermuter(random_state=0).set_fit_request(groups=True),
        )
        clf.set_score_request(sample_weight=True)
        results = cross_validate(
            clf,
            X,
            labels,
            cv=3,
            params={"groups": groups, "sample_weight": weight, "blocks": groups},
            return_estimator=True,
            return_indices=True,
        )
        with pytest.raises(UnsetMetadataPassedError, match="groups"):
            CorruptedTargetClassifier(Recorder()).fit(X, labels, groups=groups)
    for fitted, train, test, score in zip(
        results["estimator"],
        results["indices"]["train"],
        results["indices"]["test"],
        results["test_score"],
        strict=True,
    ):
        assert_array_equal(fitted.estimator_.weight_seen_, weight[train])
        assert_array_equal(fitted.estimator_.strata_seen_, groups[train])
        pairs = set(zip(groups[train], fitted.y_corrupted_, strict=True))
        assert len(pairs) == len(np.unique(groups[train]))
        assert score == fitted.score(X[test], labels[test], weight[test])
        assert score != fitted.score(X[test], labels[test])
