"""Newton's method for the squared hinge loss of a system of linear inequalities."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ._problem import CHUNK, Codes, Entries, Floats, Mask

# A step that promises less than this fraction of the loss is lost in rounding errors.
_NEGLIGIBLE = 1e-18
# Without a penalty only the sign of margins matters: stop when all exceed this.
_WIDE = 0.5
# Damping of the Hessian, relative to the mean of its diagonal, for its factorization.
_DAMPING = 1e-11


@dataclass(frozen=True, eq=False)
class Constraints:
    """Kesler's construction: the score of a row's class exceeds all other scores.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
        The rows; a column of ones stands for the intercept.
    codes : ndarray of shape (n_rows,)
        Their classes, from 0.
    n_classes : int
        Number of classes, at least two.

    Notes
    -----
    Weights W have the shape (n_classes - 1, n_features): the scores of class 0 are 0,
    because only differences of scores count. With two classes, W is the hyperplane
    whose positive side is class 1. Each inequality says that the score of row i for
    its own class is larger than that for a rival class k. Arrays of shape
    (n_rows, n_classes) hold a number for each inequality; the entries where k is the
    row's own class are padding.
    """

    features: Floats
    codes: Codes
    n_classes: int

    def take(self, rows: Codes) -> "Constraints":
        """Keep the inequalities of some of the rows."""
        return Constraints(self.features[rows], self.codes[rows], self.n_classes)

    @property
    def is_own(self) -> Mask:
        """Where the rival would be the row's own class."""
        return self.codes[:, None] == np.arange(self.n_classes)

    def margins(self, W: Floats) -> Floats:
        """Compute the differences of scores, infinite for a row's own class."""
        return self.differences(W, np.inf)

    def differences(self, W: Floats, own: float) -> Floats:
        """Compute the differences of scores, and put `own` for a row's own class."""
        scores = np.zeros((len(self.codes), self.n_classes))
        scores[:, 1:] = self.features @ W.T
        differences = np.take_along_axis(scores, self.codes[:, None], axis=1) - scores
        differences[self.is_own] = own
        return differences

    def combine(self, weights: Floats) -> Floats:
        """Sum the gradients of the differences with weights, in the shape of W."""
        factors = -weights
        factors[np.arange(len(self.codes)), self.codes] = weights.sum(axis=1)
        return factors[:, 1:].T @ self.features

    def gram(self, active: Mask) -> Floats:
        """Sum the outer squares of the gradients of the active inequalities."""
        d, n_blocks = self.features.shape[1], self.n_classes - 1
        own = self.is_own[:, 1:]
        rivals = active[:, 1:]
        n_active = active.sum(axis=1, keepdims=True)
        gram = np.zeros((n_blocks, d, n_blocks, d))
        for k in range(n_blocks):
            counts = np.where(own[:, k], n_active[:, 0], rivals[:, k])
            gram[k, :, k] = self._weighted_gram(counts)
            for other in range(k):
                counts = own[:, k] & rivals[:, other] | own[:, other] & rivals[:, k]
                gram[k, :, other] = -self._weighted_gram(counts)
                gram[other, :, k] = gram[k, :, other].T
        return gram.reshape(n_blocks * d, n_blocks * d)

    def _weighted_gram(self, counts: NDArray) -> Floats:
        index = np.flatnonzero(counts)
        gram = np.zeros((self.features.shape[1],) * 2)
        for start in range(0, len(index), CHUNK):
            some = index[start : start + CHUNK]
            part = self.features[some]
            part *= np.sqrt(counts[some])[:, None]
            gram += part.T @ part
        return gram


class Minimum(NamedTuple):
    """Weights W at which the loss ended.

    Attributes
    ----------
    W : ndarray of shape (n_classes - 1, n_features)
        The weights.
    slacks : ndarray of shape (n_rows, n_classes)
        What the margins lack to one, 0 where they exceed it.
    converged : bool
        Whether no further step would lower the loss.
    """

    W: Floats
    slacks: Floats
    converged: bool

    def entries(self, noise: float = 0.0) -> Entries:
        """Take slacks above a fraction of the largest as weights, with the sum 1."""
        rows, rivals = np.nonzero(self.slacks > noise * self.slacks.max())
        weights = self.slacks[rows, rivals]
        return Entries(rows, rivals, weights / weights.sum())


