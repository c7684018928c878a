"""Display of a sweep over corrupted labels, as in figure 1 of Zhang et al."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from .._errors import wrong
from ._axes import (
    add_own_legend,
    draw_chance,
    draw_means,
    one_or_all,
    open_panels,
)
from ._checks import check_panels, check_table
from ._fitting import check_histories, draw_histories
from ._style import COLUMN, PAGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ._axes import AxesLike

_COLUMNS = {
    "curves": (),
    "time": ("relative_epochs", "relative_seconds"),
    "error": ("test_error",),
}
_PANELS = tuple(_COLUMNS)
# Legend position that avoids the rising line and the chance level.
_BELOW_CHANCE = {"loc": "upper left", "bbox_to_anchor": (0, 0.86)}


class CorruptionSweepDisplay:
    """What becomes of the fit and of the test error as labels are corrupted.

    Up to three panels, those of figure 1 of [1]_: (a) learning curves for true labels,
    random labels and randomized inputs; (b) time to overfit, relative to that for true
    labels, against the corruption level; (c) test error against it.

    It is recommended to use :meth:`from_results` to make a display.

    Parameters
    ----------
    table : DataFrame
        A row for each corruption level, with the columns `fraction`,
        `relative_epochs` and `relative_seconds` for panel (b), `test_error` for (c);
        each may have its spread in a column of the same name with ``_std`` behind it.
        If there is a column `condition`, only the rows are drawn of which it ends in
        "labels": the others are about randomized inputs. If there are columns
        `train_accuracy`, for the fitted labels, and `chance_error`, (c) shows them too.
    histories : dict of DataFrame or of list of DataFrame, default=None
        For panel (a): by condition the `history_` of a :class:`MemorizingMLP`, or a
        list of those of several seeds. None leaves out the panel.

    Attributes
    ----------
    ax_ : matplotlib Axes or ndarray of Axes
        The axes drawn on, an array if there are several panels.
    figure_ : matplotlib Figure
        The figure that they are in.
    lines_ : dict of dict of matplotlib Line2D
        The lines, by panel and by column of the table or condition.

    See Also
    --------
    FittingCurveDisplay : Draws loss and accuracy against the epoch.
    LabelPermuter : Corrupts labels.
    PixelShuffler : Randomizes inputs.

    Notes
    -----
    Bands are a standard deviation wide to either side; in panel (a) they go from the
    lowest to the highest seed, as in :class:`FittingCurveDisplay`.

    References
    ----------
    .. [1] C. Zhang, S. Bengio, M. Hardt, B. Recht and O. Vinyals, "Understanding deep
       learning requires rethinking generalization", ICLR 2017, figure 1.
       https://arxiv.org/abs/1611.03530

    Examples
    --------
    >>> import pandas as pd
    >>> from sk_memorize import CorruptionSweepDisplay
    >>> table = pd.DataFrame(
    ...     {
    ...         "fraction": [0.0, 0.5, 1.0],
    ...         "test_error": [0.02, 0.31, 0.9],
    ...         "chance_error": 0.9,
    ...     }
    ... )
    >>> display = CorruptionSweepDisplay.from_results(table, panels="error")
    >>> display.ax_.get_xlabel()
    'corruption level'
    """

    def __init__(
        self, *, table: pd.DataFrame, histories: Mapping[str, Any] | None = None
    ) -> None:
        owner = type(self).__name__
        self.table = check_table(table, "table", owner, ["fraction"])
        self.histories = (
            None if histories is None else check_histories(histories, owner, ["loss"])
        )

    def plot(
        self,
        ax: "AxesLike" = None,
        *,
        panels: str | Sequence[str] | None = None,
    ) -> Self:
        """Draw the panels.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of Axes, default=None
            The axes to draw on, one for each panel; None makes a figure.
        panels : {"curves", "time", "error"} or sequence of them, default=None
            What to draw. None means all that the data have columns for.

        Returns
        -------
        display : CorruptionSweepDisplay
            The display, with the artists as attributes.

        Raises
        ------
        ValueError
            If a parameter, or what is drawn, is not as described. No figure is made.
        ImportError
            If matplotlib is not installed (extra ``plot``).
        """
        owner = f"{type(self).__name__}.plot"
        chosen = self._choose(panels, owner)
        rows = self._levels(owner)
        size = (COLUMN if len(chosen) == 1 else PAGE, 2.8)
        draw = {"curves": self._draw_curves, "time": _draw_time, "error": _draw_error}
        with open_panels(ax, len(chosen), owner, size=size) as axes:
            self.lines_ = {
                panel: draw[panel](panel_axes, rows)
                for panel, panel_axes in zip(chosen, axes, strict=True)
            }
            for letter, panel, panel_axes in zip("abc", chosen, axes, strict=False):
                place = _BELOW_CHANCE if panel == "error" else {}
                add_own_legend(panel_axes, below=ax is None, **place)
                if len(chosen) > 1:
                    panel_axes.set_title(f"({letter})", loc="left")
        self.ax_, self.figure_ = one_or_all(axes), axes[0].figure
        return self

    def _levels(self, owner: str) -> pd.DataFrame:
        """Find the rows about corrupted labels, in the order of the levels."""
        rows = self.table
        if "condition" in rows:
            rows = rows[rows["condition"].astype(str).str.endswith("labels")]
        if rows.empty:
            must = "have rows of which the column 'condition' ends in 'labels'"
            got = self.table["condition"].unique().tolist()
            raise ValueError(wrong("table", owner, must, got))
        return rows.sort_values("fraction", kind="stable")

    def _choose(self, panels: Any, owner: str) -> list[str]:
        """Choose the panels, and check that there is something to draw in them."""
        lacking = {
            name: [column for column in columns if column not in self.table]
            for name, columns in _COLUMNS.items()
        }
        if self.histories is None:
            lacking["curves"] = ["histories"]
        if panels is None:
            panels = [name for name in _PANELS if not lacking[name]]
        chosen = check_panels(panels, _PANELS, owner)
        for panel in chosen:
            if lacking[panel]:
                what = (
                    "the 'histories' parameter is given"
                    if panel == "curves"
                    else f"the table has the columns {list(_COLUMNS[panel])}"
                )
                must = f"have {panel!r} only if {what}"
                raise ValueError(wrong("panels", owner, must, repr(panels)))
            check_table(self.table, "table", owner, _COLUMNS[panel])
        return chosen

    def _draw_curves(self, axes: "Axes", _: pd.DataFrame) -> dict[str, Any]:
        return draw_histories(axes, self.histories or {}, "loss")

    @classmethod
    def from_results(
        cls,
        table: pd.DataFrame,
        *,
        histories: Mapping[str, Any] | None = None,
        panels: str | Sequence[str] | None = None,
        ax: "AxesLike" = None,
    ) -> Self:
        """Draw the table of a sweep.

        Parameters
        ----------
        table : DataFrame
            A row for each corruption level, as `benchmarks/corruption.py` writes it;
            see the class for the columns.
        histories : dict of DataFrame or of list of DataFrame, default=None
            By condition, the `history_` of a :class:`MemorizingMLP`, or a list of those
            of several seeds.
        panels : {"curves", "time", "error"} or sequence of them, default=None
            What to draw. None means all that the data have columns for.
        ax : matplotlib Axes or sequence of Axes, default=None
            The axes to draw on, one for each panel; None makes a figure.

        Returns
        -------
        display : CorruptionSweepDisplay
            The display, drawn.
        """
        return cls(table=table, histories=histories).plot(ax, panels=panels)


def _draw_time(axes: "Axes", rows: pd.DataFrame) -> dict[str, Any]:
    names = {"relative_epochs": "epochs", "relative_seconds": "seconds"}
    lines = draw_means(axes, rows, "fraction", names)
    axes.axhline(1, color="0.7", linewidth=0.6, zorder=0)
    axes.set(xlabel="corruption level", ylabel="relative time to overfit")
    axes.set_ylim(bottom=0)
    return lines


def _draw_error(axes: "Axes", rows: pd.DataFrame) -> dict[str, Any]:
    names = {"test_error": "test (true labels)"}
    if "train_accuracy" in rows:
        rows = rows.assign(train_error=1 - rows["train_accuracy"])
        if "train_accuracy_std" in rows:
            rows["train_error_std"] = rows["train_accuracy_std"]
        names["train_error"] = "train (fitted labels)"
    lines = draw_means(axes, rows, "fraction", names)
    if "chance_error" in rows:
        draw_chance(axes, rows["chance_error"].iloc[0])
    axes.set(xlabel="corruption level", ylabel="error", ylim=(-0.03, 1.03))
    return lines
