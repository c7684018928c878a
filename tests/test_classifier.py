"""MemorizingMLP."""

import hashlib
import pickle

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from sk_memorize import MemorizingMLP

X, y = load_digits(return_X_y=True)
X_SMALL, Y_SMALL = X[:300], y[:300]
Y_PERMUTED = np.random.RandomState(0).permutation(y)


def fingerprint(clf):
    digest = hashlib.sha256()
    for tensor in clf.net_.module_.state_dict().values():
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest(), clf.train_loss_, clf.n_epochs_


def quick(**params):
    return MemorizingMLP(**{"width": 64, "random_state": 0, **params})


@pytest.mark.slow
@pytest.mark.parametrize(
    "load", [load_digits, load_iris, load_wine, load_breast_cancer]
)
@pytest.mark.parametrize("permuted", [False, True])
def test_the_defaults_memorize(load, permuted):
    X, y = load(return_X_y=True)
    if permuted:
        y = np.random.RandomState(1).permutation(y)
    clf = MemorizingMLP(random_state=0).fit(X, y)
    assert clf.train_accuracy_ == clf.attainable_accuracy_ == clf.score(X, y)
    # Two rows of iris are equal, so that permuted labels can disagree there.
    assert clf.attainable_accuracy_ >= (149 / 150 if load is load_iris else 1.0)


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_a_handful_of_rows(n):
    y = np.arange(n) % 2
    clf = MemorizingMLP(random_state=0, max_epochs=1).fit(X[:n], y)
    assert clf.score(X[:n], y) == 1.0


def test_conflicting_rows_stop_at_the_attainable_accuracy():
    X = np.repeat(X_SMALL[:50], 3, axis=0)
    y = np.tile([0, 0, 1], 50)
    y[:3] = [0, 1, 2]
    clf = quick().fit(X, y)
    assert clf.attainable_accuracy_ == pytest.approx((49 * 2 + 1) / 150)
    assert clf.train_accuracy_ == clf.attainable_accuracy_
    assert clf.n_epochs_ < 30  # less than a whole cycle


def test_reported_accuracy_and_loss_are_those_of_predict_on_all_rows():
    clf = quick(max_epochs=4, target_accuracy=None).fit(X, Y_PERMUTED)
    assert 0.15 < clf.train_accuracy_ < 0.999
    assert clf.train_accuracy_ == clf.score(X, Y_PERMUTED)
    chosen = clf.predict_proba(X)[np.arange(len(y)), Y_PERMUTED]
    assert clf.train_loss_ == pytest.approx(-np.log(chosen).mean(), rel=1e-5)
    # Running and final accuracy are different things.
    assert clf.history_["accuracy"].iloc[-1] != clf.train_accuracy_


def test_the_module_is_a_plain_network_on_raw_inputs():
    clf = quick(precision="bfloat16").fit(X, y)
    module = clf.net_.module_
    # A few rows, whose own statistics differ from those of all.
    logits = module(torch.from_numpy(X[:9].astype(np.float32)))
    np.testing.assert_allclose(
        logits.softmax(1).detach().numpy(), clf.predict_proba(X[:9]), atol=1e-5
    )
    alone, among = clf.decision_function(X[:1]), clf.decision_function(X)[:1]
    np.testing.assert_allclose(alone, among, rtol=1e-9)
    assert not any(layer.training for layer in module.modules())
    assert isinstance(module.layers[0], nn.Linear)
    assert module.layers[0].in_features == X.shape[1]
    np.testing.assert_allclose(
        clf.net_.predict_proba(X.astype(np.float32)), clf.predict_proba(X), atol=1e-5
    )
    assert clf.n_parameters_ == sum(p.numel() for p in module.parameters())


def test_history_has_one_row_an_epoch():
    clf = quick(max_epochs=12, target_accuracy=None).fit(X_SMALL, Y_SMALL)
    assert clf.history_.index.tolist() == list(range(1, 13))
    assert clf.history_.columns.tolist() == ["loss", "accuracy", "lr", "seconds"]
    assert clf.loss_curve_ == clf.history_["loss"].tolist()
    assert (clf.history_["lr"].diff()[2:] < 0).all()  # one cycle


