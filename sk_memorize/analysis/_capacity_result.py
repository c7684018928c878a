"""MemorizationCapacity: the result of the searches of all repeats."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import binom

_COLUMNS = [
    *("repeat", "n_samples", "fitted_accuracy", "success", "seconds", "n_parameters")
]


@dataclass(frozen=True, repr=False, eq=False)
class MemorizationCapacity:
    """The result of :func:`~sk_memorize.memorization_capacity`.

    Attributes
    ----------
    labels : float
        The capacity: the median, over the repeats, of the largest number of labels
        that were fitted.
    interval : tuple of float
        An interval for the median of its distribution, both ends within. The upper
        end is infinite where too many repeats fitted all `max_samples` labels.
    coverage : float
        The probability that such an interval holds the median: at least the
        `confidence` asked for, or else that of the widest interval which so few
        repeats allow.
    is_lower_bound : bool
        Whether `labels` is no more than that, because all labels were fitted.
    bits : float
        The information in `labels` labels that are fitted as well as was asked for.
    n_parameters : float or None
        The median, over the repeats, of the number of parameters of the classifier
        that was fitted to the largest number of labels.
    labels_per_parameter, bits_per_parameter : float or None
        The capacity over `n_parameters`.
    n_classes : int
        Number of classes of the labels.
    target_accuracy : float
        The accuracy that counted as a fit.
    repeats : pandas.DataFrame of shape (n_repeats, 3)
        For each repeat `largest_fitted`; `smallest_failed`, missing where nothing
        failed; and `n_parameters` of the classifier fitted to the former.
    curve : pandas.DataFrame
        For each fit its `repeat`, `n_samples`, `fitted_accuracy`, whether that was a
        `success`, `seconds` of the fit, and `n_parameters`.

    See Also
    --------
    memorization_capacity : Makes such results.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sk_memorize import memorization_capacity
    >>> tree = DecisionTreeClassifier(max_leaf_nodes=8)
    >>> capacity = memorization_capacity(tree, n_features=5, random_state=0)
    >>> capacity.curve[["n_samples", "success"]].head(3)
       n_samples  success
    0         16     True
    1         24     True
    2         28     True
    """

    labels: float
    interval: tuple[float, float]
    coverage: float
    is_lower_bound: bool
    bits: float
    n_parameters: float | None
    n_classes: int
    target_accuracy: float
    repeats: pd.DataFrame
    curve: pd.DataFrame

    @property
    def labels_per_parameter(self) -> float | None:
        """Labels over parameters."""
        return self.labels / self.n_parameters if self.n_parameters else None

    @property
    def bits_per_parameter(self) -> float | None:
        """Bits over parameters."""
        return self.bits / self.n_parameters if self.n_parameters else None

    def __repr__(self) -> str:
        at_least = "at least " if self.is_lower_bound else ""
        low, high = self.interval
        lines = [
            f"capacity: {at_least}{self.labels:g} labels of {self.n_classes} classes, "
            f"fitted to {100 * self.target_accuracy:g} %",
            f"interval: {low:g} to {high:g} ({100 * self.coverage:.1f} %, "
            f"{len(self.repeats)} repeat{'s' if len(self.repeats) > 1 else ''})",
            f"bits: {at_least}{self.bits:g}",
        ]
        if self.n_parameters:
            lines.append(
                f"parameters: {self.n_parameters:g}; {at_least}"
                f"{self.labels_per_parameter:.3g} labels, "
                f"{self.bits_per_parameter:.3g} bits per parameter"
            )
        return f"{type(self).__name__}\n    " + "\n    ".join(lines)


class Search(NamedTuple):
    """The fits of a repeat, and the sizes between which it ended."""

    fits: list[dict[str, Any]]
    largest_fitted: int
    smallest_failed: int | None


def summarize(
    searches: list[Search],
    n_classes: int,
    target_accuracy: float,
    confidence: float,
) -> MemorizationCapacity:
    """Compute the capacity, with its interval, from the searches of all repeats."""
    curve = _tabulate(searches)
    repeats = pd.DataFrame(
        {
            "largest_fitted": [search.largest_fitted for search in searches],
            "smallest_failed": pd.array(
                [search.smallest_failed for search in searches], dtype="Int64"
            ),
        },
        index=pd.RangeIndex(len(searches), name="repeat"),
    )
    is_largest = curve["n_samples"] == curve["repeat"].map(repeats["largest_fitted"])
    counts = curve[is_largest].set_index("repeat")["n_parameters"]
    repeats["n_parameters"] = counts.reindex(repeats.index)

    lower = repeats["largest_fitted"].to_numpy(float)
    upper = repeats["smallest_failed"].to_numpy(float, na_value=np.inf) - 1
    interval = median_interval(lower, upper, confidence)
    labels = float(np.median(lower))
    # A repeat that never failed has a larger value than the one that is known.
    is_lower_bound = bool(np.isinf(np.median(upper)))
    typical_count = repeats["n_parameters"].dropna().median()
    return MemorizationCapacity(
        labels=labels,
        interval=(interval.low, interval.high),
        coverage=interval.coverage,
        is_lower_bound=is_lower_bound,
        bits=labels * _bits_per_label(n_classes, target_accuracy),
        n_parameters=None if pd.isna(typical_count) else float(typical_count),
        n_classes=n_classes,
        target_accuracy=target_accuracy,
        repeats=repeats,
        curve=curve,
    )


def _tabulate(searches: list[Search]) -> pd.DataFrame:
    """Make one table of all fits, sizes in ascending order."""
    fits = [
        {"repeat": repeat, **fit}
        for repeat, search in enumerate(searches)
        for fit in search.fits
    ]
    curve = pd.DataFrame(fits).astype({"n_parameters": float})
    curve = curve.sort_values(["repeat", "n_samples"], ignore_index=True)
    return curve[_COLUMNS]


def _bits_per_label(n_classes: int, accuracy: float) -> float:
    """Compute the bits of information in a label that is right with this accuracy."""
    wrong = 1 - accuracy
    if wrong == 0:
        return math.log2(n_classes)
    entropy = -wrong * math.log2(wrong) - accuracy * math.log2(accuracy)
    return math.log2(n_classes) - entropy - wrong * math.log2(n_classes - 1)


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
    whatever the distribution; the same holds from above. The k-th smallest lower bound
    is not above the k-th smallest value.

    References
    ----------
    .. [1] W. J. Conover, "Practical nonparametric statistics", 1999, section 3.2.

    Examples
    --------
    >>> interval = median_interval(range(8), range(8), 0.9)
    >>> interval.low, interval.high, round(interval.coverage, 4)
    (1.0, 6.0, 0.9297)
    """
    low, high = np.sort(np.asarray(lower, float)), np.sort(np.asarray(upper, float))
    n_values = len(low)
    # Coverage for each number of values left out on either side.
    coverages = 1 - 2 * binom.cdf(np.arange((n_values + 1) // 2), n_values, 0.5)
    n_left_out = max(int(np.count_nonzero(coverages >= confidence)) - 1, 0)
    return MedianInterval(
        float(low[n_left_out]),
        float(high[-1 - n_left_out]),
        float(coverages[n_left_out]),
    )
