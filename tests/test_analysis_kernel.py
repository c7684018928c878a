"""Any labels fitted by the Gaussian-kernel interpolant of least norm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics.pairwise import rbf_kernel

from sk_memorize import KernelInterpolator, LabelPermuter
from sk_memorize.analysis.interpolation import _kernel, _symmetric
from sk_memorize.analysis.interpolation._symmetric import solve_in_place

X, Y = load_digits(return_X_y=True)
PERMUTED = LabelPermuter(random_state=0).fit(Y).transform(Y)


@pytest.fixture
def float32(monkeypatch):
    monkeypatch.setattr(_kernel, "_MAX_FLOAT64_ROWS", 0)


@pytest.mark.parametrize(
    ("labels", "low", "high"),
    [(Y, 0.97, 1), (PERMUTED, 0, 0.2), (PERMUTED > 4, 0.4, 0.6)],
)
def test_any_labels_are_fitted_and_only_true_ones_generalize(labels, low, high):
    rows = X[::2]
    clf = KernelInterpolator().fit(rows, labels[::2])
    assert clf.score(rows, labels[::2]) == clf.train_accuracy_ == 1.0
    assert low < clf.score(X[1::2], labels[1::2]) < high
    assert clf.attainable_accuracy_ == 1.0
    assert clf.max_residual_ < 1e-9
    assert 0 < clf.jitter_ < 1e-12
    n_outputs = 1 if labels.dtype == bool else 10
    assert clf.dual_coef_.shape == (899, n_outputs)
    assert clf.n_parameters_ == 899 * (64 + n_outputs)


@pytest.mark.parametrize("gamma", ["scale", 2e-3])
def test_the_coefficients_solve_the_system_of_the_kernel(gamma):
    clf = KernelInterpolator(gamma).fit(X[:300], Y[:300])
    assert clf.gamma_ == (gamma if gamma != "scale" else 1 / (64 * X[:300].var()))
    # In the order of the sorted rows; the sum over them does not depend on it.
    expected = np.linalg.solve(
        rbf_kernel(X[:300], gamma=clf.gamma_), np.eye(10)[Y[:300]]
    )
    outputs = rbf_kernel(X[300:], X[:300], gamma=clf.gamma_) @ expected
    assert clf.decision_function(X[300:]) == pytest.approx(outputs, abs=1e-8)
    norms = np.sort(np.abs(expected).sum(axis=0))
    assert np.sort(np.abs(clf.dual_coef_).sum(axis=0)) == pytest.approx(norms)


def test_float32_differs_by_rounding_only(float32):
    rows, labels = X[::2], PERMUTED[::2]
    rough = KernelInterpolator().fit(rows, labels)
    assert rough.max_residual_ < 1e-4
    assert rough.train_accuracy_ == rough.score(rows, labels) == 1.0
    outputs = rough.decision_function(rows)
    assert outputs == pytest.approx(np.eye(10)[labels], abs=1e-3)


def test_the_order_and_the_place_of_the_rows_do_not_matter():
    rows, labels = X[:600], PERMUTED[:600]
    order = np.random.RandomState(0).permutation(600)
    clf = KernelInterpolator().fit(rows, labels)
    turned = rows[order].astype(">f8")[:, ::-1].copy()[:, ::-1]
    other = KernelInterpolator().fit(turned, labels[order].astype(">i4").tolist())
    assert other.dual_coef_ == pytest.approx(clf.dual_coef_, rel=1e-9, abs=1e-9)
    far = KernelInterpolator().fit(rows + 1e6, labels)
    assert far.dual_coef_ == pytest.approx(clf.dual_coef_, rel=1e-6, abs=1e-6)


def test_equal_rows_count_once_with_their_most_frequent_label():
    rows = np.vstack([X[:300], X[:100], X[:50]])
    labels = np.concatenate([Y[:300], Y[:100], Y[:50]])
    labels[300:400] = (labels[300:400] + 1) % 10
    clf = KernelInterpolator(gamma=1e-3).fit(rows, labels)
    assert clf.dual_coef_.shape == (300, 10)
    # 50 rows three times, with two labels of three; 50 twice, with one of two.
    assert clf.attainable_accuracy_ == clf.train_accuracy_ == 350 / 450
    assert clf.score(rows, labels) == clf.train_accuracy_
    assert (clf.predict(X[:50]) == Y[:50]).all()
    assert (clf.predict(X[100:300]) == Y[100:300]).all()
    single = KernelInterpolator(gamma=1e-3).fit(X[:300], clf.predict(X[:300]))
    assert single.dual_coef_ == pytest.approx(clf.dual_coef_, abs=1e-9)


def test_rows_too_much_alike_are_told():
    rng = np.random.RandomState(0)
    rows, labels = rng.rand(400, 2), rng.randint(2, size=400)
    with pytest.warns(ConvergenceWarning, match="with a 'gamma' larger than"):
        clf = KernelInterpolator().fit(rows, labels)
    assert 0.5 < clf.train_accuracy_ < clf.attainable_accuracy_ == 1.0
    assert clf.max_residual_ > 0.5
    narrow = KernelInterpolator(gamma=1e5).fit(rows, labels)
    assert narrow.score(rows, labels) == 1.0


@pytest.mark.filterwarnings("ignore:KernelInterpolator fitted the fraction")
@pytest.mark.parametrize("gamma", ["scale", 1.0])
@pytest.mark.parametrize("kind", ["five columns", "one column", "repeated rows"])
@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1.0, 1e9, 1e150])
def test_what_is_claimed_is_what_is_predicted(scale, kind, gamma):
    rng = np.random.RandomState(0)
    rows = scale * rng.standard_normal((200, 1 if kind == "one column" else 5))
    if kind == "repeated rows":
        rows = rows[rng.randint(60, size=200)]
    for n_classes in (2, 5):
        labels = rng.randint(n_classes, size=200)
        clf = KernelInterpolator(gamma).fit(rows, labels)
        predicted = [clf.predict(part) for part in np.split(rows[::-1], 10)]
        found = np.mean(np.concatenate(predicted)[::-1] == labels)
        assert clf.train_accuracy_ == clf.score(rows, labels) == found
        if kind != "one column" and (gamma == "scale" or scale >= 1):
            assert clf.train_accuracy_ == clf.attainable_accuracy_


def test_rows_that_are_the_same_to_the_kernel():
    rows = [[0.0], [1e-12], [1.0]]
    with pytest.warns(ConvergenceWarning, match="singular in float64"):
        clf = KernelInterpolator(gamma=1.0).fit(rows, [0, 1, 1])
    assert clf.train_accuracy_ == 2 / 3
    assert np.isfinite(clf.decision_function(rows)).all()


def test_all_rows_equal():
    clf = KernelInterpolator().fit(np.ones((3, 2)), ["b", "a", "b"])
    assert clf.gamma_ == 1.0
    assert clf.predict([[1, 1]]).tolist() == ["b"]


# The system of equations


def kernel_matrix(n, dtype=np.float64):
    rows = np.random.RandomState(n).standard_normal((n, 8))
    return rbf_kernel(rows, gamma=0.3).astype(dtype)


@settings(max_examples=40, deadline=None)
@given(*(st.integers(1, high) for high in (40, 7, 9, 3)))
def test_blocks_of_any_size_give_the_solution(n, block, panel, n_outputs):
    K = kernel_matrix(n)
    Y = np.random.RandomState(1).standard_normal((n, n_outputs))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_symmetric, "_BLOCK", block)
        patch.setattr(_symmetric, "_PANEL", panel)
        patch.setattr(_symmetric, "_TOLERANCE", 1e-12)
        upper = np.triu(K)
        solution = solve_in_place(upper, Y)
    assert pytest.approx(np.linalg.solve(K, Y), abs=1e-9) == solution.A
    assert np.abs(solution.residual).max() < 1e-9
    assert (np.triu(upper, 1) == np.triu(K, 1)).all()
    assert np.tril(upper) == pytest.approx(np.linalg.cholesky(K), abs=1e-9)


def test_refinement_gains_what_float32_lost(monkeypatch):
    K = kernel_matrix(600, np.float32)
    Y = np.random.RandomState(1).standard_normal((600, 2))
    residuals = []
    for tolerance in (1.0, 1e-10):
        monkeypatch.setattr(_symmetric, "_TOLERANCE", tolerance)
        residuals.append(np.abs(solve_in_place(K.copy(), Y).residual).max())
    assert 1e-3 > residuals[0] > 1e-9 > 1e-10 > residuals[1]


@pytest.mark.parametrize("similarity", [1.0, 1.0 + 1e-13, 2.0])
@pytest.mark.parametrize("Y", [[1.0, 2.0], [1.0, -1.0]])
def test_an_indefinite_matrix_is_helped(similarity, Y):
    K = np.array([[1.0, similarity], [0.0, 1.0]])
    solution = solve_in_place(K, np.array(Y)[:, None])
    assert similarity - 1 < solution.jitter < 20 * similarity
    assert np.isfinite(solution.A).all()
    assert np.linalg.norm(solution.residual) < 2 * np.linalg.norm(Y)