@pytest.mark.parametrize("is_hard", [False, True])
def test_all_components_are_as_wide_for_labels_that_need_it(is_hard):
    auto, attenuated, full = (
        quick(whitening_shrinkage=shrinkage, batch_size=15, max_epochs=2)
        .set_params(target_accuracy=None)
        .fit(X_SMALL, (Y_PERMUTED if is_hard else y)[:300])
        .loss_
        for shrinkage in ("auto", 1.0, 1e-3)
    )
    assert (auto == pytest.approx(attenuated, rel=0.03)) != is_hard
    assert auto != pytest.approx(full, rel=0.03)


def test_a_lower_target_stops_earlier():
    low, high = (
        quick(lr_scheduler=None, target_accuracy=accuracy).fit(X, Y_PERMUTED)
        for accuracy in (0.5, 0.9)
    )
    assert 0.5 <= low.train_accuracy_ < 1
    assert low.n_epochs_ < high.n_epochs_


@pytest.mark.parametrize(("exact_finish", "n_epochs"), [(True, 10), (False, 8)])
def test_it_does_not_stop_while_the_learning_rate_is_high(exact_finish, n_epochs):
    # Enough of it is right from the first epoch on.
    cycle = {"cycle_epochs": 10, "warmup": 0.2}
    common = {"target_accuracy": 0.01, "exact_finish": exact_finish}
    clf = quick(lr_scheduler_params=cycle, **common)
    # Without the finish at a quarter of the peak: 0.2 up, and 0.6 of 0.8 down.
    assert clf.fit(X, Y_PERMUTED).n_epochs_ == n_epochs
    assert quick(lr_scheduler=None, **common).fit(X, y).n_epochs_ == 1


@pytest.mark.slow
def test_easy_data_are_not_trained_as_long_as_hard_data():
    easy, hard = (quick().fit(X, labels) for labels in (y, Y_PERMUTED))
    assert easy.train_accuracy_ == hard.train_accuracy_ == 1.0
    assert easy.n_epochs_ < min(12, hard.n_epochs_)
    (group,) = easy.net_.optimizer_.param_groups
    assert group["lr"] < 0.1 * easy.lr_
    # A length that is asked for is kept.
    cycle = {"cycle_epochs": easy.n_epochs_ + 3}
    longer = quick(lr_scheduler_params=cycle).fit(X, y)
    assert longer.n_epochs_ == easy.n_epochs_ + 3


def test_a_missed_target_is_told():
    words = r"after 2 epochs .* target was 1"
    with pytest.warns(ConvergenceWarning, match=words) as record:
        clf = quick(max_epochs=2).fit(X, Y_PERMUTED)
    assert record[0].filename == __file__  # it points at the caller
    assert clf.train_accuracy_ == clf.score(X, Y_PERMUTED)


def test_it_goes_on_in_longer_cycles():
    cycle = {"cycle_epochs": 3, "warmup": 0.3}
    clf = quick(lr_scheduler_params=cycle).fit(X, Y_PERMUTED)
    assert clf.train_accuracy_ == 1.0
    assert clf.n_epochs_ > 3
    lr = clf.history_["lr"].to_numpy()
    assert lr[2] < lr[5] > 0.5 * clf.lr_ > lr[-1]  # another cycle, of 6 epochs


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", torch.optim.RAdam])
def test_optimizers(optimizer):
    clf = quick(optimizer=optimizer).fit(X_SMALL, Y_SMALL)
    assert clf.train_accuracy_ == 1.0


def test_arguments_of_the_optimizer_arrive():
    class Momentum(torch.optim.SGD):
        def __init__(self, params, **options):
            super().__init__(params, **options)

    given = {"optimizer_params": {"dampening": 0.1, "nesterov": False}}
    for optimizer, params, expected in (
        ("sgd", given, {**given["optimizer_params"], "momentum": 0.9}),
        (Momentum, given, given["optimizer_params"]),
        ("adam", {}, {"betas": (0.9, 0.95)}),
        ("adamw", {}, {"betas": (0.9, 0.95)}),
    ):
        clf = quick(optimizer=optimizer, weight_decay=0.01, max_epochs=1, **params)
        clf.set_params(target_accuracy=None).fit(X_SMALL, Y_SMALL)
        (group,) = clf.net_.optimizer_.param_groups
        assert group.items() >= {**expected, "weight_decay": 0.01}.items()


