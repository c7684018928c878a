"""What a search for the capacity of a classifier found."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, repr=False, eq=False)
class MemorizationCapacity:
    """What :func:`~sk_memorize.memorization_capacity` found.

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
