"""Cover's counting theorem: how many labelings of points are linearly separable."""

import math
from decimal import Decimal, localcontext
from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

# Digits of the logarithms of factorials, whose leading digits cancel.
DIGITS = 50
_PI = Decimal("3.14159265358979323846264338327950288419716939937511")
_EXACT_FACTORIALS = 100

# Of the series ln n! ~ n ln n - n + ln(2 pi n) / 2 + sum of b / n^(2k + 1). From
# n = 100 on, what is left out is below 1e-30.
_STIRLING = (
    (1, 12),
    (-1, 360),
    (1, 1260),
    (-1, 1680),
    (1, 1188),
    (-691, 360360),
    (1, 156),
    (-3617, 122400),
)

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
    cover_log10_probability : The share of the labelings, for numbers of any size.
    separability_test : Are given labels separable, and could that be chance?

    Notes
    -----
    The count is :math:`C(n, d) = 2 \sum_{k < d} \binom{n - 1}{k}` [1]_. For points
    that are not in general position it is an upper bound. All labelings are separable
    if there are at most `dim` points, and half of them if there are twice as many.

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
    n_samples : int
        Number of points, at least 1, in general position: any `dim` of them are
        linearly independent.

    dim : int
        Dimension of the space. For hyperplanes that need not pass through the origin,
        add 1, for they are those through the origin of the points with a constant
        coordinate appended.

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
    By Cover's theorem [1]_ the probability is :math:`C(n, d) / 2^n`, the probability
    of fewer than `d` heads in `n - 1` tosses. It is 1 for `n <= d`, 1/2 for
    `n = 2 d`, and falls off sharply beyond, the more so the larger `d` is. For points
    that are not in general position it is an upper bound.

    The largest binomial coefficient is computed with 50 digits from Stirling's series,
    and the others by their ratios to it, so that the result is accurate to about the
    last digit. The time grows with the square root of `n_samples` at most.

    References
    ----------
    .. [1] T. M. Cover, "Geometrical and statistical properties of systems of linear
       inequalities with applications in pattern recognition", IEEE Transactions on
       Electronic Computers EC-14(3), 1965, section II.

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
    return float(_log10_tail(int(n_samples) - 1, int(dim) - 1)) + 0.0


def log10_cover_count(n_samples: int, dim: int) -> Decimal:
    """Compute the decimal logarithm of Cover's number of separable labelings.

    Parameters
    ----------
    n_samples : int
        Number of points.
    dim : int
        Dimension of the space.

    Returns
    -------
    log10_count : Decimal
        With digits to spare, for differences of large logarithms.
    """
    with localcontext(prec=DIGITS):
        everything = n_samples * Decimal(2).log10()
        if dim >= n_samples:
            return everything
        return everything + _log10_tail(n_samples - 1, dim - 1)


def log10_arrangements(counts: list[int]) -> Decimal:
    """Compute the decimal logarithm of the number of orders of labels.

    Parameters
    ----------
    counts : list of int
        How often each label occurs.

    Returns
    -------
    log10_number : Decimal
        Of the multinomial coefficient.
    """
    with localcontext(prec=DIGITS):
        parts = sum(map(_ln_factorial, counts), start=Decimal(0))
        return (_ln_factorial(sum(counts)) - parts) / Decimal(10).ln()


def _log10_tail(n_tosses: int, heads: int) -> Decimal:
    """Compute log10 of the probability of at most so many heads of a fair coin."""
    if heads < 0:
        return Decimal("-Infinity")
    with localcontext(prec=DIGITS):
        if 2 * heads >= n_tosses:  # the complement is the smaller one of the two
            others = _log10_tail(n_tosses, n_tosses - heads - 1)
            complement = 10.0 ** float(others)
            return Decimal(math.log1p(-complement)) / Decimal(10).ln()
        largest = (
            _ln_factorial(n_tosses)
            - _ln_factorial(heads)
            - _ln_factorial(n_tosses - heads)
            - n_tosses * Decimal(2).ln()
        )
        series = Decimal(math.log(_sum_of_ratios(n_tosses, heads)))
        return (largest + series) / Decimal(10).ln()


def _sum_of_ratios(n: int, m: int) -> float:
    """Sum binom(n, k) / binom(n, m) over k <= m, for m < n / 2."""
    total, factor, start, size = 1.0, 1.0, 0, 1024
    while start < m and factor > 1e-20 * total:
        j = np.arange(start, min(start + size, m), dtype=np.float64)
        factors = factor * np.cumprod((m - j) / (n - m + 1 + j))
        total += float(factors.sum())
        factor = float(factors[-1])
        start, size = start + size, 2 * size
    return total


def _ln_factorial(n: int) -> Decimal:
    if n < _EXACT_FACTORIALS:
        return Decimal(math.factorial(n)).ln()
    x = Decimal(n)
    series = sum(
        (Decimal(p) / (q * x ** (2 * k + 1)) for k, (p, q) in enumerate(_STIRLING)),
        start=Decimal(0),
    )
    return x * x.ln() - x + (2 * _PI * x).ln() / 2 + series
