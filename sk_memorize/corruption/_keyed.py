"""Random numbers that are functions of a seed and of the content of a row.

What is drawn for a row depends neither on the other rows nor on its place among them.
The generator is SplitMix64 [1]_, which needs no loop: its numbers are a mixture of the
bits of start, start + 1 step, start + 2 steps and so on.

References
----------
.. [1] G. L. Steele, D. Lea and C. H. Flood, "Fast splittable pseudorandom number
   generators", OOPSLA 2014, section 4.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy.special import ndtri
from sklearn.utils import gen_batches

Bits = NDArray[np.uint64]
Indices = NDArray[np.int64]

# 64 bits for each value of a chunk fit the cache of a core: larger ones are slower.
_CHUNK = 2**15
_STEP = 0x9E3779B97F4A7C15


def map_rows(
    function: Callable[[NDArray, Bits], NDArray],
    rows: NDArray,
    seed: int,
    dtype: DTypeLike,
) -> NDArray:
    """Apply a function to rows and their keys, chunk by chunk.

    Parameters
    ----------
    function : callable
        Takes rows and keys, and returns as many rows.
    rows : ndarray of shape (n_rows, n_columns)
        The rows.
    seed : int
        From 0 to 2**64 - 1.
    dtype : dtype
        Type of the result.

    Returns
    -------
    result : ndarray of shape (n_rows, n_columns)
        A new array.
    """
    result = np.empty(rows.shape, dtype)
    for chunk in gen_batches(len(rows), max(1, _CHUNK // rows.shape[1])):
        result[chunk] = function(rows[chunk], row_keys(rows[chunk], seed))
    return result


def row_keys(rows: NDArray, seed: int) -> Bits:
    """Hash the content of each row.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        The rows, of real numbers.
    seed : int
        From 0 to 2**64 - 1.

    Returns
    -------
    keys : ndarray of shape (n_rows,)
        Equal for equal rows; for others they differ, but for one pair in 2**64.
    """
    columns = _stream(np.array([seed], dtype=np.uint64), rows.shape[1])
    # The integers wrap around, hence the sum is exact, whatever its order.
    return _mix(_mix(_bits(rows) + columns).sum(axis=1, dtype=np.uint64))


def permutations(keys: Bits, length: int) -> Indices:
    """Draw a permutation for each key.

    Parameters
    ----------
    keys : ndarray of shape (n_rows,)
        The keys.
    length : int
        Number of permuted items.

    Returns
    -------
    orders : ndarray of shape (n_rows, length)
        In each row the numbers from 0 to `length` - 1.
    """
    # Sorting numbers whose last bits are their positions is several times faster than
    # an argsort, and leaves no ties.
    n_bits = (length - 1).bit_length()
    numbers = _stream(keys, length)
    numbers >>= n_bits
    numbers <<= n_bits
    numbers |= np.arange(length, dtype=np.uint64)
    numbers.sort(axis=1)
    numbers &= (1 << n_bits) - 1
    return numbers.view(np.int64)


def normals(keys: Bits, length: int) -> NDArray[np.float64]:
    """Draw standard normal numbers for each key.

    Parameters
    ----------
    keys : ndarray of shape (n_rows,)
        The keys.
    length : int
        How many numbers to draw for each.

    Returns
    -------
    numbers : ndarray of shape (n_rows, length)
        Independent, of mean 0 and variance 1.
    """
    return ndtri(_open_uniform(_stream(keys, length)))


def _bits(rows: NDArray) -> NDArray[np.unsignedinteger[Any]]:
    """View numbers as integers, the same for equal numbers of whatever type.

    They are the bits in float32 where that holds the number, else those in float64.
    """
    with np.errstate(over="ignore"):  # what exceeds float32 becomes infinite
        # Adding zero turns the negative zeros into positive ones.
        narrow = rows.astype(np.float32, order="C") + np.float32(0)
    bits = narrow.view(np.uint32)
    if np.can_cast(rows.dtype, np.float32):
        return bits
    wide = rows.astype(np.float64, order="C")
    rounded = narrow != wide
    return np.where(rounded, wide.view(np.uint64), bits) if rounded.any() else bits


def _open_uniform(bits: Bits) -> NDArray[np.float64]:
    """Convert bits to numbers between 0 and 1, both excluded, symmetric about 1/2."""
    # With one bit more, the largest would be rounded to 1.
    return ((bits >> 12).astype(np.float64) + 0.5) * 2.0**-52


def _stream(starts: Bits, length: int) -> Bits:
    """Generate `length` numbers from each start."""
    return _mix(starts[:, None] + _STEP * np.arange(1, length + 1, dtype=np.uint64))


def _mix(bits: Bits) -> Bits:
    """Scramble each number, in place, in a way that can be undone."""
    bits ^= bits >> 30
    bits *= 0xBF58476D1CE4E5B9
    bits ^= bits >> 27
    bits *= 0x94D049BB133111EB
    bits ^= bits >> 31
    return bits
