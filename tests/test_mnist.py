"""The two questions of the course, on the real MNIST."""

import numpy as np
import pytest

from sk_memorize import (
    CorruptedTargetClassifier,
    LabelPermuter,
    MemorizingMLP,
    load_dataset,
    memorization_scoring,
)


@pytest.fixture(scope="module")
def mnist():
    try:
        return load_dataset("mnist", download=False)
    except OSError as error:
        pytest.skip(f"needs MNIST: {error}")


@pytest.mark.slow
def test_true_labels_are_fitted_and_generalize(mnist):
    clf = MemorizingMLP(random_state=0).fit(mnist.X_train, mnist.y_train)
    assert clf.train_accuracy_ >= 0.9999
    assert clf.train_accuracy_ == clf.score(mnist.X_train, mnist.y_train)
    assert clf.score(mnist.X_test, mnist.y_test) >= 0.975


@pytest.mark.slow
def test_permuted_labels_are_fitted_and_nothing_is_learned(mnist):
    clf = CorruptedTargetClassifier(
        MemorizingMLP(random_state=1), LabelPermuter(random_state=1)
    ).fit(mnist.X_train, mnist.y_train)
    np.testing.assert_array_equal(
        np.bincount(clf.y_corrupted_), np.bincount(mnist.y_train)
    )
    scorers = memorization_scoring()
    train, test = (mnist.X_train, mnist.y_train), (mnist.X_test, mnist.y_test)
    assert scorers["fitted_accuracy"](clf, *train) >= 0.9999
    assert clf.estimator_.train_loss_ <= 0.02
    assert scorers["accuracy"](clf, *train) == pytest.approx(0.1, abs=0.01)
    assert scorers["accuracy"](clf, *test) == pytest.approx(0.1, abs=0.02)
