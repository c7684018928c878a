"""Lines, scales and legends that displays share."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
from numpy.typing import ArrayLike

from ._style import GRAY, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D

_INVISIBLE = "\u200b"  # a space without width
_PANELS = 2.2  # inches that a legend below leaves to the panels, with their labels


def draw_line(
    panel: "Axes",
    x: ArrayLike,
    y: ArrayLike,
    *,
    low: pd.Series | None = None,
    high: pd.Series | None = None,
    **style: Any,
) -> "Line2D":
    """Draw a line, and a band from `low` to `high` if they are given."""
    (line,) = panel.plot(x, y, **style)
    if low is not None and high is not None and low.notna().any():
        panel.fill_between(x, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    return line


def draw_chance(panel: "Axes", value: float, words: str = "chance") -> "Line2D":
    """Draw the level of guessing, with its name above the line."""
    line = panel.axhline(value, color=GRAY, linewidth=0.9, linestyle=(0, (1, 1)))
    panel.annotate(
        words,
        (0.5, value),
        xycoords=("axes fraction", "data"),
        xytext=(0, 2),
        textcoords="offset points",
        horizontalalignment="center",
        verticalalignment="bottom",
        color=GRAY,
        fontsize=0.9 * float(panel.xaxis.label.get_fontsize()),
    )
    return line


def number_wholes(axis: "Axis") -> None:
    """Put ticks at whole numbers; a logarithmic axis and given ticks stay."""
    from matplotlib.ticker import MaxNLocator

    if isinstance(locator := axis.get_major_locator(), MaxNLocator):
        locator.set_params(integer=True, min_n_ticks=1)


def number_logs(panel: "Axes", axis: Literal["x", "y"] = "y") -> None:
    """Write the ticks of a logarithmic axis as drawn, as numbers or as powers."""
    from matplotlib.ticker import LogLocator, SymmetricalLogLocator

    drawn = panel.xaxis if axis == "x" else panel.yaxis
    low, high = drawn.get_view_interval()
    transform = drawn.get_transform()
    linear = getattr(transform, "linthresh", None)  # below it, the axis has a zero
    low = linear or low
    subs = (1, 2, 5) if high < 1000 * low else (1,)
    if linear:
        locator: Any = SymmetricalLogLocator(transform, subs)
        locator.set_params(numticks=9 if axis == "y" else 5)  # those are wider
    else:
        locator = LogLocator(subs=subs, numticks=9 if len(subs) > 1 else None)
    drawn.set_major_locator(locator)
    if low >= 1e-4 and high < 1e6:
        drawn.set_major_formatter("{x:g}")
    drawn.set_minor_formatter("")


def use_logs(panel: "Axes") -> None:
    """Make the vertical axis logarithmic, but let it reach a zero that is drawn."""
    least = min(panel.dataLim.minposy, 1.0)
    if panel.dataLim.y0 > 0:
        panel.set_yscale("log")
    else:
        panel.set_yscale("symlog", linthresh=least)
        panel.set_ylim(bottom=-0.1 * least)
    number_logs(panel)


def add_legend(axes: list["Axes"], *, below: bool) -> None:
    """Explain the lines of panels that share names and styles, each once.

    The legend stands below the panels, whose figure must make room, or in the last one.
    """
    handles: dict[str, Any] = {}
    for panel in axes:
        for handle, name in zip(*panel.get_legend_handles_labels(), strict=True):
            handles.setdefault(name, handle)
    if not any(handles):
        return
    if below:
        figure: Any = axes[0].figure
        for n_columns in (4, 2, 1):  # as many as the figure is wide enough for
            legend = figure.legend(
                handles.values(),
                handles,
                loc="outside lower center",
                ncols=n_columns,
                frameon=False,
            )
            if n_columns == 1 or legend.get_window_extent().width < figure.bbox.width:
                break
            legend.remove()
        height = legend.get_window_extent().height / figure.dpi
        figure.set_figheight(max(figure.get_figheight(), height + _PANELS))
    else:
        legend = axes[-1].legend(handles.values(), handles)
    _show_names(legend)


def add_own_legend(panel: "Axes", *, below: bool) -> None:
    """Explain the lines of a panel, in it or below it; the figure must make room."""
    if below:
        from matplotlib.transforms import ScaledTranslation

        # Offset in points: the height of tick labels and axis label is that of text.
        down = ScaledTranslation(0, -24 / 72, panel.figure.dpi_scale_trans)
        legend = panel.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            bbox_transform=panel.transAxes + down,
            ncols=1 if len(panel.get_legend_handles_labels()[0]) < 4 else 2,
            columnspacing=1.0,
            handletextpad=0.4,
            frameon=False,
        )
    else:
        legend = panel.legend()
    _show_names(legend)


def as_label(name: str) -> str:
    """Make a label of a name: a legend leaves out those that begin with "_"."""
    return f"{_INVISIBLE}{name}" if name.startswith("_") else name


def _show_names(legend: "Legend") -> None:
    """Turn the labels of a legend into names again, beside colors that can be seen."""
    for text in legend.get_texts():
        text.set_text(text.get_text().removeprefix(_INVISIBLE))
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)


def draw_means(
    panel: "Axes",
    rows: pd.DataFrame,
    x: str,
    names: Mapping[str, str],
    *,
    first_style: int = 0,
) -> dict[str, Any]:
    """Draw columns of a table, with the spread of each if there is one.

    Parameters
    ----------
    panel : Axes
        Where to draw.
    rows : DataFrame
        In the order of the line.
    x : str
        The column of the horizontal axis.
    names : dict of str
        The columns to draw, and their names in the legend.
    first_style : int, default=0
        Number of the first line's style.

    Returns
    -------
    lines : dict of Line2D
        By column.
    """
    lines = {}
    for number, (column, name) in enumerate(names.items(), first_style):
        mean, spread = rows[column], rows.get(f"{column}_std")
        lines[column] = draw_line(
            panel,
            rows[x],
            mean,
            low=None if spread is None else mean - spread,
            high=None if spread is None else mean + spread,
            label=name,
            **line_style(number),
        )
    return lines