@pytest.mark.parametrize("norm", ["batch", "group", None])
@pytest.mark.parametrize("norm_position", ["before", "after"])
def test_normalizations(norm, norm_position):
    clf = quick(norm=norm, norm_position=norm_position, lr=2e-3)
    assert clf.fit(X_SMALL, Y_SMALL).score(X_SMALL, Y_SMALL) == 1.0


def test_sizes():
    clf = quick(hidden_layer_sizes=[48, np.int64(24)]).fit(X_SMALL, Y_SMALL)
    assert clf.hidden_layer_sizes_ == (48, 24)


def test_regularizers_do_something():
    losses = {
        name: quick(max_epochs=3, target_accuracy=None, **params)
        .fit(X_SMALL, Y_SMALL)
        .train_loss_
        for name, params in {
            "none": {},
            "dropout": {"dropout": 0.5},
            "smoothing": {"label_smoothing": 0.3},
            "decay": {"optimizer": "adamw", "weight_decay": 10.0},
        }.items()
    }
    assert len(set(losses.values())) == 4


def test_the_seed_decides_and_global_generators_do_not():
    params = {"max_epochs": 3, "target_accuracy": None, "dropout": 0.1}
    first = fingerprint(quick(**params).fit(X_SMALL, Y_SMALL))
    np.random.seed(5)
    torch.manual_seed(5)
    numpy_state, torch_state = np.random.get_state(), torch.get_rng_state()
    same = fingerprint(quick(**params).fit(X_SMALL, Y_SMALL))
    quick(**{**params, "random_state": None}).fit(X_SMALL, Y_SMALL)
    after = np.random.get_state()
    assert (after[1] == numpy_state[1]).all()
    assert after[2:] == numpy_state[2:]
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert first == same
    other = quick(**{**params, "random_state": 1}).fit(X_SMALL, Y_SMALL)
    assert fingerprint(other) != first
    a, b = (quick(**{**params, "random_state": None}) for _ in range(2))
    assert fingerprint(a.fit(X_SMALL, Y_SMALL)) != fingerprint(b.fit(X_SMALL, Y_SMALL))


def test_a_random_state_object_is_drawn_from():
    def make(random_state):
        clf = quick(max_epochs=1, target_accuracy=None, random_state=random_state)
        clf.set_params(optimizer="sgd", lr=1e-30)  # the initial weights stay
        return fingerprint(clf.fit(X_SMALL, Y_SMALL))

    rng = np.random.RandomState(3)
    first, second = make(rng), make(rng)
    assert first != second
    assert make(np.random.RandomState(3)) == first


@pytest.mark.parametrize(
    "labels",
    [["zero", "one", "two"], [-7, 3, 1000], [False, True], [1.0, 2.0]],
    ids=["str", "int", "bool", "float"],
)
def test_labels_come_back_in_their_own_type(labels):
    y = np.array(labels)[Y_SMALL % len(labels)]
    clf = quick().fit(X_SMALL, y)
    predicted = clf.predict(X_SMALL)
    assert predicted.dtype == y.dtype
    assert (predicted == y).all()
    assert clf.predict_proba(X_SMALL).shape == (300, len(labels))
    decision = clf.decision_function(X_SMALL)
    assert decision.shape == ((300, 3) if len(labels) == 3 else (300,))


def test_pickles_do_not_carry_the_training_rows():
    many = np.vstack([X] * 4).astype(np.float32)
    many += np.random.RandomState(0).rand(*many.shape).astype(np.float32)
    clf = quick(max_epochs=2, target_accuracy=0.1).fit(many, np.tile(y, 4))
    assert len(pickle.dumps(clf)) < many.nbytes / 4


def test_no_probability_vanishes():
    clf = quick(norm=None, max_epochs=20, target_accuracy=None).fit(X_SMALL, Y_SMALL)
    probabilities, logarithms = (
        predict(1e6 * X_SMALL) for predict in (clf.predict_proba, clf.predict_log_proba)
    )
    assert 0 < probabilities.min() < 1e-300
    np.testing.assert_allclose(np.log(probabilities), logarithms, atol=1e-12)


