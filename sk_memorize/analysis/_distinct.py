"""Equal rows, found on a line, and what their targets have in common."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]
Floats = NDArray[np.float64]

_CHUNK = 256  # rows, of some hundred columns: they stay in the cache


class DistinctRows(NamedTuple):
    """The distinct rows, in the order of their projections.

    Attributes
    ----------
    projections : ndarray of shape (n_distinct,)
        Not descending; rows that differ may share one.
    first : ndarray of shape (n_distinct,)
        The first of the equal rows.
    groups : ndarray of shape (n_samples,)
        Of each row, its place among the distinct ones.
    """

    projections: Floats
    first: Indices
    groups: Indices


def project(X: NDArray, direction: Floats) -> Floats:
    """Compute ``X @ direction`` in float64, each row by itself.

    A product of matrices sums a row in an order that depends on its place among the
    others, so that equal rows can get different last bits. Here they get the same,
    wherever they stand and whether they are in float32 or float64.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    direction : ndarray of shape (n_features,)
        What they are projected on.

    Returns
    -------
    projections : ndarray of shape (n_samples,)
        The inner products.

    Raises
    ------
    ValueError
        If one of them overflows.
    """
    projections = np.empty(len(X))
    for start in range(0, len(X), _CHUNK):
        chunk = np.ascontiguousarray(X[start : start + _CHUNK], dtype=np.float64)
        np.einsum("ij,j->i", chunk, direction, out=projections[start : start + _CHUNK])
    if not np.isfinite(projections).all():
        row = int(np.argmin(np.isfinite(projections)))
        raise ValueError(
            "Input X must hold values whose weighted sum is finite in float64. "
            f"Got a row, number {row}, for which it overflows instead."
        )
    return projections


def find_distinct_rows(X: NDArray, direction: Floats) -> DistinctRows:
    """Group the rows that are equal.

    Equal rows have equal projections, so that only neighbors on the line are
    compared.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    direction : ndarray of shape (n_features,)
        Any direction; the grouping does not depend on it, only the order and the time.

    Returns
    -------
    distinct : DistinctRows
        The groups of equal rows.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[3.0, 0.0], [1.0, 1.0], [3.0, 0.0]])
    >>> find_distinct_rows(X, np.array([1.0, 0.0])).groups
    array([1, 0, 1])
    """
    projections = project(X, direction)
    order = np.argsort(projections, kind="stable")
    is_new = np.ones(len(X), dtype=bool)
    is_new[1:] = np.diff(projections[order]) > 0
    tied = np.flatnonzero(~is_new)
    differs = _differ(X, order[tied - 1], order[tied])
    if differs.any():  # rows that share a projection by chance, or by rounding
        runs = np.cumsum(is_new)
        mixed = np.isin(runs, runs[tied[differs]])
        rows = order[mixed]
        order[mixed] = rows[np.lexsort((*X[rows].T, runs[mixed]))]
        differs = _differ(X, order[tied - 1], order[tied])
    is_new[tied] = differs
    groups = np.empty(len(X), dtype=np.intp)
    groups[order] = np.cumsum(is_new) - 1
    first = order[is_new]
    return DistinctRows(projections[first], first, groups)


def _differ(X: NDArray, left: Indices, right: Indices) -> NDArray[np.bool_]:
    differs = np.empty(len(left), dtype=bool)
    for start in range(0, len(left), _CHUNK):
        part = slice(start, start + _CHUNK)
        differs[part] = (X[left[part]] != X[right[part]]).any(axis=1)
    return differs


def encode_classes(y: NDArray, owner: str) -> tuple[NDArray, Indices]:
    """Find the classes, of which there must be two, and the index of each label's."""
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"The 'y' parameter of {owner} must have labels of at least 2 classes. "
            f"Got one class, {classes.tolist()[0]!r}, instead."
        )
    return classes, codes


def elect(groups: Indices, codes: Indices) -> tuple[Indices, float]:
    """Find the most frequent class of each group, of equally frequent ones the first.

    Parameters
    ----------
    groups : ndarray of shape (n_samples,)
        The groups, numbered from 0 without a gap.
    codes : ndarray of shape (n_samples,)
        The index of each row's class.

    Returns
    -------
    elected : ndarray of shape (n_groups,)
        The index of the class of each group.
    attainable_accuracy : float
        The share of the rows that have the class of their group.

    Examples
    --------
    >>> import numpy as np
    >>> elected, share = elect(np.array([0, 0, 0, 1]), np.array([2, 1, 2, 0]))
    >>> elected, share
    (array([2, 0]), 0.75)
    """
    n_classes = int(codes.max()) + 1
    pairs, counts = np.unique(groups * n_classes + codes, return_counts=True)
    # The sort is stable, and the pairs are in the order of their classes.
    order = np.lexsort((-counts, pairs // n_classes))
    _, first = np.unique(pairs[order] // n_classes, return_index=True)
    winners = order[first]
    return pairs[winners] % n_classes, float(counts[winners].sum() / len(codes))


def average(groups: Indices, y: Floats) -> Floats:
    """Compute the mean of each group; of equal numbers it is that number, exactly.

    Parameters
    ----------
    groups : ndarray of shape (n_samples,)
        The groups, numbered from 0 without a gap.
    y : ndarray of shape (n_samples,)
        The numbers.

    Returns
    -------
    means : ndarray of shape (n_groups,)
        The mean of each group.
    """
    _, first = np.unique(groups, return_index=True)
    start = y[first]
    deviations = np.bincount(groups, weights=y - start[groups])
    means: Floats = start + deviations / np.bincount(groups)
    return means


def encode_targets(codes: Indices, n_classes: int) -> Floats:
    """Make the outputs of a network: -1 and 1 for two classes, else a unit vector.

    Parameters
    ----------
    codes : ndarray of shape (n_samples,)
        The index of each row's class.
    n_classes : int
        Number of classes.

    Returns
    -------
    targets : ndarray of shape (n_samples, n_outputs)
        With one output for two classes, else one for each class.
    """
    if n_classes == 2:
        return np.where(codes == 1, 1.0, -1.0)[:, None]
    targets = np.zeros((len(codes), n_classes))
    targets[np.arange(len(codes)), codes] = 1.0
    return targets


def decode_outputs(outputs: NDArray) -> Indices:
    """Find the index of the class that outputs stand for; ties go to the first."""
    if outputs.ndim == 1 or outputs.shape[1] == 1:
        return (outputs.ravel() > 0).astype(np.intp)
    return outputs.argmax(axis=1)
