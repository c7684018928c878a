"""Display of a randomization test."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._optional_dependencies import check_matplotlib_support

from .._errors import wrong
from .._typing import Classifier
from ..analysis import RandomizationTest, randomization_test
from ._axes import add_own_legend, number_wholes
from ._checks import check_result
from ._panels import Display, check_axes
from ._style import COLORS, COLUMN, LINES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    Bins = int | Sequence[float] | str

_AXIS_LABELS = {
    "cv_accuracy": "test accuracy in cross-validation",
    "train_accuracy": "training accuracy",
    "epochs": "epochs",
}
_ROUNDING = 1e-9  # accuracies that are closer are the same


class _Drawing(TypedDict, total=False):
    """Parameters that are handed on to `plot`."""

    ax: "Axes | None"
    bins: "Bins"


class RandomizationTestDisplay(Display):
    """Histogram of a statistic under permuted labels, compared to the given ones.

    It is made by :meth:`from_estimator` or :meth:`from_results`.

    Parameters
    ----------
    result : RandomizationTest
        What :func:`~sk_memorize.randomization_test` returned.
    statistic : {"cv_accuracy", "train_accuracy", "epochs"}, default="cv_accuracy"
        What is drawn.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What is drawn on.
    bars_ : matplotlib BarContainer
        The histogram of the permutations.
    line_ : matplotlib Line2D
        The mark of the given labels.

    See Also
    --------
    randomization_test : Makes the result.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sk_memorize import RandomizationTestDisplay, randomization_test
    >>> X, y = load_iris(return_X_y=True)
    >>> result = randomization_test(GaussianNB(), X, y, random_state=0)
    >>> display = RandomizationTestDisplay.from_results(result)
    >>> display.ax_.get_xlabel()
    'test accuracy in cross-validation'
    """

    def __init__(
        self, result: RandomizationTest, statistic: str = "cv_accuracy"
    ) -> None:
        owner = type(self).__name__
        check_result(result, RandomizationTest, "result", owner, "randomization_test")
        if statistic not in result.p_values:
            must = f"be a statistic of the result, one of {list(result.p_values)}"
            raise ValueError(wrong("statistic", owner, must, repr(statistic)))
        self.result = result
        self.statistic = statistic

    def plot(self, ax: "Axes | None" = None, *, bins: "Bins" = "auto") -> Self:
        """Draw the histogram.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The axes to draw on; None makes a figure.
        bins : int, sequence or str, default="auto"
            The bins, as :func:`numpy.histogram_bin_edges` takes them. Integers such
            as epochs, and accuracies in cross-validation, take few values: "auto"
            makes no bins narrower than their smallest distance.

        Returns
        -------
        display : RandomizationTestDisplay
            The display, with bars and line as attributes.

        Raises
        ------
        ValueError
            If `bins` are nothing that NumPy takes, or `ax` is nothing to draw on. No
            figure is made.
        ImportError
            If matplotlib is not installed (extra ``plot``).
        """
        values = self.result.table[self.statistic].to_numpy(float)
        given, permuted = values[0], values[1:]
        edges = _edges(permuted, bins, given)
        with self._open(ax, (COLUMN, 0.8 * COLUMN)) as (panel,):
            _, _, self.bars_ = panel.hist(
                permuted,
                bins=edges,
                color=COLORS[0],
                edgecolor="white",
                linewidth=0.5,
                label=f"permuted labels ({len(permuted)})",
            )
            # Dashes tell the line from the bars also without colors.
            self.line_ = panel.axvline(
                given,
                color=COLORS[1],
                linestyle=LINES[1],
                label=f"given labels ({given:.4g})",
            )
            panel.set(
                xlabel=_AXIS_LABELS[self.statistic],
                ylabel="permutations",
                title=f"p = {self.result.p_values[self.statistic]:.3g} "
                f"({self.result.alternatives[self.statistic]} speaks for signal)",
            )
            if (permuted == given).all():
                panel.margins(x=1)
            if self.statistic != "epochs":  # no accuracy is below 0 or above 1
                low, high = np.clip(panel.get_xlim(), 0, 1)
                ticks = panel.get_xticks()
                panel.set_xticks(ticks[(low <= ticks) & (ticks <= high)])
            number_wholes(panel.yaxis)
            add_own_legend(panel, below=ax is None)
        return self

    @classmethod
    def from_results(
        cls,
        result: RandomizationTest,
        *,
        statistic: str = "cv_accuracy",
        **drawing: Unpack[_Drawing],
    ) -> Self:
        """Draw the result of a test.

        Parameters
        ----------
        result, statistic : as in the class
            What is drawn.
        **drawing : dict
            `ax` and `bins`, as in :meth:`plot`.

        Returns
        -------
        display : RandomizationTestDisplay
            The display, drawn.
        """
        return cls(result, statistic).plot(**drawing)

    @classmethod
    def from_estimator(
        cls,
        estimator: Classifier,
        X: ArrayLike,
        y: ArrayLike,
        *,
        statistic: str = "cv_accuracy",
        ax: "Axes | None" = None,
        bins: "Bins" = "auto",
        **test: Any,
    ) -> Self:
        """Make a test and draw its result.

        Parameters
        ----------
        estimator, X, y : as in :func:`~sk_memorize.randomization_test`
            A classifier, the rows, and their labels.
        statistic, ax, bins : as in the class and in :meth:`plot`
            What is drawn, where and how.
        **test : dict
            Other parameters of :func:`~sk_memorize.randomization_test`: `groups`, `cv`,
            `n_permutations`, `n_jobs`, `random_state` and `checkpoint`.

        Returns
        -------
        display : RandomizationTestDisplay
            The display, drawn. The result is its `result`.
        """
        # Check before the fits what only the drawing needs.
        owner = cls.__name__
        check_matplotlib_support(owner)
        if statistic not in _AXIS_LABELS:
            must = f"be one of {list(_AXIS_LABELS)}"
            raise ValueError(wrong("statistic", owner, must, repr(statistic)))
        if ax is not None:
            check_axes(ax, 1, f"{owner}.plot")
        np.histogram_bin_edges([0.0, 1.0], bins)
        result = randomization_test(estimator, X, y, **test)
        return cls.from_results(result, statistic=statistic, ax=ax, bins=bins)


def _edges(
    values: NDArray[np.float64], bins: "Bins", given: float
) -> NDArray[np.float64]:
    """Choose the bins of a histogram."""
    if not isinstance(bins, str) or bins != "auto":
        return np.histogram_bin_edges(values, bins)
    low, high = values.min(), values.max()
    steps = np.diff(np.unique(values))
    step = steps[steps > _ROUNDING].min(initial=np.inf)
    if np.isinf(step):  # a single value
        half = max(abs(given - low) / 20, abs(low) / 100) or 0.5
        return np.array([low - half, low + half])
    edges = np.histogram_bin_edges(values, "auto")
    if edges[1] - edges[0] >= step:
        return edges
    n_bins = round((high - low) / step) + 1
    return low + step * (np.arange(n_bins + 1) - 0.5)
