"""Which rows are held out of which fit: each of them equally often."""

from collections.abc import Iterator

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..._seeding import spawn_seeds
from ._keys import Keys

Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]


def find_units(keys: Keys, groups: Keys | None) -> Indices:
    """Find what is held out together: equal rows, groups, and chains of both.

    Parameters
    ----------
    keys : ndarray of shape (n_rows,)
        Keys of the rows.
    groups : ndarray of shape (n_rows,) or None
        Keys of their groups.

    Returns
    -------
    unit : ndarray of shape (n_rows,)
        The unit of each row; they are numbered by the keys.
    """
    distinct, of_row = np.unique(keys, return_inverse=True)
    if groups is not None:
        names, of_group = np.unique(groups, return_inverse=True)
        n_nodes = len(distinct) + len(names)
        edges = (np.ones(len(keys)), (of_row, len(distinct) + of_group))
        graph = coo_array(edges, shape=(n_nodes, n_nodes))
        of_row = connected_components(graph, directed=False)[1][of_row]
        of_row = np.unique(of_row, return_inverse=True)[1]
    return of_row


def draw_held_out(
    unit: Indices, codes: Indices, n_fits: int, train_size: float, seed: int
) -> Iterator[Mask]:
    """Draw the rows that are held out of one fit after the other.

    Units that were held out less often than others are taken first, so that after
    each fit the numbers differ by one at most. With halves, the second fit of each
    pair thus holds out what the first one was trained on.

    Parameters
    ----------
    unit : ndarray of shape (n_rows,)
        The unit of each row.
    codes : ndarray of shape (n_rows,)
        Indices of their labels, which are divided evenly.
    n_fits : int
        Number of fits. The first ones are the same however many there are.
    train_size : float
        Part of the units that a fit is trained on.
    seed : int
        Decides the draws.

    Yields
    ------
    is_out : ndarray of shape (n_rows,), bool
        Whether each row is held out.
    """
    strata = _find_strata(unit, codes)
    n_units = len(strata[0])
    n_times = np.zeros(n_units, np.intp)
    for number, fit_seed in enumerate(spawn_seeds(seed, n_fits), 1):
        generator = RandomState(fit_seed)
        order = _draw_order(strata, generator)
        is_due = n_times[order] == n_times.min()
        due, others = order[is_due], order[~is_due]
        offset = generator.random_sample()
        n_needed = round((1 - train_size) * number * n_units - n_times.sum(), 6)
        is_out = np.zeros(n_units, bool)
        is_out[_spaced(due, n_needed, offset)] = True
        is_out[_spaced(others, n_needed - len(due), offset)] = True
        n_times += is_out
        yield is_out[unit]


def _find_strata(unit: Indices, codes: Indices) -> tuple[Indices, Indices]:
    """Find the most frequent label of each unit, and its magnitude, a power of two."""
    counts = coo_array((np.ones(len(codes)), (unit, codes))).tocsr()
    label = np.asarray(counts.argmax(axis=1)).ravel()
    return label, np.log2(np.bincount(unit)).astype(np.intp)


def _draw_order(strata: tuple[Indices, Indices], generator: RandomState) -> Indices:
    """Draw an order in which strata, and those of a label, are side by side."""
    keys = [generator.random_sample(values.max() + 1)[values] for values in strata]
    return np.lexsort((generator.random_sample(len(strata[0])), keys[1], keys[0]))


def _spaced(ordered: Indices, n_wanted: float, offset: float) -> Indices:
    """Take evenly spaced members: of each stratum its share, rounded up or down."""
    if n_wanted <= 0:
        return ordered[:0]
    if n_wanted >= len(ordered):
        return ordered
    steps = np.floor(np.arange(len(ordered) + 1) * (n_wanted / len(ordered)) + offset)
    return ordered[np.diff(steps) > 0]
