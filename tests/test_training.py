"""Weights, further training, images."""

import numpy as np
import pytest
import torch
from sklearn import config_context
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_memorize import CorruptedTargetClassifier, LabelPermuter, MemorizingMLP

X, y = load_digits(return_X_y=True)
X, y = X[:300] / 16, y[:300]
PERMUTED = np.random.RandomState(0).permutation(y)


def quick(**params):
    defaults = {"width": 48, "max_epochs": 4, "target_accuracy": None}
    return MemorizingMLP(**{**defaults, "random_state": 0, **params})


def probabilities(clf):
    return clf.predict_proba(X)


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"whitening_shrinkage": None},
        {"norm": "group", "label_smoothing": 0.1},
        {"label_smoothing": 0.1},
        {"target_accuracy": 1.0, "max_epochs": 200},
    ],
)
def test_weights_are_repetitions_bit_for_bit(params):
    weight = np.random.RandomState(1).randint(0, 4, len(X))
    weighted = quick(**params).fit(X, PERMUTED, sample_weight=weight)
    order = np.random.RandomState(2).permutation(weight.sum())
    repeated = quick(**params).fit(
        X.repeat(weight, 0)[order], PERMUTED.repeat(weight)[order]
    )
    np.testing.assert_array_equal(probabilities(weighted), probabilities(repeated))
    for name in ("train_accuracy_", "attainable_accuracy_", "n_epochs_"):
        assert getattr(weighted, name) == getattr(repeated, name)
    score = weighted.score(X, PERMUTED, sample_weight=weight)
    assert weighted.train_accuracy_ == pytest.approx(score)


def test_weights_change_what_is_learned_first():
    weight = np.where(y < 5, 100.0, 1.0)
    first = quick(max_epochs=1).fit(X, y, sample_weight=weight)
    recall = first.predict(X) == y
    assert recall[y < 5].mean() > recall[y >= 5].mean()
    begun = quick(max_epochs=1, lr=1e-9).fit(X, y, sample_weight=weight)
    assert probabilities(begun)[:, :5].sum(1).mean() > 0.9
    scaled = quick(max_epochs=1).fit(X, y, sample_weight=64 * weight)
    np.testing.assert_array_equal(probabilities(scaled), probabilities(first))
    for value in (7.0, 1e-300, 1e306):  # beyond float32, and their sum beyond float64
        same = quick().fit(X, y, sample_weight=np.full(len(y), value))
        equal = probabilities(same), probabilities(quick().fit(X, y))
        np.testing.assert_array_equal(*equal)


def test_class_weights_are_weights_of_the_rows():
    by_class = quick(class_weight={0: 3.0, 1: 0.0}).fit(X, y)
    by_row = quick().fit(X, y, sample_weight=np.choose(y, [3.0, 0.0] + [1.0] * 8))
    np.testing.assert_array_equal(probabilities(by_class), probabilities(by_row))
    assert 1 not in by_class.classes_
    balanced = quick(class_weight="balanced").fit(X, y)
    weight = len(y) / (10 * np.bincount(y))[y]
    by_row = quick().fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(
        probabilities(balanced), probabilities(by_row), rtol=0.05
    )


def test_weights_are_routed_through_a_search_to_the_network():
    weight = np.random.RandomState(1).randint(0, 3, len(X)).astype(float)
    with config_context(enable_metadata_routing=True):
        network = quick().set_fit_request(sample_weight=True)
        model = CorruptedTargetClassifier(
            make_pipeline(
                StandardScaler().set_fit_request(sample_weight=False), network
            ),
            LabelPermuter(random_state=0),
        ).set_score_request(sample_weight=False)
        search = GridSearchCV(
            model, {"estimator__memorizingmlp__width": [16]}, cv=StratifiedKFold(2)
        ).fit(X, y, sample_weight=weight)
        direct = CorruptedTargetClassifier(
            make_pipeline(StandardScaler(), quick(width=16)),
            LabelPermuter(random_state=0),
        )
        unweighted = direct.fit(X, y)
    best = search.best_estimator_
    expected = quick(width=16).fit(
        StandardScaler().fit_transform(X), best.y_corrupted_, sample_weight=weight
    )
    Z = StandardScaler().fit_transform(X)
    np.testing.assert_array_equal(best.predict_proba(X), expected.predict_proba(Z))
    assert (best.predict_proba(X) != unweighted.predict_proba(X)).any()


def test_partial_fit_learns_piece_by_piece():
    clf = quick(norm="batch")
    for _ in range(15):
        for rows in np.array_split(np.arange(300), 3):
            clf.partial_fit(X[rows], y[rows], classes=range(12))
    assert clf.score(X, y) > 0.98
    assert clf.predict_proba(X).shape == (300, 12)
    assert clf.n_epochs_ == len(clf.history_) == 45
    assert quick(norm=None).partial_fit(X[:1], y[:1], range(10)).n_epochs_ == 1
    again = quick().partial_fit(X, y, classes=range(12))
    same = quick().partial_fit(X, y, classes=range(12))
    np.testing.assert_array_equal(probabilities(again), probabilities(same))


