"""Display of loss and accuracy, epoch by epoch."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypedDict, Unpack

import pandas as pd
from sklearn.utils.validation import check_is_fitted

from .._errors import wrong
from .._labels import describe
from .._typing import Estimator
from .._unwrap import layers
from ._axes import (
    add_legend,
    as_label,
    draw_chance,
    draw_line,
    number_wholes,
    use_logs,
)
from ._checks import check_panels, check_table
from ._panels import Display
from ._style import COLUMN, PAGE, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from ._panels import AxesLike

_PANELS = ("loss", "accuracy")

Histories: TypeAlias = Mapping[str, list[pd.DataFrame]]
HistoriesLike: TypeAlias = (
    pd.DataFrame | Mapping[Any, pd.DataFrame | Sequence[pd.DataFrame]]
)


class _Drawing(TypedDict, total=False):
    """Parameters that are handed on to `from_results`."""

    test_accuracies: Mapping[str, float] | None
    chance_accuracy: float | None
    panels: str | Sequence[str]
    ax: "AxesLike"


class FittingCurveDisplay(Display):
    """Training loss and training accuracy of networks against the epoch.

    It is made by :meth:`from_estimator` or :meth:`from_results`.

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
    ax_, figure_ : matplotlib Axes, or ndarray of Axes if several, and Figure
        What is drawn on.
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
        histories: HistoriesLike,
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
            The display, with the curves as an attribute.

        Raises
        ------
        ValueError
            If `panels` are unknown, or `ax` is not an Axes for each. No figure is made.
        ImportError
            If matplotlib is not installed (extra ``plot``).
        """
        chosen = check_panels(panels, _PANELS, f"{type(self).__name__}.plot")
        size = (COLUMN if len(chosen) == 1 else PAGE, 2.8)
        with self._open(ax, size, len(chosen)) as axes:
            self.lines_ = {
                panel: draw_histories(panel_axes, self.histories, panel)
                for panel, panel_axes in zip(chosen, axes, strict=True)
            }
            if "accuracy" in chosen:
                self._add_levels(axes[chosen.index("accuracy")])
            add_legend(axes, below=ax is None)
        return self

    def _add_levels(self, axes: "Axes") -> None:
        """Draw the accuracies on test rows and of guessing, and name the axis."""
        for name, accuracy in (self.test_accuracies or {}).items():
            line: Any = self.lines_["accuracy"][name]
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
        stars = " (stars: test)" if self.test_accuracies else ""
        axes.set(ylabel=f"training accuracy{stars}", ylim=(-0.02, 1.04))

    @classmethod
    def from_estimator(
        cls,
        estimator: Estimator | Mapping[Any, Estimator | Sequence[Estimator]],
        **drawing: Unpack[_Drawing],
    ) -> Self:
        """Draw the training of fitted networks.

        Parameters
        ----------
        estimator : estimator instance, or dict of them or of lists of them
            A fitted :class:`MemorizingMLP`, which may be the last step of a pipeline or
            within a :class:`CorruptedTargetClassifier` or a search; or several by the
            names that the legend shows; or for each name a list of them, those of
            several seeds.
        **drawing : dict
            What else :meth:`from_results` takes.

        Returns
        -------
        display : FittingCurveDisplay
            The display, drawn.
        """
        owner = f"{cls.__name__}.from_estimator"
        if isinstance(estimator, Mapping):
            histories: HistoriesLike = {
                name: [_find_history(item, owner) for item in _as_list(items)]
                for name, items in estimator.items()
            }
        else:
            histories = _find_history(estimator, owner)
        return cls.from_results(histories, **drawing)

    @classmethod
    def from_results(
        cls,
        histories: HistoriesLike,
        *,
        test_accuracies: Mapping[str, float] | None = None,
        chance_accuracy: float | None = None,
        panels: str | Sequence[str] = _PANELS,
        ax: "AxesLike" = None,
    ) -> Self:
        """Draw histories that were kept.

        Parameters
        ----------
        histories, test_accuracies, chance_accuracy : as in the class
            What is drawn.
        panels, ax : as in :meth:`plot`
            Which panels, and where.

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


def _as_list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _find_history(estimator: object, owner: str) -> pd.DataFrame:
    """Find the history of a network, which may be within other estimators."""
    for layer in layers(estimator):
        if isinstance(history := getattr(layer, "history_", None), pd.DataFrame):
            return history
        check_is_fitted(layer)
    must = "have a fitted MemorizingMLP"
    raise ValueError(wrong("estimator", owner, must, repr(estimator)))


def check_histories(histories: object, owner: str) -> Histories:
    """Make a dict of lists of tables; a single table has the empty name."""
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
            check_table(table, "histories", owner, _PANELS) for table in tables
        ]
    return found


def draw_histories(
    axes: "Axes", histories: Histories, column: str
) -> dict[str, "Line2D"]:
    """Draw a column of histories against the epoch, and return the lines by name."""
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
            # Counted from the last epoch, which is marked in any case.
            markevery=list(range(len(runs) - 1, -1, -max(1, len(runs) // 12))),
            **line_style(number),
        )
    axes.set_xlabel("epoch")
    number_wholes(axes.xaxis)
    if column == "loss":
        axes.set_ylabel("training loss (nats)")
        use_logs(axes)
    return lines
