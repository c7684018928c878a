"""Corruption of labels, as pure functions on class indices.

Labels are the integers ``0 .. n_classes - 1`` and strata the integers from 0; no
function changes its arguments. All randomness comes from the `rng` passed in.
"""

from typing import Any, Literal

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]
Matrix = NDArray[np.float64]
Kind = Literal["permutation", "uniform", "symmetric", "asymmetric", "transition"]


def apportion(
    shares: NDArray[np.floating[Any]], total: int, rng: RandomState
) -> Indices:
    """Round `shares` to integers that sum to `total`, by largest remainder.

    Each integer is within one of its share. Equal remainders are served in random
    order, so that no entry is favored for its position.

    Parameters
    ----------
    shares : ndarray of shape (n_shares,)
        Nonnegative numbers whose sum rounds to `total`.
    total : int
        The sum of the result.
    rng : RandomState
        Breaks the ties.

    Returns
    -------
    counts : ndarray of shape (n_shares,)
        The rounded shares.

    Examples
    --------
    >>> import numpy as np
    >>> apportion(np.array([0.7, 1.2, 2.1]), 4, np.random.RandomState(0))
    array([1, 1, 2])
    """
    counts: Indices = np.floor(shares).astype(np.intp)
    # Round the remainders: ties differ in the last bits of the products.
    remainders = np.round(shares - counts, 9)
    order = np.lexsort((rng.random_sample(len(shares)), -remainders))
    counts[order[: total - counts.sum()]] += 1
    return counts


def select(strata: Indices, fraction: float, *, exact: bool, rng: RandomState) -> Mask:
    """Draw the units to corrupt.

    Parameters
    ----------
    strata : ndarray of shape (n_units,)
        The stratum of each unit.
    fraction : float
        The fraction of the units to select, in [0, 1].
    exact : bool
        Whether exactly ``round(fraction * n_units)`` units are selected, each stratum
        within one unit of its share; otherwise each unit is selected independently
        with probability `fraction`.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    selected : ndarray of shape (n_units,), dtype=bool
        The selected units.
    """
    if not exact:
        return rng.random_sample(len(strata)) < fraction
    total = round(fraction * len(strata))
    quotas = apportion(fraction * np.bincount(strata), total, rng)
    return random_ranks(strata, rng) < quotas[strata]


def corrupt(
    codes: Indices,
    strata: Indices,
    *,
    kind: Kind,
    n_classes: int,
    transition_matrix: Matrix | None,
    exact: bool,
    rng: RandomState,
) -> Indices:
    """Corrupt labels.

    Parameters
    ----------
    codes : ndarray of shape (n_units,)
        The labels of the selected units.
    strata : ndarray of shape (n_units,)
        The stratum of each; a permutation stays within the strata.
    kind : {"permutation", "uniform", "symmetric", "asymmetric", "transition"}
        What is done to a label, see :class:`LabelPermuter`.
    n_classes : int
        Number of classes.
    transition_matrix : ndarray of shape (n_classes, n_classes) or None
        Row-stochastic matrix, for ``kind="transition"`` only.
    exact : bool
        Whether transitions are apportioned instead of sampled.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    corrupted : ndarray of shape (n_units,)
        The new labels.
    """
    match kind:
        case "permutation":
            return permute(codes, strata, rng)
        case "uniform":
            return rng.randint(n_classes, size=len(codes))
        case "symmetric":
            return (codes + rng.randint(1, n_classes, size=len(codes))) % n_classes
        case "asymmetric":
            return (codes + 1) % n_classes
        case "transition":
            assert transition_matrix is not None
            return follow_transitions(codes, transition_matrix, exact=exact, rng=rng)


def permute(codes: Indices, strata: Indices, rng: RandomState) -> Indices:
    """Permute labels within strata; the histogram of each stratum is preserved."""
    # Sort both by stratum: the places stably, the sources in random order.
    places = np.argsort(strata, kind="stable")
    sources = np.lexsort((rng.random_sample(len(strata)), strata))
    permuted = np.empty_like(codes)
    permuted[places] = codes[sources]
    return permuted


def follow_transitions(
    codes: Indices, transition_matrix: Matrix, *, exact: bool, rng: RandomState
) -> Indices:
    """Replace each label by one drawn from its row of a transition matrix.

    Parameters
    ----------
    codes : ndarray of shape (n_units,)
        The labels.
    transition_matrix : ndarray of shape (n_classes, n_classes)
        Row-stochastic matrix.
    exact : bool
        Whether the counts per class and target are the expected counts, apportioned
        by largest remainder; otherwise each label is drawn independently.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    targets : ndarray of shape (n_units,)
        The new labels.
    """
    targets = np.empty_like(codes)
    for label, row in enumerate(transition_matrix):
        members = np.flatnonzero(codes == label)
        if exact:
            counts = apportion(row * len(members), len(members), rng)
            drawn = rng.permutation(np.repeat(np.arange(len(row)), counts))
        else:
            cumulative = np.cumsum(row)
            # Normalize the cumulative sums: rounding may leave the last below one.
            drawn = np.searchsorted(
                cumulative / cumulative[-1],
                rng.random_sample(len(members)),
                side="right",
            )
        targets[members] = drawn
    return targets


def realized_transitions(before: Indices, after: Indices, n_classes: int) -> Matrix:
    """Compute the fraction of each class that got each class; rows sum to one."""
    counts = np.zeros((n_classes, n_classes))
    np.add.at(counts, (before, after), 1)
    shares: Matrix = counts / counts.sum(axis=1, keepdims=True)
    return shares


def random_ranks(strata: Indices, rng: RandomState) -> Indices:
    """Rank the units of each stratum from 0 in a random order."""
    order = np.lexsort((rng.random_sample(len(strata)), strata))
    sizes = np.bincount(strata)
    starts = np.cumsum(sizes) - sizes
    ranks = np.empty(len(strata), dtype=np.intp)
    ranks[order] = np.arange(len(strata)) - starts[strata[order]]
    return ranks
