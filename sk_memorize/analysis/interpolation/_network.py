"""The network of Theorem 1: a piecewise linear function of a projection."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.random import RandomState
from numpy.typing import NDArray
from torch import Tensor, nn

from ..._errors import wrong
from .._validation import Indices
from ._targets import Floats, project

_MAX_DIRECTIONS = 10

# Extrapolation ends here: subtracting infinities would give NaN.
_FARTHEST = 1e150

_MAX_ACTIVATIONS = 2**24  # computed at a time: 128 MiB


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


class TwoLayerReLU(nn.Module):
    """A two-layer ReLU network whose hidden units share one direction.

    Its outputs are ``relu(X @ direction - biases) @ output_weights``, summed as they
    stand, in float64.

    Parameters
    ----------
    direction : ndarray of shape (n_features,)
        The incoming weights of every hidden unit.
    biases : ndarray of shape (n_units,)
        Subtracted before the ReLU.
    output_weights : ndarray of shape (n_units, n_outputs)
        The weights of the second layer.
    """

    def __init__(
        self, direction: NDArray, biases: NDArray, output_weights: NDArray
    ) -> None:
        super().__init__()
        self.direction = nn.Parameter(torch.tensor(direction))
        self.biases = nn.Parameter(torch.tensor(biases))
        self.output_weights = nn.Parameter(torch.tensor(output_weights))

    def forward(self, X: Tensor) -> Tensor:
        """Compute the outputs.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        outputs : torch.Tensor of shape (n_samples, n_outputs), float64
            The outputs.
        """
        projections = X.to(self.direction.dtype) @ self.direction
        n_rows = max(1, _MAX_ACTIVATIONS // len(self.biases))
        return torch.cat(
            [
                torch.relu(part[:, None] - self.biases) @ self.output_weights
                for part in projections.split(n_rows)
            ]
        )


def draw_direction(
    X: NDArray, first: Indices, rng: RandomState, owner: str
) -> tuple[Floats, Floats, Indices]:
    """Draw a direction on which the distinct rows have different projections.

    Its entries are normal numbers, divided by the largest absolute value of each
    column, so that rounding of a column of large numbers does not drown the others.
    Also return the projections, ascending, and the order of the distinct rows on it.
    """
    X = X[first]
    tiny = np.finfo(np.float64).tiny
    largest = np.maximum(X.max(axis=0), -X.min(axis=0)).astype(np.float64)
    scale = np.where(largest > tiny, largest, 1.0)
    for _ in range(_MAX_DIRECTIONS):
        direction = rng.standard_normal(X.shape[1]) / scale
        projections = project(X, direction, owner)
        order = np.argsort(projections, kind="stable")
        projections = projections[order]
        # A reciprocal must not overflow.
        too_near = np.diff(projections) < tiny
        if not too_near.any():
            return direction, projections, order
    place = int(np.argmax(too_near))
    pair = sorted(first[order[place : place + 2]].tolist())
    must = "have rows that, where they differ, have different projections in float64"
    got = f"the rows {pair[0]} and {pair[1]}, equal on {_MAX_DIRECTIONS} random lines,"
    hint = "round them, so that they are equal, or rescale the columns"
    raise ValueError(wrong("X", owner, must, got, hint))


def place_knots(projections: Floats, targets: Floats) -> Knots:
    """Place a knot on each of the ascending projections, and one before, of value 0.

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
        Points to evaluate at.
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
        fraction = (projections - start) / (end - start)
    fraction = np.clip(fraction, 0.0, _FARTHEST)[:, None]
    outputs: Floats = (1.0 - fraction) * values[left] + fraction * values[left + 1]
    return outputs


def solve_output_weights(knots: Knots) -> Floats:
    """Solve the triangular system of the theorem: each weight is a change of slope.

    With the positions of all knots except the last as biases, the outputs are
    ``sum(weights[j] * max(projection - biases[j], 0) for j)``.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        slopes = np.diff(knots.values, axis=0) / np.diff(knots.positions)[:, None]
        weights: Floats = np.diff(slopes, axis=0, prepend=0.0)
    return weights