def test_the_learning_rate_of_partial_fit_stays_as_it_is():
    clf = quick(lr=0.003)
    for _ in range(3):
        clf.partial_fit(X, y, classes=range(10))
    assert clf.history_["lr"].tolist() == [0.003] * 3
    (group,) = clf.net_.optimizer_.param_groups
    assert group["lr"] == 0.003


@pytest.mark.parametrize(
    ("n_heavy", "params"), [(3, {"max_epochs": 20}), (1, {"batch_size": 2})]
)
def test_nearly_all_weight_may_be_in_a_few_rows(n_heavy, params):
    weight = np.full(len(X), 1e-12)
    weight[:n_heavy] = 1e9
    clf = quick(**params).fit(X, y, sample_weight=weight)
    assert clf.train_accuracy_ > 0.999


def test_a_weight_multiplies_the_smoothed_loss_of_a_row():
    net = quick(max_epochs=1, label_smoothing=0.3).fit(X, y).net_
    logits, labels = torch.randn(4, 10, generator=torch.Generator()), torch.arange(4)
    weighted = {"X": None, "weight": torch.tensor([2.0, 0.0, 1.0, 1.0])}
    repeated = [0, 0, 2, 3]
    torch.testing.assert_close(
        net.get_loss(logits, labels, weighted),
        net.get_loss(logits[repeated], labels[repeated]),
    )


def test_partial_fit_goes_on_with_the_fitted_network():
    clf = quick(max_epochs=30).partial_fit(X, y, classes=range(10)).fit(X, y)
    loss = clf.train_loss_
    assert clf.set_params(lr=1e-5).partial_fit(X, y).train_loss_ < 2 * loss + 0.01
    assert clf.lr_ == 1e-5
    fresh = quick(lr=1e-5).partial_fit(X, y, classes=range(10))
    assert fresh.train_loss_ > 10 * clf.train_loss_


@pytest.mark.parametrize("whitening_shrinkage", [0.15, None])
def test_a_warm_start_begins_with_the_network_before(whitening_shrinkage):
    params = {"whitening_shrinkage": whitening_shrinkage, "warm_start": True}
    clf = quick(max_epochs=15, **params).fit(X, y)
    loss = clf.train_loss_
    clf.set_params(max_epochs=1, lr=1e-9).fit(X, y)
    assert clf.train_loss_ == pytest.approx(loss, rel=1e-2)
    cold = quick(max_epochs=1, lr=1e-9, **params).fit(X, y)
    assert cold.train_loss_ > 1.5
    for params in ({"width": 32}, {"depth": 3}, {"hidden_layer_sizes": (48,)}):
        changed = {"width": "auto", "depth": "auto", "hidden_layer_sizes": None}
        words = rf"'{next(iter(params))}'.*\(48, 48\).*Got"
        with pytest.raises(ValueError, match=words):
            clf.set_params(**{**changed, **params}).fit(X, y)
    clf.set_params(hidden_layer_sizes=None)
    with pytest.raises(ValueError, match="other kinds than 'norm'"):
        clf.set_params(width=48, norm="group").fit(X, y)
    with pytest.raises(ValueError, match="same classes"):
        clf.set_params(norm="batch").fit(X, y + 1)
    with pytest.raises(ValueError, match=r"63 features.*expecting 64"):
        clf.fit(X[:, 1:], y)


def test_images_are_rows():
    flat = quick().fit(X, y)
    for shape in ((8, 8), (1, 8, 8)):
        images = X.reshape(-1, *shape)
        clf = quick().fit(images, y)
        assert clf.image_shape_ == shape
        np.testing.assert_array_equal(clf.predict_proba(images), probabilities(flat))
        np.testing.assert_array_equal(probabilities(clf), probabilities(flat))
        with pytest.raises(ValueError, match=r"shape \(4, 16\).*expecting images of"):
            clf.predict(X.reshape(-1, 4, 16))
    np.testing.assert_array_equal(probabilities(clf.fit(X, y)), probabilities(flat))
    assert not hasattr(clf, "image_shape_")


def test_bfloat16_keeps_what_nearly_equal_columns_differ_in():
    rng = np.random.default_rng(0)
    X = rng.integers(5, size=(300, 1)) + 1e-4 * rng.standard_normal((300, 100))
    clf = MemorizingMLP(precision="bfloat16", max_epochs=100, random_state=0)
    assert clf.fit(X, np.arange(300) % 2).train_accuracy_ == 1
