"""Display of loss and accuracy, epoch by epoch."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .._errors import wrong
from .._labels import describe
from .._unwrap import layers
from ._axes import (
    add_legend,
    as_label,
    draw_chance,
    draw_line,
    number_epochs,
    one_or_all,
    open_panels,
)
from ._checks import check_panels, check_table
from ._style import COLUMN, PAGE, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ._axes import AxesLike

_PANELS = ("loss", "accuracy")

Histories = Mapping[str, list[pd.DataFrame]]


class FittingCurveDisplay:
    """Training loss and training accuracy of networks against the epoch.

    It is recommended to use :meth:`from_estimator` or :meth:`from_results` to make a
    display.

    Parameters
    ----------
    histories : DataFrame, or dict of DataFrame or of list of DataFrame
        The `history_` of a :class:`MemorizingMLP`; or of several, by the names that the
        legend shows; or for each name a list of them, those of several seeds.
    test_accuracies : dict of float, default=None
        By the same names, accuracies on test rows, drawn as stars at the ends of the
        curves.
    chance_accuracy : float, default=None
        The accuracy of guessing, drawn as a level.

    Attributes
    ----------
    ax_ : matplotlib Axes or ndarray of Axes
        The axes drawn on, an array if there are several panels.
    figure_ : matplotlib Figure
        The figure that they are in.
    lines_ : dict of dict of matplotlib Line2D
        The curves, by panel and name.

    See Also
    --------
    MemorizingMLP : Has the histories.
    sklearn.model_selection.LearningCurveDisplay : Draws scores against the number of
        rows.

    Notes
    -----
    Loss and accuracy are those of `history_`: means over the batches of an epoch, while
    the weights moved.

    Of several seeds the mean is drawn, and a band from the lowest to the highest, for
    as many epochs as all of them were trained: beyond that, the mean would be that of
    the slow ones.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sk_memorize import FittingCurveDisplay, LabelPermuter, MemorizingMLP
    >>> X, y = load_digits(return_X_y=True)
    >>> X, y = X[:200], y[:200]
    >>> true = MemorizingMLP(random_state=0).fit(X, y)
    >>> y = LabelPermuter(random_state=0).fit(y).transform(y)
    >>> permuted = MemorizingMLP(random_state=0).fit(X, y)
    >>> display = FittingCurveDisplay.from_estimator(
    ...     {"true labels": true, "permuted labels": permuted}
    ... )
    >>> [ax.get_ylabel() for ax in display.ax_]
    ['training loss (nats)', 'training accuracy']
    """

    def __init__(
        self,
        *,
        histories: Any,
        test_accuracies: Mapping[str, float] | None = None,
        chance_accuracy: float | None = None,
    ) -> None:
        owner = type(self).__name__
        self.histories = check_histories(histories, owner)
        if test_accuracies is not None:
            test_accuracies = {str(k): a for k, a in dict(test_accuracies).items()}
            if unknown := list(test_accuracies.keys() - self.histories):
                must = f"have names of 'histories', {list(self.histories)}"
                got = repr(unknown[0])
                raise ValueError(wrong("test_accuracies", owner, must, got))
        if chance_accuracy is not None and not 0 <= chance_accuracy <= 1:
            must = "be between 0 and 1, or None"
            raise ValueError(wrong("chance_accuracy", owner, must, chance_accuracy))
        self.test_accuracies = test_accuracies
        self.chance_accuracy = chance_accuracy

    def plot(
        self,
        ax: "AxesLike" = None,
        *,
        panels: str | Sequence[str] = _PANELS,
    ) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of Axes, default=None
            The axes to draw on, one for each panel; None makes a figure.
        panels : {"loss", "accuracy"} or sequence of them, default=("loss", "accuracy")
            What to draw.

        Returns
        -------
        display : FittingCurveDisplay
            The display, with the artists as attributes.

        Raises
        ------
        ValueError
            If a parameter, or what is drawn, is not as described. No figure is made.
        ImportError
            If matplotlib is not installed (extra ``plot``).
        """
        owner = f"{type(self).__name__}.plot"
        chosen = check_panels(panels, _PANELS, owner)
        size = (COLUMN if len(chosen) == 1 else PAGE, 2.8)
        with open_panels(ax, len(chosen), owner, size=size) as axes:
            draw = {"loss": self._draw_loss, "accuracy": self._draw_accuracy}
            self.lines_ = {
                panel: draw[panel](panel_axes)
                for panel, panel_axes in zip(chosen, axes, strict=True)
            }
            add_legend(axes, below=ax is None)
        self.ax_, self.figure_ = one_or_all(axes), axes[0].figure
        return self

    def _draw_loss(self, axes: "Axes") -> dict[str, Any]:
        return draw_histories(axes, self.histories, "loss")

    def _draw_accuracy(self, axes: "Axes") -> dict[str, Any]:
        lines = draw_histories(axes, self.histories, "accuracy")
        for name, accuracy in (self.test_accuracies or {}).items():
            line = lines[name]
            axes.plot(
                line.get_xdata()[-1],
                accuracy,
                color=line.get_color(),
                marker="*",
                markersize=9,
                linestyle="none",
                clip_on=False,
                label=as_label(f"{name}, test: {accuracy:.3f}"),
            )
        if self.chance_accuracy is not None:
            draw_chance(axes, self.chance_accuracy)
        what = "accuracy" if self.test_accuracies else "training accuracy"
        axes.set(ylabel=what, ylim=(-0.02, 1.04))
        return lines

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator | Mapping[str, Any],
        *,
        test_accuracies: Mapping[str, float] | None = None,
        chance_accuracy: float | None = None,
        panels: str | Sequence[str] = _PANELS,
        ax: "AxesLike" = None,
    ) -> Self:
        """Draw the training of fitted networks.

        Parameters
        ----------
        estimator : estimator instance, or dict of them or of lists of them
            A fitted :class:`MemorizingMLP`, which may be the last step of a pipeline or
            within a :class:`CorruptedTargetClassifier` or a search; or several by the
            names that the legend shows; or for each name a list of them, those of
            several seeds.
        test_accuracies : dict of float, default=None
            By the same names, accuracies on test rows.
        chance_accuracy : float, default=None
            The accuracy of guessing.
        panels : {"loss", "accuracy"} or sequence of them, default=("loss", "accuracy")
            What to draw.
        ax : matplotlib Axes or sequence of Axes, default=None
            The axes to draw on, one for each panel; None makes a figure.

        Returns
        -------
        display : FittingCurveDisplay
            The display, drawn.
        """
        owner = f"{cls.__name__}.from_estimator"
        if isinstance(estimator, Mapping):
            histories: Any = {
                name: [_find_history(item, owner) for item in _as_list(items)]
                for name, items in estimator.items()
            }
        else:
            histories = _find_history(estimator, owner)
        return cls.from_results(
            histories,
            test_accuracies=test_accuracies,
            chance_accuracy=chance_accuracy,
            panels=panels,
            ax=ax,
        )

    @classmethod
    def from_results(
        cls,
        histories: Any,
        *,
        test_accuracies: Mapping[str, float] | None = None,
        chance_accuracy: float | None = None,
        panels: str | Sequence[str] = _PANELS,
        ax: "AxesLike" = None,
    ) -> Self:
        """Draw histories that were kept.

        Parameters
        ----------
        histories : DataFrame, or dict of DataFrame or of list of DataFrame
            The `history_` of a :class:`MemorizingMLP`; or of several, by the names that
            the legend shows; or for each name a list of them, those of several seeds.
        test_accuracies : dict of float, default=None
            By the same names, accuracies on test rows.
        chance_accuracy : float, default=None
            The accuracy of guessing.
        panels : {"loss", "accuracy"} or sequence of them, default=("loss", "accuracy")
            What to draw.
        ax : matplotlib Axes or sequence of Axes, default=None
            The axes to draw on, one for each panel; None makes a figure.

        Returns
        -------
        display : FittingCurveDisplay
            The display, drawn.
        """
        return cls(
            histories=histories,
            test_accuracies=test_accuracies,
            chance_accuracy=chance_accuracy,
        ).plot(ax, panels=panels)


