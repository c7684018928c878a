"""TwoLayerInterpolator and its regressor: Theorem 1 in closed form."""

from typing import Any, ClassVar

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted
from torch import nn

from ..._errors import wrong
from ..._seeding import draw_seed
from .._validation import Indices, refuse_dates
from ._network import (
    TwoLayerReLU,
    draw_direction,
    interpolate,
    place_knots,
    solve_output_weights,
)
from ._targets import Floats, InterpolatingClassifier, Interpolator, project


class _TwoLayerNetwork(Interpolator):
    """The network, which the classifier and the regressor share."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "random_state": ["random_state"]
    }

    def __init__(self, *, random_state: int | RandomState | None = None) -> None:
        self.random_state = random_state

    def _interpolate(self, X: NDArray, first: Indices, targets: Floats) -> None:
        """Draw the direction and give a unit to each distinct row and its targets."""
        rng = RandomState(draw_seed(self.random_state))
        direction, projections, order = draw_direction(
            X, first, rng, type(self).__name__
        )
        self.direction_ = direction
        self._knots = place_knots(projections, targets[order])
        self.biases_ = self._knots.positions[:-1]
        self.output_weights_ = solve_output_weights(self._knots)
        self.n_parameters_ = (
            self.direction_.size + self.biases_.size + self.output_weights_.size
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_parameters_")

    def _evaluate(self, X: NDArray) -> Floats:
        projections = project(X, self.direction_, type(self).__name__)
        return interpolate(projections, self._knots)

    def to_module(self) -> nn.Module:
        """Return the network as a module of torch.

        Returns
        -------
        module : torch.nn.Module
            With the parameters ``direction``, ``biases`` and ``output_weights``, in
            float64. It maps rows of shape (n_samples, n_features) to outputs of shape
            (n_samples, n_outputs), computed as the network's sum; see the Notes of the
            class for what that does to the last digits.

        Raises
        ------
        ValueError
            If an output weight is not finite in float64.
        """
        check_is_fitted(self)
        if not np.isfinite(self.output_weights_).all():
            must = "lead to finite output weights for to_module"
            hint = "rescale it, or round rows that differ little"
            raise ValueError(wrong("y", type(self).__name__, must, "inf", hint))
        return TwoLayerReLU(self.direction_, self.biases_, self.output_weights_)


class TwoLayerInterpolator(_TwoLayerNetwork, InterpolatingClassifier):
    r"""Fit any labels exactly, in closed form, with a two-layer ReLU network.

    This is the network of Theorem 1 in [1]_: 2n + d weights represent any function on
    n rows of d columns. It is found without any training, in O(n log n + n d), and it
    learns nothing: on new rows it is about as good as the nearest neighbor on a random
    line.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Decides the direction on which the rows are projected. None takes a new seed
        from the operating system; unlike in scikit-learn, the global state of NumPy is
        not used.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.

    attainable_accuracy_ : float
        The training accuracy, which is the highest that any function of `X` can have:
        1.0, unless there are equal rows with different labels. Those get the most
        frequent one, of equally frequent ones the first in `classes_`.

    direction_ : ndarray of shape (n_features_in_,)
        The incoming weights of every hidden unit: normal numbers, divided by the
        largest absolute value of the column.

    biases_ : ndarray of shape (n_units,)
        The biases of the hidden units, ascending. There are as many units as distinct
        rows.

    output_weights_ : ndarray of shape (n_units, n_outputs)
        The weights of the second layer. Two classes take one output, more take one for
        each class.

    n_parameters_ : int
        Number of weights, ``n_features_in_ + n_units + n_units * n_outputs``. For n
        distinct rows, d columns and two classes that is 2n + d.

    n_features_in_ : int
        Number of features of `X`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features of `X`, if they are all strings.

    See Also
    --------
    TwoLayerInterpolatorRegressor : The same for numbers.
    KernelInterpolator : Fits all labels exactly, too, and generalizes.
    MemorizingMLP : Fits all labels by training.

    Notes
    -----
    With the direction a, the output for x is the sum of `w[j] * max(a @ x - b[j], 0)`
    over all units j. Let `z[i]` be the projections `a @ x[i]`, sorted. With
    `b[0] < z[0]` and `z[j - 1] <= b[j] < z[j]`, the matrix of `max(z[i] - b[j], 0)` is
    triangular with a positive diagonal, and any targets determine w. Here the biases
    are at the lower ends, `b[j] = z[j - 1]`. Then the network joins the points
    `(z[i], y[i])` by straight lines, w is the change of slope, and no output between
    two rows exceeds those of the rows. The targets are -1 and 1 for two classes, and
    unit vectors for more.

    Between two training rows the class is that of the nearer one on the line. Outside
    of the training rows the network behaves as follows. To the right, the last
    line goes on, and the class remains that of the last row. To the left, the outputs
    fall linearly to 0 at `b[0]`, which is as far from the first row as that is from the
    last; the class remains that of the first row. Farther left every unit is silent:
    all outputs are 0, all classes equally probable, and `predict` returns the first.

    Rounding: the sum above loses digits to cancellation, because the weights grow like
    the reciprocal of the smallest gap between neighbors on the line, which is like
    n**2. So the estimator does not sum. It finds the two neighbors of a projection by
    binary search and interpolates, whose error is a few units in the last place at
    any n. Projections are computed row by row, in the same order of summation, so that
    a training row hits its own knot, bit for bit. :meth:`to_module` returns a module
    that does sum, in float64. Its outputs differ from those of
    :meth:`decision_function` by some 1e-15 * n**2 and, where two rows happen to be
    very near, ten times that: on MNIST 1e-10 to 1e-9 were measured for 1,000 rows, and
    1e-6 to 1e-4 for all 60,000, which still leaves all labels right. In float32 the
    sum is useless from a few thousand rows on.

    References
    ----------
    .. [1] C. Zhang, S. Bengio, M. Hardt, B. Recht and O. Vinyals, "Understanding deep
       learning requires rethinking generalization", ICLR 2017, section 4 and the proof
       of Theorem 1. https://arxiv.org/abs/1611.03530

    Examples
    --------
    >>> import numpy as np
    >>> from sk_memorize import TwoLayerInterpolator
    >>> rng = np.random.RandomState(0)
    >>> X, y = rng.standard_normal((1000, 20)), rng.randint(2, size=1000)
    >>> clf = TwoLayerInterpolator(random_state=0).fit(X, y)
    >>> clf.score(X, y)
    1.0
    >>> clf.n_parameters_  # 20 columns, 1000 biases and 1000 output weights
    2020
    """

    def predict_proba(self, X: ArrayLike) -> NDArray:
        """Compute the nearness to the two neighbors on the line, as probabilities.

        They are the outputs where these are a distribution, as between training rows;
        elsewhere the outputs are clipped, and the remainder is divided equally.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows; the Notes of the class tell what it does far from those of `fit`.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            They sum to one.
        """
        outputs = self._compute_outputs(X)
        if outputs.shape[1] == 1:
            second = np.clip((1 + outputs) / 2, 0, 1)
            return np.hstack([1 - second, second])
        clipped = np.clip(outputs, 0, 1)
        return clipped + (1 - clipped.sum(1, keepdims=True)) / clipped.shape[1]


class TwoLayerInterpolatorRegressor(RegressorMixin, _TwoLayerNetwork):
    """Fit any numbers exactly, in closed form, with a two-layer ReLU network.

    The network of :class:`TwoLayerInterpolator`, with one output, which joins the
    targets by straight lines along a random direction.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        As in :class:`TwoLayerInterpolator`.

    Attributes
    ----------
    attainable_score_ : float
        The coefficient of determination on the training rows, which is the highest that
        any function of `X` can have: 1.0, unless there are equal rows with different
        targets. Those get the mean.

    output_weights_ : ndarray of shape (n_units, 1)
        The weights of the second layer.

    direction_, biases_, feature_names_in_ : ndarray
        As in :class:`TwoLayerInterpolator`.

    n_parameters_, n_features_in_ : int
        As there.

    See Also
    --------
    TwoLayerInterpolator : The same for classes; its Notes tell how it works.

    Notes
    -----
    To the right of the training rows the last line goes on, with the slope between the
    two last rows, which may be steep. To the left the output falls linearly to 0 at the
    first bias, which is as far from the first row as that is from the last, and remains
    0. So this is no way to predict anything, but to see that a fit is no evidence.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sk_memorize import TwoLayerInterpolatorRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> reg = TwoLayerInterpolatorRegressor(random_state=0).fit(X, y)
    >>> (reg.predict(X) == y).all()
    np.True_
    >>> X.shape, reg.n_parameters_
    ((442, 10), 894)
    """

    def _check(self, y: ArrayLike, owner: str) -> ArrayLike:
        refuse_dates(y, "y", owner)
        return y

    def _choose_targets(self, y: NDArray, groups: Indices, first: Indices) -> Floats:
        y = y.astype(np.float64)
        # The mean as a deviation: of equal targets it is that target, exactly.
        start = y[first]
        means = start + np.bincount(groups, y - start[groups]) / np.bincount(groups)
        fitted = means[groups]
        # r2_score is undefined for one row, and rounds for others.
        is_exact = np.array_equal(fitted, y)
        self.attainable_score_ = 1.0 if is_exact else float(r2_score(y, fitted))
        return means[:, None]

    def _decode(self, outputs: Floats) -> NDArray:
        return outputs[:, 0]