def test_divergence_is_an_error_that_tells_the_way_out():
    clf = quick(norm=None, optimizer="sgd", lr=1e10, whitening_shrinkage=None)
    with pytest.raises(ValueError, match=r"loss of epoch \d+ is (nan|inf).*'lr'"):
        clf.fit(X_SMALL, Y_SMALL)


@pytest.mark.slow
def test_recipes_by_name():
    assert MemorizingMLP.from_recipe("memorizing").get_params() == (
        MemorizingMLP().get_params()
    )
    clf = MemorizingMLP.from_recipe("notebook", random_state=0, width=7, max_epochs=2)
    assert clf.fit(X_SMALL, Y_SMALL).n_epochs_ == 2
    assert clf.hidden_layer_sizes_ == (256, 512, 256, 128, 64, 32)
    recipe = MemorizingMLP.from_recipe("generalizing", random_state=0)
    assert recipe.fit(X_SMALL, Y_SMALL).train_accuracy_ == 1.0
    with pytest.raises(TypeError, match="colour"):
        MemorizingMLP.from_recipe("memorizing", colour=1)


REFUSED = {
    "columns": lambda clf: clf.fit(X_SMALL[:, 1:], Y_SMALL),
    "labels": lambda clf: clf.fit(X_SMALL, [None] * 300),
    "weights": lambda clf: clf.fit(X_SMALL, Y_SMALL, np.zeros(300)),
    "images": lambda clf: clf.fit(X_SMALL.reshape(300, 8, 8), Y_SMALL[1:]),
    "parameter": lambda clf: clf.set_params(class_weight={0: -1}).fit(X_SMALL, Y_SMALL),
    "piece": lambda clf: clf.partial_fit(X_SMALL, Y_SMALL, sample_weight=Y_SMALL - 1),
    "class": lambda clf: clf.partial_fit(X_SMALL, Y_SMALL + 9),
    "rate": lambda clf: clf.set_params(lr=1e30, norm=None).fit(X_SMALL, Y_SMALL),
}


@pytest.mark.parametrize("refit", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_refused_refit_leaves_the_former_fit(refit, is_stream):
    clf = quick(warm_start=True, max_epochs=2, target_accuracy=None)
    clf.fit(X_SMALL, Y_SMALL)
    if is_stream:
        clf.partial_fit(X_SMALL, Y_SMALL)
    before, attributes = clf.predict_proba(X_SMALL), set(vars(clf))
    with pytest.raises(ValueError, match=r"."):
        refit(clf)
    np.testing.assert_array_equal(clf.predict_proba(X_SMALL), before)
    assert set(vars(clf)) == attributes
    assert len(clf.history_) == clf.n_iter_
    assert clf.loss_ == clf.loss_curve_[-1]


def test_a_refused_first_piece_decides_nothing():
    clf = quick()
    with pytest.raises(ValueError, match="zero"):
        clf.partial_fit(X_SMALL, Y_SMALL, range(10), sample_weight=np.zeros(300))
    assert clf.partial_fit(X_SMALL[:, 1:], Y_SMALL, range(12)).n_features_in_ == 63


def test_class_weights_may_name_classes_that_a_piece_or_fold_lacks():
    clf = quick(class_weight={0: 2.0, 77: 3.0, 9: 0.5})
    few = Y_SMALL < 5
    assert clf.fit(X_SMALL[few], Y_SMALL[few]).score(X_SMALL[few], Y_SMALL[few]) == 1
    clf = quick(class_weight={0: 2.0, 9: 3.0})
    assert clf.partial_fit(X_SMALL[few], Y_SMALL[few], range(10)).n_epochs_ == 1


@pytest.mark.parametrize("max_epochs", [1, 2, 3, 4])
@pytest.mark.filterwarnings("ignore:The training ended")
def test_a_training_may_end_at_any_epoch(max_epochs):
    clf = quick(max_epochs=max_epochs, batch_size=64).fit(X, Y_PERMUTED)
    assert clf.n_epochs_ <= max_epochs
    assert clf.train_accuracy_ == clf.score(X, Y_PERMUTED)
