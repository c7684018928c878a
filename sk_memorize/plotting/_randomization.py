"""Display of a randomization test."""

import os
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils._optional_dependencies import check_matplotlib_support

from .._errors import wrong
from .._labels import describe
from ..analysis import RandomizationTest, randomization_test
from ._axes import add_own_legend, open_panels
from ._style import COLORS, COLUMN, LINES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_AXIS_LABELS = {
    "cv_accuracy": "accuracy in cross-validation",
    "train_accuracy": "training accuracy",
    "epochs": "epochs",
}
_ROUNDING = 1e-9  # accuracies that are closer are the same


class RandomizationTestDisplay:
    """Histogram of a statistic under permuted labels, compared to the given ones.

    It is recommended to use :meth:`from_estimator` or :meth:`from_results` to make a
    display.

    Parameters
    ----------
    result : RandomizationTest
        What :func:`~sk_memorize.randomization_test` returned.

    statistic : {"cv_accuracy", "train_accuracy", "epochs"}, \
            default="cv_accuracy"
        What is drawn.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.

    figure_ : matplotlib Figure
        The figure that they are in.

    bars_ : matplotlib BarContainer
        The histogram of the permutations.

    line_ : matplotlib Line2D
        The mark of the given labels.

    See Also
    --------
    randomization_test : Makes the result.
    sklearn.model_selection.LearningCurveDisplay : Another display.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sk_memorize import RandomizationTestDisplay, randomization_test
    >>> X, y = load_iris(return_X_y=True)
    >>> result = randomization_test(GaussianNB(), X, y, random_state=0)
    >>> display = RandomizationTestDisplay.from_results(result)
    >>> display.ax_.get_xlabel()
    'accuracy in cross-validation'
    """

    def __init__(
        self, result: RandomizationTest, statistic: str = "cv_accuracy"
    ) -> None:
        owner = type(self).__name__
        must = "be what randomization_test returns"
        if not isinstance(result, RandomizationTest):
            raise ValueError(wrong("result", owner, must, describe(result)))
        if statistic not in result.p_values:
            must = f"be a statistic of the result, one of {list(result.p_values)}"
            raise ValueError(wrong("statistic", owner, must, repr(statistic)))
        self.result = result
        self.statistic = statistic

    def plot(self, ax: "Axes | None" = None, *, bins: Any = "auto") -> Self:
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
            The display, with the artists as attributes.
        """
        values = self.result.table[self.statistic].to_numpy(float)
        given, permuted = values[0], values[1:]
        edges = _edges(permuted, bins)
        size = (COLUMN, 0.8 * COLUMN)
        with open_panels(ax, 1, type(self).__name__, size=size) as (panel,):
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
            if (permuted == permuted[0]).all():
                panel.margins(x=1)
            panel.yaxis.get_major_locator().set_params(integer=True)
            add_own_legend(panel, below=ax is None)
        self.ax_, self.figure_ = panel, panel.figure
        return self

    @classmethod
    def from_results(
        cls,
        result: RandomizationTest,
        *,
        statistic: str = "cv_accuracy",
        ax: "Axes | None" = None,
        bins: Any = "auto",
    ) -> Self:
        """Draw the result of a test.

        Parameters
        ----------
        result : RandomizationTest
            What :func:`~sk_memorize.randomization_test` returned.

        statistic : {"cv_accuracy", "train_accuracy", "epochs"}, \
                default="cv_accuracy"
            What is drawn.

        ax : matplotlib Axes, default=None
            The axes to draw on; None makes a figure.

        bins : int, sequence or str, default="auto"
            The bins, see :meth:`plot`.

        Returns
        -------
        display : RandomizationTestDisplay
            The display, drawn.
        """
        return cls(result, statistic).plot(ax, bins=bins)

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: Any,
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        cv: Any = None,
        n_permutations: int = 99,
        n_jobs: int | None = None,
        random_state: int | RandomState | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        statistic: str = "cv_accuracy",
        ax: "Axes | None" = None,
        bins: Any = "auto",
    ) -> Self:
        """Make a test and draw its result.

        Parameters
        ----------
        estimator : estimator instance
            A classifier. This and the next ones are the parameters of
            :func:`~sk_memorize.randomization_test`.

        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows.

        y : array-like of shape (n_samples,)
            The labels.

        groups : array-like of shape (n_samples,), default=None
            The group of each row; whole groups are permuted.

        cv : int, cross-validation generator or iterable, default=None
            The folds.

        n_permutations : int, default=99
            Number of permutations.

        n_jobs : int, default=None
            Number of processes.

        random_state : int, RandomState instance or None, default=None
            Decides the permutations.

        checkpoint : str or path-like, default=None
            A file from which a test that was broken off goes on.

        statistic : {"cv_accuracy", "train_accuracy", "epochs"}, \
                default="cv_accuracy"
            What is drawn.

        ax : matplotlib Axes, default=None
            The axes to draw on; None makes a figure.

        bins : int, sequence or str, default="auto"
            The bins, see :meth:`plot`.

        Returns
        -------
        display : RandomizationTestDisplay
            The display, drawn. The result is its `result`.
        """
        # Check before the fits what only the drawing needs.
        check_matplotlib_support(cls.__name__)
        if statistic not in _AXIS_LABELS:
            must = f"be one of {list(_AXIS_LABELS)}"
            raise ValueError(wrong("statistic", cls.__name__, must, repr(statistic)))
        result = randomization_test(
            estimator,
            X,
            y,
            groups=groups,
            cv=cv,
            n_permutations=n_permutations,
            n_jobs=n_jobs,
            random_state=random_state,
            checkpoint=checkpoint,
        )
        return cls.from_results(result, statistic=statistic, ax=ax, bins=bins)


def _edges(values: np.ndarray, bins: Any) -> np.ndarray:
    """Choose the bins of a histogram."""
    if not isinstance(bins, str) or bins != "auto":
        return np.histogram_bin_edges(values, bins)
    low, high = values.min(), values.max()
    steps = np.diff(np.unique(values))
    step = steps[steps > _ROUNDING].min(initial=np.inf)
    if np.isinf(step):  # a single value
        half = abs(low) / 100 or 0.5
        return np.array([low - half, low + half])
    edges = np.histogram_bin_edges(values, "auto")
    if edges[1] - edges[0] >= step:
        return edges
    n_bins = round((high - low) / step) + 1
    return low + step * (np.arange(n_bins + 1) - 0.5)
