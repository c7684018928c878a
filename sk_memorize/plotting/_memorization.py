"""Display of memorization scores."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from .._errors import wrong
from ..analysis.memorization import MemorizationScores
from ._axes import add_own_legend, number_logs
from ._checks import check_count, check_result
from ._mosaic import brief, draw_mosaic, mosaic_size, take_images
from ._panels import Display
from ._style import COLORS, COLUMN, PAGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_KINDS = ("histogram", "loss", "images")
_COLUMNS = 8  # images in a row
_SMALLEST = 1e-6  # probability, of which the logarithm is drawn


class MemorizationDisplay(Display):
    """Memorization scores: their histogram, against the loss, or rows as images.

    It is made by :meth:`from_results`.

    Parameters
    ----------
    scores : MemorizationScores
        What :func:`~sk_memorize.memorization_scores` returned.
    by : str, default="memorization"
        The score that is drawn, a column of
        :meth:`~sk_memorize.MemorizationScores.to_frame`.
    n_wrong : float, default=None
        Estimated number of wrong labels, which is marked: the worst rows by `by`.
        None marks the rows for which another label is suggested.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What is drawn on.
    artists_ : list of matplotlib artists
        The bars of the two histograms, the two sets of points, or the images.
    rows_ : ndarray of shape (n_images,)
        The rows drawn as images, the worst first; empty otherwise.

    See Also
    --------
    memorization_scores : Makes the scores.
    InfluenceDisplay : Draws which rows a test row owes most to.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sk_memorize import MemorizationDisplay, memorization_scores
    >>> X, y = load_digits(return_X_y=True)
    >>> scores = memorization_scores(GaussianNB(), X, y, n_fits=4, random_state=0)
    >>> display = MemorizationDisplay.from_results(
    ...     scores, kind="images", X=X, image_shape=(8, 8)
    ... )
    >>> len(display.artists_)
    16
    """

    def __init__(
        self,
        scores: MemorizationScores,
        by: str = "memorization",
        n_wrong: float | None = None,
    ) -> None:
        owner = type(self).__name__
        check_result(scores, MemorizationScores, "scores", owner, "memorization_scores")
        is_number = isinstance(n_wrong, int | float | np.integer)
        if n_wrong is not None and not (is_number and 0 <= n_wrong < np.inf):
            must = "be a finite number of at least 0, or None"
            raise ValueError(wrong("n_wrong", owner, must, repr(n_wrong)))
        self.order = scores._order(by, owner)
        if np.isnan(getattr(scores, by)).all():
            raise ValueError(wrong("by", owner, "be a score that rows have", repr(by)))
        self.scores = scores
        self.by = by
        self.n_wrong = n_wrong

    def plot(
        self,
        ax: "Axes | None" = None,
        *,
        kind: str = "histogram",
        X: ArrayLike | None = None,
        image_shape: tuple[int, ...] | None = None,
        n_images: int = 16,
    ) -> Self:
        """Draw the scores.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The axes to draw on; None makes a figure.
        kind : {"histogram", "loss", "images"}, default="histogram"
            "histogram" has a logarithmic axis of numbers of rows. "loss" has a point
            for each row, over the cumulative loss, or, without it, the logarithm of
            the probability in sample. "images" shows the worst rows, with the given
            and the suggested label below, and the score.
        X : array-like of shape (n_rows, n_pixels), or images, default=None
            The rows of the scores, for ``kind="images"``.
        image_shape : tuple of int, default=None
            Height and width of an image, and channels before or behind if there are
            any. None is for images.
        n_images : int, default=16
            Number of images.

        Returns
        -------
        display : MemorizationDisplay
            The display, with bars, points or images as an attribute.

        Raises
        ------
        ValueError
            If `kind` is unknown, `X` or `n_images` give no images, or `ax` is nothing
            to draw on. No figure is made.
        ImportError
            If matplotlib is not installed (extra ``plot``).
        """
        owner = type(self).__name__
        if kind not in _KINDS:
            must = f"be one of {list(_KINDS)}"
            raise ValueError(wrong("kind", owner, must, repr(kind)))
        check_count(n_images, "n_images", owner)
        self.rows_ = self.order[: n_images if kind == "images" else 0]
        if kind == "images":
            n_rows = len(self.order)
            images = take_images(X, self.rows_, image_shape, n_rows, "X", owner)
            size = mosaic_size(PAGE, -(-len(images) // _COLUMNS), _COLUMNS, images)
            with self._open(ax, size) as (panel,):
                self._draw_images(panel, images)
        else:
            with self._open(ax, (COLUMN, 0.8 * COLUMN)) as (panel,):
                draw = self._draw_histogram if kind == "histogram" else self._draw_loss
                draw(panel)
                add_own_legend(panel, below=ax is None)
        return self

    def _marked(self) -> tuple[np.ndarray, str]:
        """Tell which rows are marked, and what that means."""
        scores = self.scores
        if self.n_wrong is None:
            is_marked = scores.suggested_label != scores.given_label
            return is_marked, f"another label suggested ({is_marked.mean():.2%})"
        is_marked = np.zeros(len(self.order), bool)
        is_marked[self.order[: round(self.n_wrong)]] = True
        return is_marked, f"estimated to be wrong ({is_marked.mean():.2%})"

    def _draw_histogram(self, panel: "Axes") -> None:
        values = getattr(self.scores, self.by)
        is_marked, words = self._marked()
        edges = np.histogram_bin_edges(values[~np.isnan(values)], 40)
        self.artists_: list[Any] = [
            panel.hist(
                part,
                bins=edges.tolist(),
                color=color,
                edgecolor="white",
                linewidth=0.3,
                label=label,
            )[2]
            for part, color, label in (
                (values, COLORS[0], f"all rows ({len(values)})"),
                (values[is_marked], COLORS[1], words),
            )
        ]
        panel.set(xlabel=_name(self.by), ylabel="training rows", yscale="log")
        panel.set_ylim(bottom=0.7)  # a single row is seen
        number_logs(panel)

    def _draw_loss(self, panel: "Axes") -> None:
        scores = self.scores
        loss, words = scores.cumulative_loss, "loss summed over the training"
        if loss is None:
            probability = np.maximum(scores.insample_probability, _SMALLEST)
            loss, words = -np.log(probability), "training loss"
        is_marked, marked = self._marked()
        self.artists_ = [
            panel.scatter(
                loss[part],
                getattr(scores, self.by)[part],
                s=3,
                marker=marker,
                color=color,
                linewidths=0,
                alpha=alpha,
                label=label,
                rasterized=True,
            )
            for part, marker, color, alpha, label in (
                (~is_marked, "o", COLORS[0], 0.3, "other rows"),
                (is_marked, "s", COLORS[1], 0.8, marked),
            )
        ]
        if loss.any():
            linear = max(float(np.median(loss)), _SMALLEST)
            panel.set_xscale("symlog", linthresh=linear)
            number_logs(panel, "x")
        panel.set(xlabel=f"{words} (nats)", ylabel=_name(self.by))

    def _draw_images(self, panel: "Axes", images: np.ndarray) -> None:
        scores, rows = self.scores, self.rows_
        words = []
        for row in rows:
            given, suggested = scores.given_label[row], scores.suggested_label[row]
            label = brief(given)
            if given != suggested:
                label += f" or {brief(suggested)}?"
            words.append(f"{label}\n{getattr(scores, self.by)[row]:.2f}")
        parts = [slice(i, i + _COLUMNS) for i in range(0, len(rows), _COLUMNS)]
        self.artists_, _ = draw_mosaic(
            panel, [(images[part], words[part]) for part in parts]
        )
        head = "training rows, the worst first:"
        panel.set_title(f"{head}\nlabel, another if suggested, and {_name(self.by)}")

    @classmethod
    def from_results(
        cls,
        scores: MemorizationScores,
        *,
        kind: str = "histogram",
        by: str = "memorization",
        n_wrong: float | None = None,
        X: ArrayLike | None = None,
        image_shape: tuple[int, ...] | None = None,
        n_images: int = 16,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw the scores of rows.

        Parameters
        ----------
        scores : MemorizationScores
            What :func:`~sk_memorize.memorization_scores` returned.
        kind, X, image_shape, n_images, ax : as in :meth:`plot`
            What is drawn, and where.
        by, n_wrong : as in the class
            The score that is drawn, and the number of rows that are marked.

        Returns
        -------
        display : MemorizationDisplay
            The display, drawn.
        """
        return cls(scores, by, n_wrong).plot(
            ax, kind=kind, X=X, image_shape=image_shape, n_images=n_images
        )


def _name(score: str) -> str:
    """Name a score for an axis."""
    side, _, words = score.partition("_")
    names = {"heldout": "held out", "insample": "in sample"}
    if side in names:
        what = "mean margin" if words == "margin" else f"{words} of the given label"
        return f"{what}, {names[side]}"
    return score.replace("_", " ")
