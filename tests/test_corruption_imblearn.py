"""LabelPermuter as a sampler in a pipeline of imbalanced-learn."""

import numpy as np
import pytest
import sklearn
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from sk_memorize.corruption import LabelPermuter, memorization_scoring

X = np.random.RandomState(0).standard_normal((90, 4))
y = np.tile(["a", "b", "c"], 30)
fitted_accuracy = memorization_scoring()["fitted_accuracy"]


class Recorder(KNeighborsClassifier):
    """A nearest neighbor that remembers the labels it was fitted to."""

    def __init__(self):
        super().__init__(n_neighbors=1)

    def fit(self, X, y):
        self.y_seen_ = y
        return super().fit(X, y)


def make(**params):
    permuter = LabelPermuter("symmetric", fraction=0.3, random_state=0, **params)
    return make_pipeline(permuter, StandardScaler(), Recorder())


def test_a_pipeline_fits_repeatedly_and_can_be_cloned():
    pipeline = make().fit(X, y)
    permuter = pipeline[0]
    assert permuter.realized_rate_ == 0.3
    assert_array_equal(pipeline[-1].y_seen_, permuter.y_corrupted_)
    assert_array_equal(pipeline.predict(X), permuter.y_corrupted_)
    seen = pipeline[-1].y_seen_
    assert_array_equal(pipeline.fit(X, y)[-1].y_seen_, seen)
    assert_array_equal(clone(pipeline).fit(X, y)[-1].y_seen_, seen)
    assert pipeline.n_features_in_ == 4


@pytest.mark.filterwarnings("ignore:Persisting input arguments took")
def test_a_pipeline_with_memory_fits(tmp_path):
    pipeline = make().set_params(memory=str(tmp_path))
    seen = pipeline.fit(X, y)[-1].y_seen_
    assert_array_equal(pipeline.fit(X, y)[-1].y_seen_, seen)
    assert (seen != y).mean() == 0.3


def test_cross_validation_corrupts_training_folds_only():
    scores = cross_validate(
        make(),
        X,
        y,
        cv=3,
        scoring=memorization_scoring(),
        return_train_score=True,
        return_estimator=True,
        return_indices=True,
    )
    assert_array_equal(scores["train_fitted_accuracy"], 1)
    assert_array_equal(scores["train_accuracy"], 0.7)
    assert np.isnan(scores["test_fitted_accuracy"]).all()
    train, test = scores["indices"].values()
    for fold, pipeline in enumerate(scores["estimator"]):
        assert (pipeline[-1].y_seen_ != y[train[fold]]).mean() == 0.3
        assert scores["test_accuracy"][fold] == pipeline.score(
            X[test[fold]], y[test[fold]]
        )


def test_rows_behind_another_sampler_are_not_recognized():
    keep = np.r_[:60, 60:90:3]
    permuter = LabelPermuter("symmetric", random_state=0)
    pipeline = make_pipeline(RandomUnderSampler(random_state=0), permuter, Recorder())
    pipeline.fit(X[keep], y[keep])
    assert np.isnan(fitted_accuracy(pipeline, X[keep], y[keep]))


def test_rows_before_another_sampler_are_recognized():
    permuter = LabelPermuter("uniform", random_state=0)
    pipeline = make_pipeline(permuter, RandomUnderSampler(random_state=0), Recorder())
    pipeline.fit(X, y)
    expected = (pipeline.predict(X) == permuter.y_corrupted_).mean()
    assert fitted_accuracy(pipeline, X, y) == expected


def test_groups_and_strata_are_routed_to_the_permuter():
    groups = np.repeat(np.arange(30), 3)
    labels = np.repeat(np.tile(["a", "b", "c"], 10), 3)
    with sklearn.config_context(enable_metadata_routing=True):
        permuter = LabelPermuter(random_state=0)
        permuter.set_fit_request(groups=True, strata=True)
        permuter.set_fit_resample_request(groups=True, strata=True)
        pipeline = make_pipeline(permuter, Recorder())
        pipeline.fit(X, labels, groups=groups, strata=groups % 2)
    seen = pipeline[-1].y_seen_.reshape(30, 3)
    assert (seen == seen[:, :1]).all()
    assert permuter.realized_rate_ > 0
    even = groups % 2 == 0
    assert_array_equal(np.sort(seen.ravel()[even]), np.sort(labels[even]))
