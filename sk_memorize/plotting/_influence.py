"""Display of influences: test images and the training images that support them."""

from functools import partial
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import check_consistent_length

from .._errors import wrong
from ..analysis.memorization import MemorizationScores
from ._checks import check_count, check_result, check_table
from ._mosaic import brief, draw_mosaic, mosaic_size, take_images
from ._panels import Display
from ._style import COLUMN

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class _Drawing(TypedDict, total=False):
    """Parameters of `plot` by keyword."""

    image_shape: tuple[int, ...] | None
    pairs: pd.DataFrame | None
    n_test_rows: int
    n_influences: int
    ax: "Axes | None"


class InfluenceDisplay(Display):
    """Test images, each with the training images to which it owes most.

    It is made by :meth:`from_results`.

    Parameters
    ----------
    scores : MemorizationScores
        What :func:`~sk_memorize.memorization_scores` returned, with test rows.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What is drawn on.
    images_ : list of matplotlib AxesImage
        The images, row by row; the first of each row is the test image.
    texts_ : list of matplotlib Text
        The words below them.
    test_rows_ : ndarray of shape (n_test_images,)
        The test rows drawn.

    See Also
    --------
    memorization_scores : Measures the influences.
    MemorizationDisplay : Draws the scores of the training rows.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sk_memorize import InfluenceDisplay, memorization_scores
    >>> X, y = load_digits(return_X_y=True)
    >>> scores = memorization_scores(
    ...     GaussianNB(), X[100:], y[100:], X_test=X[:100], y_test=y[:100], n_fits=8,
    ...     random_state=0,
    ... )
    >>> display = InfluenceDisplay.from_results(
    ...     scores, X[100:], X[:100], y[:100], image_shape=(8, 8), n_test_rows=3
    ... )
    >>> len(display.images_)
    18
    """

    def __init__(self, scores: MemorizationScores) -> None:
        owner = type(self).__name__
        check_result(scores, MemorizationScores, "scores", owner, "memorization_scores")
        if scores.influence_values is None:
            got = "scores without 'X_test'"
            raise ValueError(wrong("scores", owner, "have test rows", got))
        self.scores = scores

    def plot(
        self,
        X: ArrayLike,
        X_test: ArrayLike,
        y_test: ArrayLike,
        *,
        image_shape: tuple[int, ...] | None = None,
        pairs: pd.DataFrame | None = None,
        n_test_rows: int = 6,
        n_influences: int = 5,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw the images.

        Parameters
        ----------
        X, X_test : array-like of shape (n_rows, n_pixels), or images
            Training rows and test rows.
        y_test : array-like of shape (n_test_rows,)
            Labels of the test rows.
        image_shape : tuple of int, default=None
            Height and width of an image, and channels before or behind if there are
            any. None is for images.
        pairs : DataFrame, default=None
            Pairs to draw, with the columns ``test_row``, ``row`` and ``influence``,
            some of :meth:`~sk_memorize.MemorizationScores.influential_pairs`, the most
            important first. None takes the largest influences of all.
        n_test_rows : int, default=6
            Largest number of test rows: the first ones of `pairs`.
        n_influences : int, default=5
            Largest number of training images for each.
        ax : matplotlib Axes, default=None
            The axes to draw on; None makes a figure.

        Returns
        -------
        display : InfluenceDisplay
            The display, with the images and the words as attributes.

        Raises
        ------
        ValueError
            If the rows are too few or no images, `pairs` lack a column, or `ax` is
            nothing to draw on. No figure is made.
        ImportError
            If matplotlib is not installed (extra ``plot``).
        """
        owner = type(self).__name__
        if pairs is None:
            pairs = self._all_pairs()
        check_count(n_test_rows, "n_test_rows", owner)
        check_count(n_influences, "n_influences", owner)
        check_consistent_length(X_test, y_test)
        check_table(pairs, "pairs", owner, ["test_row", "row", "influence"])
        tests = pairs["test_row"].unique()[:n_test_rows]
        pairs = (
            pairs[pairs["test_row"].isin(tests)].groupby("test_row").head(n_influences)
        )
        labels = np.asarray(y_test)
        n_rows, tested = len(self.scores.given_label), self.scores.influence_values
        assert tested is not None
        take = partial(take_images, image_shape=image_shape, owner=owner)
        images = take(X, pairs["row"].to_numpy(), n_rows=n_rows, name="X")
        test_images = take(X_test, tests, n_rows=len(tested), name="X_test")
        rows = []
        for test, image in zip(tests, test_images, strict=True):
            mine = (pairs["test_row"] == test).to_numpy()
            words = [f"test: {brief(labels[test])}", *self._words(pairs[mine])]
            rows.append((np.concatenate([image[None], images[mine]]), words))
        n_columns = 0.4 + max(len(words) for _, words in rows)
        size = mosaic_size(COLUMN, len(rows), n_columns, images)
        with self._open(ax, size) as (panel,):
            self.images_, self.texts_ = draw_mosaic(panel, rows, gap=True)
            panel.set_title("test rows, and training rows\nthat they owe most to")
        self.test_rows_ = tests
        return self

    def _all_pairs(self) -> pd.DataFrame:
        values, rows = self.scores.influence_values, self.scores.influence_indices
        assert values is not None
        assert rows is not None
        order = np.argsort(-values[:, 0], kind="stable")
        columns = {
            "test_row": order.repeat(values.shape[1]),
            "row": rows[order].ravel(),
            "influence": values[order].ravel(),
        }
        return pd.DataFrame(columns)

    def _words(self, pairs: pd.DataFrame) -> list[str]:
        labels = self.scores.given_label[pairs["row"]]
        values = zip(labels, pairs["influence"], strict=True)
        return [f"{brief(label)}\n{value:+.2f}" for label, value in values]

    @classmethod
    def from_results(
        cls,
        scores: MemorizationScores,
        X: ArrayLike,
        X_test: ArrayLike,
        y_test: ArrayLike,
        **drawing: Unpack[_Drawing],
    ) -> Self:
        """Draw the images.

        Parameters
        ----------
        scores : MemorizationScores
            What :func:`~sk_memorize.memorization_scores` returned, with test rows.
        X, X_test, y_test : array-like
            Training rows and test rows, and the labels of these.
        **drawing : dict
            `image_shape`, `pairs`, `n_test_rows`, `n_influences` and `ax`, as in
            :meth:`plot`.

        Returns
        -------
        display : InfluenceDisplay
            The display, drawn.
        """
        return cls(scores).plot(X, X_test, y_test, **drawing)
