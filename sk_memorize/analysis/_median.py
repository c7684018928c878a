"""The median of a few measurements, some of which are known within bounds only."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom


class MedianInterval(NamedTuple):
    """An interval that holds the median of a distribution.

    Attributes
    ----------
    low, high : float
        Its ends, both of them within.
    coverage : float
        The probability that such an interval holds the median, at least.
    """

    low: float
    high: float
    coverage: float


def median_interval(
    lower: ArrayLike, upper: ArrayLike, confidence: float
) -> MedianInterval:
    """Find an interval for the median, by order statistics.

    Parameters
    ----------
    lower, upper : array-like of shape (n_values,)
        Bounds of each value, in a random sample of a distribution; they are equal
        where the value is known.
    confidence : float
        The probability wanted.

    Returns
    -------
    interval : MedianInterval
        The narrowest of the symmetric intervals that have the coverage wanted; if
        none has it, the widest one, from the smallest value to the largest.

    Notes
    -----
    The k-th smallest of n values is above the median only if fewer than k of them
    are not, which happens with probability ``binom.cdf(k - 1, n, 1/2)`` at most,
    whatever the distribution; likewise from above. The k-th smallest lower bound is
    not above the k-th smallest value.

    References
    ----------
    .. [1] W. J. Conover, "Practical nonparametric statistics", 1999, section 3.2.

    Examples
    --------
    >>> from sk_memorize.analysis._median import median_interval
    >>> interval = median_interval(range(8), range(8), 0.9)
    >>> interval.low, interval.high, round(interval.coverage, 4)
    (1.0, 6.0, 0.9297)
    """
    low, high = np.sort(np.asarray(lower, float)), np.sort(np.asarray(upper, float))
    n_values = len(low)
    # Of the coverage for each number of values left out on either side.
    coverages = 1 - 2 * binom.cdf(np.arange((n_values + 1) // 2), n_values, 0.5)
    n_left_out = max(int(np.count_nonzero(coverages >= confidence)) - 1, 0)
    return MedianInterval(
        float(low[n_left_out]),
        float(high[-1 - n_left_out]),
        float(coverages[n_left_out]),
    )
