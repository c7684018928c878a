"""Scaling, compression and whitening of the inputs, and the way back."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from skorch import NeuralNet

from sk_memorize import BatchNormMLP, MemorizingMLP
from sk_memorize.neural import _prepared
from sk_memorize.neural._callbacks import CompleteWhitening
from sk_memorize.neural._prepared import prepare
from sk_memorize.preprocessing import Rows, _whitening, count_components

rng = np.random.RandomState(0)
NORMAL = rng.standard_normal((400, 6))
CAUCHY = rng.standard_cauchy((400, 6))
SPARSE = np.hstack([np.eye(50), NORMAL[:50, :3]])
MIXED = NORMAL @ rng.standard_normal((6, 6)) + 5

DATA = {
    "float32": MIXED.astype("f"),
    "float64": MIXED,
    "bytes": rng.randint(0, 256, (300, 8)).astype(np.uint8),
    "heavy tails": np.hstack([NORMAL[:, :3], 50 + 20 * CAUCHY[:, :3]]),
    "offsets": 1e9 + np.arange(400.0)[:, None] * [1.0, 3.0] + NORMAL[:, :2] * 0.01,
    "huge": 1.7e308 - MIXED * 1e305,
    "tiny": MIXED * 1e-300,
    "more columns than rows": rng.standard_normal((30, 100)),
    "one column": (3.3e38 * np.sin(np.arange(400.0)))[:, None].astype("f"),
    "constant columns": np.hstack([NORMAL, np.ones((400, 2)) * 1e4]),
}


def rows_of(X):
    X = torch.as_tensor(X)
    return Rows(X, torch.arange(len(X)) % 3)


def prepared_for(X, shrinkage=(0.3, 0.001), **kwargs):
    return prepare(rows_of(X), shrinkage, torch.float32, **kwargs)


def raw(rows):
    return torch.cat(list(rows.chunks()))


def outputs(module, X):
    with torch.no_grad():
        return module.eval()(X if module.center is not None else X.float())


@pytest.mark.parametrize("shrinkage", [(0.3, 0.001), (0.1, 0.1), None])
@pytest.mark.parametrize("name", DATA)
def test_the_folded_network_gives_the_same_outputs_on_raw_inputs(name, shrinkage):
    prepared = prepared_for(DATA[name], shrinkage)
    module = BatchNormMLP(prepared.inputs.shape[1], 3, (8, 8), norm_position="before")
    expected = outputs(module, prepared.inputs)
    assert expected.isfinite().all()
    assert len(prepared.inputs.unique(dim=0)) == len(prepared.rows)
    assert prepared.is_attenuated == (shrinkage == (0.3, 0.001))
    folded = prepared.fold(module)
    got = outputs(folded, raw(prepared.rows))
    torch.testing.assert_close(got, expected, rtol=1e-3, atol=2e-3)
    # And back again, for a network that goes on with other rows, which have its span.
    X = DATA[name][::2]
    again = prepare(rows_of(X), shrinkage, torch.float32, folded)
    expected = outputs(folded, raw(again.rows))
    other = BatchNormMLP(again.inputs.shape[1], 3, (8, 8), norm_position="before")
    again.unfold(other, folded)
    got = outputs(other, again.inputs)
    torch.testing.assert_close(got, expected, rtol=1e-2, atol=1e-2)


def test_full_whitening_makes_the_covariance_the_identity():
    prepared = prepared_for(MIXED, (0.3, 0.0))
    module = BatchNormMLP(6, 3, (4,))
    attenuated, before = prepared.inputs.clone(), outputs(module, prepared.inputs)
    prepared.whiten_fully(module)
    Z = prepared.inputs
    torch.testing.assert_close(Z.T.cov(correction=0), torch.eye(6), rtol=0, atol=1e-3)
    torch.testing.assert_close(Z.mean(0), torch.zeros(6), rtol=0, atol=1e-4)
    variances = attenuated.var(0, correction=0).sort().values
    assert variances[0] < 0.5
    assert variances[-1].item() == pytest.approx(1 / 1.3, rel=1e-3)
    # The network has been changed with its inputs: its outputs are as before.
    torch.testing.assert_close(outputs(module, Z), before, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("n_batches", "looks"), [(4, (16, 32, 64, 96)), (100, (25, 100, 200, 300))]
)
@pytest.mark.parametrize(
    ("mistakes", "look"), [(0.9, 0), (0.8, 1), (0.4, 2), (0.2, 3), (0.0, None)]
)
def test_whitening_is_completed_where_mistakes_remain(mistakes, look, n_batches, looks):
    y = torch.arange(400) % 4 // 3  # by their weights both classes are as frequent
    rows = Rows(torch.from_numpy(MIXED), y, 1.0 + 2 * y.double())
    prepared = prepare(rows, (0.3, 0.001), torch.float32)
    callback = CompleteWhitening(prepared, n_batches).initialize()
    net = NeuralNet(BatchNormMLP(prepared.inputs.shape[1], 2, (4,)), torch.nn.NLLLoss)
    net.initialize()
    weight = 1e-3 * torch.tensor([mistakes / 2, 1 - mistakes / 2])
    y_pred, labels = torch.eye(2), torch.tensor([1, 1])
    for step in range(1, 301):
        # All is wrong at first, while nobody looks.
        seen = y_pred if step > 8 else y_pred[[0, 0]]
        callback.on_batch_end(net, ({"X": None, "weight": weight}, labels), seen)
        is_due = look is not None and step >= looks[look]
        assert prepared.is_attenuated == (not is_due)


def test_rows_that_differ_beyond_the_widest_components_stay_different(monkeypatch):
    monkeypatch.setattr(_prepared, "MAX_COMPONENTS", 40)
    wide = rng.standard_normal((250, 8)) @ rng.standard_normal((8, 500))
    X = np.tile(wide, (2, 1)) + np.eye(500)
    inputs, again = (prepared_for(X, (0.0, 0.0)).inputs for _ in range(2))
    assert torch.equal(inputs, again)
    assert inputs.shape == (500, 40)
    assert torch.cdist(inputs, inputs).fill_diagonal_(9).min() > 1


def test_rows_beyond_the_sample_stay_different(monkeypatch):
    for name, value in (("MAX_COMPONENTS", 100), ("_WIDE", 50)):
        monkeypatch.setattr(_whitening, name, value)
    inputs = prepared_for(np.eye(500)).inputs
    assert torch.cdist(inputs, inputs).fill_diagonal_(9).min() > 0.1


@pytest.mark.parametrize("shrinkage", [0.001, 0.0])
def test_a_flag_of_one_row_beyond_the_sample_is_seen(monkeypatch, shrinkage):
    monkeypatch.setattr(_whitening, "_FEWEST_ROWS", 64)
    rows = NORMAL.repeat(2, 0)
    for place in (0, 300, 600):
        flag = np.arange(800)[:, None] == place
        prepared = prepared_for(np.hstack([rows, flag]), (shrinkage, shrinkage))
        twins = prepared.inputs[prepared.rows.of_given[[place, place + 1]]]
        assert (twins[0] - twins[1]).abs().max() > 1
        assert twins.isfinite().all()


@pytest.mark.parametrize("n_columns", [50, 100])
def test_what_nearly_equal_columns_differ_in_is_kept(n_columns):
    X = NORMAL[:, :1] + 1e-4 * rng.standard_normal((400, n_columns))
    assert prepared_for(X, (0.0, 0.0)).inputs.shape[1] == n_columns


def test_a_range_beyond_the_largest_number():
    X = NORMAL * 4e307
    assert count_components(rows_of(X), 16) == prepared_for(X).inputs.shape[1] == 6


def test_columns_in_other_units_count_as_much():
    inputs = prepared_for(NORMAL * [1e6, 1e6, 1e6, 1e6, 1, 1], (0.001, 0.001)).inputs
    assert inputs.var(0).min() > 0.9


def test_variances_are_not_those_of_the_very_rows_of_the_directions(monkeypatch):
    monkeypatch.setattr(_prepared, "MAX_COMPONENTS", 20)
    for name, value in (("MAX_COMPONENTS", 20), ("_WIDE", 30), ("_N_RANDOM", 1)):
        monkeypatch.setattr(_whitening, name, value)
    inputs = prepared_for(rng.standard_normal((2000, 40)), (0.0, 0.0)).inputs
    assert 0.3 < inputs.var(0).min() < inputs.var(0).max() < 4


def test_constant_columns_and_dependent_ones_have_no_component():
    prepared = prepared_for(DATA["constant columns"])
    assert prepared.inputs.shape[1] == 6
    assert prepared_for(np.hstack([NORMAL, NORMAL, MIXED])).inputs.shape[1] == 6
    assert count_components(rows_of(np.hstack([NORMAL[:, :2] * [1, 1e9]] * 5)), 16) == 2
    nearly = NORMAL[:, :1] + [0, 1e-4] * NORMAL[:, 1:2]
    assert prepared_for(nearly).inputs.shape[1] == count_components(rows_of(nearly), 16)
    assert count_components(rows_of(rng.standard_normal((100, 50))), 16) == 16
    constant = prepared_for(np.full((10, 3), 7.0)).inputs
    assert count_components(rows_of(np.full((10, 3), 7.0)), 16) == 1
    assert constant.shape == (3, 1)  # one row for each label
    assert (constant == 0).all()
    small = prepared_for(NORMAL * [1, 1, 1e-2, 0, 0, 0], (1.0, 1.0)).inputs
    assert small.std(0).min() < 0.1


@pytest.mark.parametrize("load", [load_digits, load_wine, load_breast_cancer])
def test_ordinary_data_need_no_scaling(load):
    X, _ = load(return_X_y=True)
    assert prepared_for(X.astype("f")).scaling is None


@pytest.mark.parametrize(
    "X",
    [NORMAL, np.exp(NORMAL / 2), NORMAL * 1e6, NORMAL + 1e2, SPARSE],
    ids=["normal", "lognormal", "scaled", "shifted", "sparse"],
)
def test_light_tails_are_left_alone(X):
    assert prepared_for(X.astype("f")).scaling is None


def test_heavy_columns_are_compressed_and_the_others_are_not():
    assert prepared_for(DATA["heavy tails"].astype("f"), None).scaling is None
    scaling = prepared_for(DATA["heavy tails"].astype("f")).scaling
    assert scaling.is_heavy.tolist() == [False] * 3 + [True] * 3
    X = torch.as_tensor(DATA["heavy tails"].astype("f"))
    Z = scaling(X)
    assert torch.equal(Z[:, :3], X[:, :3])
    for before, after in zip(X[:, 3:].T, Z[:, 3:].T, strict=True):
        assert (after[before.argsort()].diff() >= 0).all()
        assert after.abs().max() < 30
        # The middle eight tenths go from -1 to 1, before the compression.
        tenths = after.median(), after.quantile(0.9) - after.quantile(0.1)
        assert tenths == pytest.approx((0, 2 * np.arcsinh(1)), abs=0.1)


@pytest.mark.parametrize(
    "x", [1e5 + 0.011 * np.arange(400), 500 + np.r_[NORMAL[:, 0], NORMAL[:, 0] + 1e-6]]
)
def test_offsets_cost_no_digits(x):
    prepared = prepared_for(x[:, None], (0.0, 0.0))
    expected = raw(prepared.rows)
    expected = (expected - expected.mean()) / expected.std(correction=0)
    got = prepared.inputs.double()
    got *= (got[0] * expected[0]).sign()
    torch.testing.assert_close(got, expected, rtol=0, atol=5e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["heavy tails", "offsets", "huge", "tiny"])
def test_what_float32_cannot_hold_is_memorized_from_raw_inputs(name):
    X = DATA[name]
    y = rng.permutation(np.arange(len(X)) % 2)
    clf = MemorizingMLP(random_state=0).fit(X, y)
    assert clf.attainable_accuracy_ == clf.train_accuracy_ == clf.score(X, y) == 1.0


def test_rows_that_only_float64_tells_apart_are_two():
    X = 1 + 1e-9 * np.arange(40)[:, None]
    clf = MemorizingMLP(random_state=0).fit(X, np.arange(40) < 20)
    assert clf.attainable_accuracy_ == 1.0
    assert clf.train_accuracy_ == 1.0
