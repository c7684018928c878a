"""Influence: what the label of a test row owes to each training row."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..._threads import single_thread_of_native_code
from ._fits import Floats
from ._halves import Indices, Mask
from ._sums import Moments, Numbers

_CHUNK = 2**23  # numbers that are worked on at a time
_PAIRS = 2**13  # pairs that are
_ROUNDING = 1e-5  # of an influence in float32


class Largest(NamedTuple):
    """The largest influences on each test row, in decreasing order.

    Attributes
    ----------
    rows : ndarray of shape (n_test_rows, n_largest)
        Training rows.
    values, errors : ndarray of shape (n_test_rows, n_largest)
        Their influences and standard errors.
    """

    rows: Indices
    values: Numbers
    errors: Numbers


class Tests(NamedTuple):
    """What the fits say about the test rows."""

    is_out: NDArray[np.uint8]  # which training rows each fit held out, in bits
    position: Indices  # of each training row among those
    probability: Floats  # of the labels of the test rows, for each fit
    label: NDArray


def influences(probability: Floats, is_out: Mask) -> tuple[Numbers, Numbers]:
    """Compare the fits with a row and those without it.

    Parameters
    ----------
    probability : ndarray of shape (n_fits, ...), float32
        Of the label of a test row.
    is_out : ndarray of shape (n_fits, ...), bool
        Whether the training row was held out.

    Returns
    -------
    values, errors : ndarray
        Differences of the means, and standard errors, which are NaN with one fit.
    """
    sides = np.stack([is_out, ~is_out])
    counts = sides.sum(axis=1)
    given = probability.astype(np.float64)
    means = (sides * given).sum(axis=1) / counts
    squares = (sides * given**2).sum(axis=1)
    n = len(is_out) // 2 * 2
    is_pair = is_out[:n:2] != is_out[1:n:2]
    products = (is_pair * given[:n:2] * given[1:n:2]).sum(axis=0)
    moments = Moments(means, squares, np.broadcast_to(counts, means.shape))
    return means[1] - means[0], moments.standard_error(products, is_pair.sum(axis=0))


def find_largest(probability: Floats, is_out: Mask, n_largest: int) -> Largest:
    """Find the training rows to which each test row owes most.

    Parameters
    ----------
    probability : ndarray of shape (n_fits, n_test_rows), float32
        Of the labels of the test rows.
    is_out : ndarray of shape (n_fits, n_rows), bool
        Which training rows were held out.
    n_largest : int
        Number of training rows for each test row.

    Returns
    -------
    largest : Largest
        The rows; of equal influences the first.
    """
    factors = _factors(is_out)
    n_numbers = max(is_out.shape[1], 4 * n_largest * len(is_out))  # of a test row
    n_chunks = -(-n_numbers * probability.shape[1] // _CHUNK)

    def find(part: Floats) -> list[NDArray]:
        negative = _multiply(-part, factors)
        rows = np.argpartition(negative, n_largest - 1, axis=1)[:, :n_largest]
        values, errors = influences(part[:, :, None], is_out[:, rows])
        order = np.lexsort((rows, -values), axis=1)
        return [np.take_along_axis(a, order, 1) for a in (rows, values, errors)]

    parts = map(find, np.array_split(probability, max(1, n_chunks), axis=1))
    return Largest(*map(np.concatenate, zip(*parts, strict=True)))


def find_at_least(
    probability: Floats, is_out: Mask, least: float
) -> tuple[Indices, Indices, Numbers, Numbers]:
    """Find the test rows and rows of large influence, and that with its error."""
    factors, found = _factors(is_out), []
    n_numbers = is_out.shape[1] * max(probability.shape)
    n_chunks = max(1, n_numbers // _CHUNK)
    for rows in np.array_split(np.arange(is_out.shape[1]), n_chunks):
        rough = _multiply(probability, factors[:, rows]) >= least - _ROUNDING
        tests, chosen = np.nonzero(rough)
        for part in np.array_split(np.arange(len(tests)), 1 + len(tests) // _PAIRS):
            pair = tests[part], rows[chosen[part]]
            values, errors = influences(probability[:, pair[0]], is_out[:, pair[1]])
            is_large = values >= least
            found.append([a[is_large] for a in (*pair, values, errors)])
    tests, rows, values, errors = map(np.concatenate, zip(*found, strict=True))
    return tests, rows, values, errors


def _factors(is_out: Mask) -> Floats:
    """Make the factors of the fits whose products with probabilities are influences."""
    n_out = is_out.sum(axis=0)
    sides = -1 / n_out, 1 / (len(is_out) - n_out)
    return np.where(is_out, *(side.astype(np.float32) for side in sides))


def _multiply(probability: Floats, factors: Floats) -> Floats:
    """Compute influences to the precision of float32."""
    with single_thread_of_native_code():
        return probability.T @ factors


def pack(is_out: NDArray) -> NDArray[np.uint8]:
    """Store booleans in bits."""
    return np.packbits(is_out, axis=1)


def unpack(bits: NDArray[np.uint8], n_rows: int) -> Mask:
    """Undo `pack`."""
    return np.unpackbits(bits, axis=1, count=n_rows).view(bool)


def find_pairs(
    tests: Tests, given_label: NDArray, is_memorized: Mask, min_influence: float
) -> pd.DataFrame:
    """List pairs of a test row and a memorized row of its label, with the influence."""
    bits, position, probability, test_label = tests
    tables = []
    for label in np.unique(given_label):
        of_label = np.flatnonzero(test_label == label)
        rows = np.flatnonzero(is_memorized & (given_label == label))
        is_out = unpack(bits, len(position))[:, position[rows]]
        found = find_at_least(probability[:, of_label], is_out, min_influence)
        columns = {
            "test_row": of_label[found[0]],
            "row": rows[found[1]],
            "label": np.full(len(found[0]), label),
            "influence": found[2],
            "standard_error": found[3],
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)
