"""Cover's counting theorem: how many labelings of points are linearly separable."""

import math
from numbers import Integral

import numpy as np
from scipy.special import betainc, gammaln, logsumexp
from sklearn.utils._param_validation import Interval, validate_params

from ._problem import Problem

# Below this probability betainc loses digits, and then underflows.
_SMALLEST = 1e-290
# Terms are summed until one is below the sum by this natural logarithm.
_LN_NEGLIGIBLE = 45

_CONSTRAINTS = {
    "n_samples": [Interval(Integral, 1, None, closed="left")],
    "dim": [Interval(Integral, 0, None, closed="left")],
}


@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def cover_count(n_samples: int, dim: int) -> int:
    r"""Count the labelings of points that a hyperplane through the origin separates.

    Parameters
    ----------
    n_samples : int
        Number of points, at least 1, in general position: any `dim` of them are
        linearly independent.

    dim : int
        Dimension of the space. For hyperplanes that need not pass through the origin,
        add 1, for they are those through the origin of the points with a constant
        coordinate appended.

    Returns
    -------
    count : int
        How many of the ``2 ** n_samples`` ways to give the points one of two labels
        are linearly separable, exactly.

    See Also
    --------
    cover_log10_probability : The fraction of the labelings, for numbers of any size.
    separability_test : Are given labels separable, and could that be chance?

    Notes
    -----
    The count is 2 times the sum of the binomial coefficients "n - 1 choose k" over
    `k = 0, ..., d - 1` [1]_. For points that are not in general position it is an
    upper bound. All labelings are separable if there are at most `dim` points, and half
    of them if there are twice as many.

    The numbers have up to `n_samples` bits: for more than some ten thousand points,
    use the logarithm.

    References
    ----------
    .. [1] T. M. Cover, "Geometrical and statistical properties of systems of linear
       inequalities with applications in pattern recognition", IEEE Transactions on
       Electronic Computers EC-14(3), 1965, theorem 1.

    Examples
    --------
    Of the 16 labelings of the corners of a square, lines separate all but the two of
    exclusive or (the corners have general position in the sense that counts: no three
    of them are on a line).

    >>> from sk_memorize import cover_count
    >>> cover_count(4, 3)
    14
    """
    n_samples, dim = int(n_samples), int(dim)  # NumPy's integers would overflow
    if dim >= n_samples:
        return 1 << n_samples
    total, term = 0, 1
    for k in range(dim):
        total += term
        term = term * (n_samples - 1 - k) // (k + 1)
    return 2 * total


@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def cover_log10_probability(n_samples: int, dim: int) -> float:
    """Compute the logarithm of the chance that random labels are linearly separable.

    Parameters
    ----------
    n_samples, dim : int
        Number of points and dimension, as for :func:`cover_count`.

    Returns
    -------
    log10_probability : float
        The decimal logarithm of the probability that a hyperplane through the origin
        separates labels that are drawn by a fair coin. The probability itself is
        zero in floating point for data of usual sizes.

    See Also
    --------
    cover_count : The exact number of separable labelings.
    separability_test : Are given labels separable, and could that be chance?

    Notes
    -----
    By Cover's theorem [1]_ the probability, `cover_count(n, d) / 2 ** n`, is that of
    fewer than `d` heads in `n - 1` tosses. It is 1 for `n <= d`, 1/2 for `n = 2 d`, and
    falls off sharply beyond, the more so the larger `d` is. For points that are not in
    general position it is an upper bound.

    Probabilities above 1e-290 are computed by the incomplete beta function, and
    smaller ones as sums of binomial coefficients by the log-gamma function: relative
    errors of the result are about 1e-13. The time grows with the square root of
    `n_samples` at most.

    References
    ----------
    .. [1] T. M. Cover, "Geometrical and statistical properties of systems of linear
       inequalities with applications in pattern recognition", IEEE Transactions on
       Electronic Computers EC-14(3), 1965, theorem 1.

    Examples
    --------
    >>> from sk_memorize import cover_log10_probability
    >>> round(10 ** cover_log10_probability(20, 10), 6)
    0.5
    >>> round(cover_log10_probability(60_000, 785))
    -16248
    """
    if dim >= n_samples:
        return 0.0
    # A probability that rounds to 1 has the logarithm 0, not -0.
    return _ln_tail(int(n_samples) - 1, int(dim) - 1) / math.log(10) + 0.0


def log10_chances(problem: Problem, rank: int, n_distinct: int) -> tuple[float, float]:
    """Bound log10 of the chance that random, and that permuted, labels are separable.

    For every pair of classes, a row is on one side of the hyperplane where the two
    scores are equal. All hyperplanes together make an arrangement in the space of the
    differences of scores, and the classes of all rows are the same within a cell of
    it. Cover's count bounds the number of cells whether or not the points have general
    position, and equal rows add nothing. For two classes and distinct points in general
    position, the bound is attained.
    """
    k, n_rows = problem.n_classes, len(problem.codes)
    n_samples, dim = n_distinct * k * (k - 1) // 2, (k - 1) * rank
    # Cells as a fraction of 2**n_samples: differences of large logarithms lose digits.
    ln_part = 0.0 if dim >= n_samples else _ln_tail(n_samples - 1, dim - 1)
    ln_all = n_samples * math.log(2)
    counts = np.bincount(problem.codes, minlength=k)
    ln_arrangements = gammaln(n_rows + 1) - gammaln(counts + 1).sum()
    random = min(0.0, ln_part + (ln_all - n_rows * math.log(k)))
    permuted = min(0.0, ln_part + (ln_all - float(ln_arrangements)))
    return random / math.log(10), permuted / math.log(10)


def _ln_tail(n_tosses: int, heads: int) -> float:
    """Compute ln of the probability of at most so many heads of a fair coin."""
    if heads < 0:
        return -math.inf
    if 2 * heads >= n_tosses:  # the complement is the smaller one of the two
        return math.log1p(-betainc(heads + 1, n_tosses - heads, 0.5))
    probability = betainc(n_tosses - heads, heads + 1, 0.5)
    if probability > _SMALLEST:
        return math.log(probability)
    # Below the largest term, each is smaller than the one before by this factor.
    decay = math.log((n_tosses - heads + 1) / max(heads, 1))
    n_terms = min(heads, math.ceil(_LN_NEGLIGIBLE / decay)) + 1
    k = np.arange(heads - n_terms + 1, heads + 1, dtype=np.float64)
    ln_terms = gammaln(n_tosses + 1) - gammaln(k + 1) - gammaln(n_tosses - k + 1)
    return float(logsumexp(ln_terms)) - n_tosses * math.log(2)