def minimize(
    constraints: Constraints,
    W: Floats,
    *,
    penalty: Floats | None = None,
    tol: float = 0.0,
    max_iter: int,
) -> Minimum:
    """Minimize half the sum of squares of the slacks, and of a quadratic penalty.

    Parameters
    ----------
    constraints : Constraints
        The inequalities.
    W : ndarray of shape (n_classes - 1, n_features)
        Where to begin.
    penalty : ndarray of shape (W.size, W.size) or None
        Matrix of the quadratic form.
    tol : float
        Stop when a step promises less than this fraction of the loss.
    max_iter : int
        Largest number of steps.

    Returns
    -------
    minimum : Minimum
        The weights, and the slacks there.

    Notes
    -----
    The loss is convex and piecewise quadratic, so that Newton's method with an exact
    line search ends after finitely many steps up to rounding errors [1]_, [2]_.
    Without a penalty, the minimum answers the question of separability: it is 0 if
    there are weights with all margins positive. Otherwise, because the derivative
    vanishes, the slacks are nonnegative weights, not all zero, for which the gradients
    of the margins cancel.

    References
    ----------
    .. [1] O. L. Mangasarian, "A finite Newton method for classification",
       Optimization Methods and Software 17(5), 2002.
    .. [2] S. S. Keerthi and D. DeCoste, "A modified finite Newton method for fast
       solution of large scale linear SVMs", JMLR 6, 2005.
    """
    pull, curvature = np.zeros_like(W), 0.0
    margins = constraints.margins(W)
    for _ in range(max_iter):
        slacks = np.maximum(0, 1 - margins)
        if penalty is None and margins.min() > _WIDE:
            return Minimum(W, slacks, converged=True)
        hessian = constraints.gram(slacks > 0)
        if penalty is not None:
            pull = (penalty @ W.ravel()).reshape(W.shape)
            hessian += penalty
        gradient = pull - constraints.combine(slacks)
        loss = (np.square(slacks).sum() + (W * pull).sum()) / 2
        step = -_solve(hessian, gradient)
        promise = -float((gradient * step).sum())
        if not promise > max(tol, _NEGLIGIBLE) * loss:
            return Minimum(W, slacks, converged=True)
        change = constraints.differences(step, 0)
        if penalty is not None:
            curvature = float(step.ravel() @ penalty @ step.ravel())
        slope = float((pull * step).sum())
        W = W + _line_search(margins, change, slope, curvature, promise) * step
        margins = constraints.margins(W)
    return Minimum(W, np.maximum(0, 1 - margins), converged=False)


def _solve(hessian: Floats, gradient: Floats) -> Floats:
    diagonal = np.diag_indices_from(hessian)
    hessian[diagonal] += _DAMPING * hessian[diagonal].mean() + np.finfo(float).tiny
    factor = linalg.cho_factor(hessian, overwrite_a=True, check_finite=False)
    return linalg.cho_solve(factor, gradient.ravel(), check_finite=False).reshape(
        gradient.shape
    )


def _line_search(
    margins: Floats, change: Floats, slope: float, curvature: float, promise: float
) -> float:
    """Find the zero of the derivative along a step, increasing and piecewise linear.

    The derivative at 0 is minus the promise; slope and curvature are the penalty's.
    """
    low, high, t = 0.0, np.inf, 1.0
    for _ in range(100):
        slacks = np.maximum(0, 1 - margins - t * change)
        derivative = slope + t * curvature - float((slacks * change).sum())
        if abs(derivative) <= 1e-12 * promise:
            break
        low, high = (t, high) if derivative < 0 else (low, t)
        second = curvature + float(np.square(change[slacks > 0]).sum())
        # Newton's step on a linear piece, or bisection where it leaves the bracket.
        following = t - derivative / second if second > 0 else np.inf
        if not low < following < high:
            following = (low + high) / 2 if high < np.inf else 2 * t
        t = following
    return t
