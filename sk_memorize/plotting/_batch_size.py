"""Display of a sweep over batch sizes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from .._errors import wrong
from ._axes import (
    add_legend,
    draw_means,
    number_logs,
    one_or_all,
    open_panels,
)
from ._checks import check_panels, check_table
from ._style import COLUMN, GRAY, PAGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ._axes import AxesLike

_LABELS = {
    "seconds": "time to convergence (s)",
    "epochs": "epochs to convergence",
    "seconds_per_epoch": "time per epoch (s)",
    "test_accuracy": "test accuracy",
}
_PANELS = ("seconds", "seconds_per_epoch", "test_accuracy")
# Columns on a logarithmic axis.
_LOG = ("seconds", "seconds_per_epoch")
# Columns that are lower bounds if a training missed its target.
_ENDS = ("seconds", "epochs")


class BatchSizeDisplay:
    """Time to convergence, time per epoch and test accuracy against the batch size.

    It is recommended to use :meth:`from_results` to make a display.

    Parameters
    ----------
    table : DataFrame
        A row for each batch size and each rule for the learning rate, with the column
        `batch_size` and those of the panels. `lr_rule`, if it is there, tells the rows
        of different lines apart; `reached` tells which trainings reached their target.
        Each measure may have its spread in a column of the same name with ``_std``
        behind it.

    Attributes
    ----------
    ax_ : matplotlib Axes or ndarray of Axes
        The axes drawn on, an array if there are several panels.
    figure_ : matplotlib Figure
        The figure that they are in.
    lines_ : dict of dict of matplotlib Line2D
        The lines, by panel and learning-rate rule.

    See Also
    --------
    FittingCurveDisplay : Draws loss and accuracy against the epoch.
    GridHeatmapDisplay : Draws a measure over two parameters.
    sklearn.model_selection.ValidationCurveDisplay : Draws scores against a parameter.

    Notes
    -----
    Bands are a standard deviation wide to either side. In the panels of time and epochs
    to convergence, a training that missed its target is an empty marker: it would have
    taken longer.

    Examples
    --------
    >>> import pandas as pd
    >>> from sk_memorize import BatchSizeDisplay
    >>> table = pd.DataFrame(
    ...     {
    ...         "batch_size": [32, 128, 512],
    ...         "lr_rule": "fixed",
    ...         "seconds": [60.0, 21.0, 14.0],
    ...         "reached": [True, True, False],
    ...     }
    ... )
    >>> display = BatchSizeDisplay.from_results(table, panels="seconds")
    >>> display.ax_.get_ylabel()
    'time to convergence (s)'
    """

    def __init__(self, *, table: pd.DataFrame) -> None:
        owner = type(self).__name__
        self.table = check_table(table, "table", owner, ["batch_size"])
        if (table["batch_size"] <= 0).any():
            must = "have positive numbers in the column 'batch_size'"
            got = f"{table['batch_size'].min():g}"
            raise ValueError(wrong("table", owner, must, got))

    def plot(
        self,
        ax: "AxesLike" = None,
        *,
        panels: str | Sequence[str] = _PANELS,
    ) -> Self:
        """Draw the panels.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of Axes, default=None
            The axes to draw on, one for each panel; None makes a figure.
        panels : {"seconds", "epochs", "seconds_per_epoch", "test_accuracy"} or \
                sequence of them, default=("seconds", "seconds_per_epoch", \
                "test_accuracy")
            The columns to draw.

        Returns
        -------
        display : BatchSizeDisplay
            The display, with the artists as attributes.

        Raises
        ------
        ValueError
            If a parameter, or what is drawn, is not as described. No figure is made.
        ImportError
            If matplotlib is not installed (extra ``plot``).
        """
        owner = f"{type(self).__name__}.plot"
        chosen = check_panels(panels, tuple(_LABELS), owner)
        check_table(self.table, "table", owner, ["batch_size", *chosen])
        size = (COLUMN if len(chosen) == 1 else PAGE, 2.5)
        with open_panels(ax, len(chosen), owner, size=size) as axes:
            self.lines_ = {
                panel: self._draw(panel_axes, panel)
                for panel, panel_axes in zip(chosen, axes, strict=True)
            }
            add_legend(axes, below=ax is None)
        self.ax_, self.figure_ = one_or_all(axes), axes[0].figure
        return self

    def _draw(self, axes: "Axes", column: str) -> dict[str, Any]:
        lines: dict[str, Any] = {}
        for number, (rule, rows) in enumerate(self._rules().items()):
            rows = rows.sort_values("batch_size")
            label = f"{rule} learning rate" if rule else ""
            (lines[rule],) = draw_means(
                axes, rows, "batch_size", {column: label}, first_style=number
            ).values()
            if column in _ENDS and "reached" in rows:
                missed = rows[~rows["reached"].astype(bool)]
                axes.plot(
                    missed["batch_size"],
                    missed[column],
                    color=lines[rule].get_color(),
                    marker=lines[rule].get_marker(),
                    markersize=lines[rule].get_markersize(),
                    markerfacecolor="white",
                    linestyle="none",
                )
        if column in _ENDS and not self.table.get("reached", pd.Series([True])).all():
            axes.plot([], [], "o", c=GRAY, mfc="white", ms=3.5, label="target missed")
        axes.set_xscale("log", base=2)
        sizes = sorted(self.table["batch_size"].unique())
        axes.set(xlabel="batch size (rows)", ylabel=_LABELS[column])
        if column in _LOG:
            axes.set_yscale("log")
            number_logs(axes)
        # Tick labels: plain numbers instead of exponents, at most about seven.
        axes.set_xticks(sizes[:: -(-len(sizes) // 7)])
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.minorticks_off()
        return lines

    def _rules(self) -> dict[str, pd.DataFrame]:
        if "lr_rule" not in self.table:
            return {"": self.table}
        groups = self.table.groupby("lr_rule", sort=False, dropna=False)
        return {str(rule): rows for rule, rows in groups}

    @classmethod
    def from_results(
        cls,
        table: pd.DataFrame,
        *,
        panels: str | Sequence[str] = _PANELS,
        ax: "AxesLike" = None,
    ) -> Self:
        """Draw the table of a sweep.

        Parameters
        ----------
        table : DataFrame
            A row for each batch size and rule, as `benchmarks/batch_size.py` writes
            it; see the class for the columns.
        panels : {"seconds", "epochs", "seconds_per_epoch", "test_accuracy"} or \
                sequence of them, default=("seconds", "seconds_per_epoch", \
                "test_accuracy")
            The columns to draw.
        ax : matplotlib Axes or sequence of Axes, default=None
            The axes to draw on, one for each panel; None makes a figure.

        Returns
        -------
        display : BatchSizeDisplay
            The display, drawn.
        """
        return cls(table=table).plot(ax, panels=panels)
