"""Compression of columns with heavy tails."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from sk_memorize import LabelPermuter, MemorizingMLP
from sk_memorize.neural._rows import Rows
from sk_memorize.neural._tails import fit_tails as fit_tails_of

rng = np.random.RandomState(0)
CAUCHY = rng.standard_cauchy((1000, 6)).astype(np.float32)
NORMAL = rng.standard_normal((1000, 6)).astype(np.float32)


def fit_tails(X):
    return fit_tails_of(Rows(X, torch.arange(len(X))))


@pytest.mark.parametrize("load", [load_digits, load_wine, load_breast_cancer])
def test_ordinary_data_are_left_alone(load):
    X, _ = load(return_X_y=True)
    assert fit_tails(torch.from_numpy(X).float()) is None


@pytest.mark.parametrize(
    "X",
    [NORMAL, np.exp(NORMAL / 2), NORMAL * 1e6, NORMAL + 1e4, np.eye(50, dtype="f")],
    ids=["normal", "lognormal", "scaled", "shifted", "sparse"],
)
def test_light_tails_are_left_alone(X):
    assert fit_tails(torch.from_numpy(X)) is None


def test_bytes_are_left_alone():
    X = torch.from_numpy(rng.randint(0, 256, (300, 4)).astype(np.uint8))
    assert fit_tails(X) is None


def test_heavy_columns_are_compressed_and_the_others_are_not():
    X = torch.from_numpy(np.hstack([NORMAL[:, :3], CAUCHY]))
    tails = fit_tails(X)
    assert tails.is_heavy.tolist() == [False] * 3 + [True] * 6
    Z = tails(X)
    assert torch.equal(Z[:, :3], X[:, :3])
    assert Z.abs().max() < 0.1 * X.abs().max()
    # It is monotone, and nearly the identity in the middle.
    for before, after in zip(X[:, 3:].T, Z[:, 3:].T, strict=True):
        assert (after[before.argsort()].diff() >= 0).all()
    middle = (X[:, 3:] - tails.center[3:]).abs() < 0.1 * tails.scale[3:]
    torch.testing.assert_close(Z[:, 3:][middle], X[:, 3:][middle], rtol=1e-2, atol=1e-2)


def test_huge_values_stay_finite():
    X = torch.from_numpy(NORMAL.copy())
    X[0, 0], X[1, 0] = 1e37, -1e37
    assert torch.isfinite(fit_tails(X)(X)).all()


def test_heavy_tails_are_memorized_from_raw_inputs():
    X = np.exp(3 * rng.standard_normal((300, 20)))
    y = (
        LabelPermuter(random_state=0)
        .fit(np.arange(300) % 3)
        .transform(np.arange(300) % 3)
    )
    clf = MemorizingMLP(random_state=0).fit(X, y)
    assert clf.train_accuracy_ == 1.0
    assert clf.score(X, y) == 1.0
    # Without the compression it does not come near it in as many epochs.
    with pytest.warns(UserWarning, match="target"):
        plain = MemorizingMLP(
            whitening_shrinkage=None, max_epochs=clf.n_epochs_, random_state=0
        ).fit(X, y)
    assert plain.train_accuracy_ < 0.9