def _as_list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _find_history(estimator: object, owner: str) -> pd.DataFrame:
    """Find the history of a network, which may be within other estimators."""
    for layer in layers(estimator):
        if isinstance(history := getattr(layer, "history_", None), pd.DataFrame):
            return history
        check_is_fitted(layer)
    must = "have a fitted MemorizingMLP"
    raise ValueError(wrong("estimator", owner, must, repr(estimator)))


def check_histories(
    histories: Any, owner: str, columns: Sequence[str] = _PANELS
) -> Histories:
    """Convert histories to a dict of lists of tables.

    Parameters
    ----------
    histories : object
        What was given.
    owner : str
        Whose parameter ``histories`` it is.
    columns : sequence of str, default=("loss", "accuracy")
        What each history must have.

    Returns
    -------
    histories : dict of list of DataFrame
        The checked histories; a single one has the empty name.
    """
    if isinstance(histories, pd.DataFrame):
        histories = {"": histories}
    if not isinstance(histories, Mapping) or not histories:
        must = "be a dict of names and tables like history_ of MemorizingMLP"
        raise ValueError(wrong("histories", owner, must, describe(histories)))
    found = {}
    for name, of_name in histories.items():
        tables = _as_list(of_name)
        if not tables:
            must = "have a table for each name"
            raise ValueError(wrong("histories", owner, must, "[]"))
        if str(name) in found:
            must = "have names that differ"
            raise ValueError(wrong("histories", owner, must, repr(name)))
        found[str(name)] = [
            check_table(table, "histories", owner, columns) for table in tables
        ]
    return found


def draw_histories(axes: "Axes", histories: Histories, column: str) -> dict[str, Any]:
    """Draw one column of histories against the epoch.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    histories : dict of list of DataFrame
        What `check_histories` returned.
    column : {"loss", "accuracy"}
        What to draw.

    Returns
    -------
    lines : dict of Line2D
        By name.
    """
    lines = {}
    for number, (name, tables) in enumerate(histories.items()):
        runs = pd.concat([table[column] for table in tables], axis=1, join="inner")
        several = len(tables) > 1
        lines[name] = draw_line(
            axes,
            runs.index,
            runs.mean(axis=1),
            low=runs.min(axis=1) if several else None,
            high=runs.max(axis=1) if several else None,
            label=as_label(name),
            markevery=max(1, len(runs) // 12),
            **line_style(number),
        )
    number_epochs(axes)
    if column == "loss":
        axes.set(ylabel="training loss (nats)", yscale="log")
    return lines
