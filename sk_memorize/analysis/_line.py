"""The network of Theorem 1 as what it is: a piecewise linear function on a line."""

from typing import NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from sk_memorize.analysis._distinct import DistinctRows, Floats, find_distinct_rows

_MAX_DIRECTIONS = 10

# Where the last piece ends, so that no infinity is subtracted from another.
_FARTHEST = 1e150


class Knots(NamedTuple):
    """A continuous piecewise linear function, 0 left of the first knot.

    Attributes
    ----------
    positions : ndarray of shape (n_units + 1,)
        Ascending.
    values : ndarray of shape (n_units + 1, n_outputs)
        The outputs there; those at the first knot are 0.
    """

    positions: Floats
    values: Floats


def draw_direction(
    X: NDArray, rng: RandomState, owner: str
) -> tuple[Floats, DistinctRows]:
    """Draw a direction on which rows that differ have different projections.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    rng : RandomState
        Source of randomness.
    owner : str
        Who asks, for the error.

    Returns
    -------
    direction : ndarray of shape (n_features,)
        Normal numbers, divided by the largest absolute value of each column, so that
        the rounding of a column of large numbers does not drown the others.
    distinct : DistinctRows
        The distinct rows on it.

    Raises
    ------
    ValueError
        If none of ten directions tells all rows apart in float64.
    """
    tiny = np.finfo(np.float64).tiny
    largest = np.maximum(X.max(axis=0), -X.min(axis=0)).astype(np.float64)
    scale = np.where(largest > tiny, largest, 1.0)
    for _ in range(_MAX_DIRECTIONS):
        direction = rng.standard_normal(X.shape[1]) / scale
        distinct = find_distinct_rows(X, direction)
        # A reciprocal must not overflow.
        too_near = np.diff(distinct.projections) < tiny
        if not too_near.any():
            return direction, distinct
    place = int(np.argmax(too_near))
    pair = sorted(distinct.first[place : place + 2].tolist())
    raise ValueError(
        f"Input X of {owner} must have rows that, where they differ, have different "
        f"projections in float64. Got the rows {pair[0]} and {pair[1]} instead, which "
        f"differ, but cannot be told apart on any of {_MAX_DIRECTIONS} random "
        "directions: round them, so that they are equal, or rescale the columns."
    )


def place_knots(projections: Floats, targets: Floats) -> Knots:
    """Place one knot on each projection, and one before them where the outputs begin.

    Parameters
    ----------
    projections : ndarray of shape (n_units,)
        Ascending.
    targets : ndarray of shape (n_units, n_outputs)
        The outputs there.

    Returns
    -------
    knots : Knots
        The first is as far below the smallest projection as that is below the largest.
    """
    first, last = projections[[0, -1]]
    span = last - first if last > first else 1.0
    # Below a power of two the numbers are twice as far apart.
    span = max(span, 2 * np.spacing(abs(first)))
    positions = np.concatenate([[first - span], projections])
    return Knots(positions, np.vstack([np.zeros(targets.shape[1]), targets]))


def interpolate(projections: Floats, knots: Knots) -> Floats:
    """Evaluate a piecewise linear function.

    The value is a mean of the two nearest knots' values, weighted by nearness, hence
    exact on the knots, and accurate to rounding between them. Beyond the last knot the
    last piece goes on.

    Parameters
    ----------
    projections : ndarray of shape (n_samples,)
        Where to.
    knots : Knots
        The function.

    Returns
    -------
    outputs : ndarray of shape (n_samples, n_outputs)
        Its values.

    Examples
    --------
    >>> import numpy as np
    >>> knots = Knots(np.array([0.0, 1.0, 3.0]), np.array([[0.0], [4.0], [2.0]]))
    >>> interpolate(np.array([-5.0, 0.25, 2.0, 4.0]), knots).ravel()
    array([0., 1., 3., 1.])
    """
    positions, values = knots
    left = np.searchsorted(positions, projections, side="right") - 1
    left = np.clip(left, 0, len(positions) - 2)
    start, end = positions[left], positions[left + 1]
    with np.errstate(over="ignore"):
        share = (projections - start) / (end - start)
    share = np.clip(share, 0.0, _FARTHEST)[:, None]
    outputs: Floats = (1.0 - share) * values[left] + share * values[left + 1]
    return outputs


def solve_output_weights(knots: Knots) -> Floats:
    """Solve the triangular system of the theorem: each weight is a change of slope.

    Parameters
    ----------
    knots : Knots
        The function.

    Returns
    -------
    weights : ndarray of shape (n_units, n_outputs)
        With the positions of all knots but the last as biases, the outputs are
        ``sum(weights[j] * max(projection - biases[j], 0) for j)``.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        slopes = np.diff(knots.values, axis=0) / np.diff(knots.positions)[:, None]
        weights: Floats = np.diff(slopes, axis=0, prepend=0.0)
    return weights
