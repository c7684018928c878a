"""Display of a grid search: a measure over two parameters."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from .._errors import wrong
from .._labels import describe
from .._typing import Estimator
from ._checks import check_table
from ._panels import Display
from ._style import COLUMN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

_PREFIX = "param_"


class _Drawing(TypedDict, total=False):
    """Parameters that are handed on to `plot`."""

    ax: "Axes | None"
    cmap: "str | Colormap"
    vmin: float | None
    vmax: float | None
    values_format: str | None
    colorbar: bool


class _Choice(_Drawing, total=False):
    """Parameters that are handed on to `from_results`."""

    x: str | None
    y: str | None


class GridHeatmapDisplay(Display):
    """Heat map of a measure over two parameters of a grid search.

    It is made by :meth:`from_estimator` or :meth:`from_results`.

    Parameters
    ----------
    cells : DataFrame
        The numbers to draw. The columns, with their name, are the values of the
        parameter to the right, the index those of the parameter downward. Cells that
        are missing stay empty.
    name : str
        What the numbers are, for the color bar.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What is drawn on.
    image_ : matplotlib AxesImage
        The colored cells.
    text_ : ndarray of matplotlib Text of the shape of `cells`
        The numbers in the cells; None if they are not written, or missing.

    See Also
    --------
    sklearn.model_selection.GridSearchCV : Makes the results.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sk_memorize import GridHeatmapDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GridSearchCV(
    ...     DecisionTreeClassifier(random_state=0),
    ...     {"max_depth": [1, 2, None], "min_samples_leaf": [1, 10]},
    ... ).fit(X, y)
    >>> display = GridHeatmapDisplay.from_estimator(search)
    >>> display.ax_.get_xlabel(), display.ax_.get_ylabel()
    ('max_depth', 'min_samples_leaf')
    """

    def __init__(self, *, cells: pd.DataFrame, name: str) -> None:
        owner = type(self).__name__
        columns = list(cells) if isinstance(cells, pd.DataFrame) else []
        self.cells = check_table(cells, "cells", owner, columns)
        if not isinstance(name, str):
            raise ValueError(wrong("name", owner, "be a str", repr(name)))
        self.name = name

    def plot(
        self,
        ax: "Axes | None" = None,
        *,
        cmap: "str | Colormap" = "cividis",
        vmin: float | None = None,
        vmax: float | None = None,
        values_format: str | None = ".3g",
        colorbar: bool = True,
    ) -> Self:
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The axes to draw on; None makes a figure.
        cmap : str or matplotlib Colormap, default="cividis"
            The colors. Those of the default grow steadily lighter, also to the
            color-blind and in print.
        vmin, vmax : float, default=None
            The numbers at the ends of the colors; None means the lowest and the
            highest one.
        values_format : str or None, default=".3g"
            How the numbers are written in the cells; None leaves them out.
        colorbar : bool, default=True
            Whether there is a color bar.

        Returns
        -------
        display : GridHeatmapDisplay
            The display, with the image and the numbers as attributes.

        Raises
        ------
        ValueError
            If `ax` is nothing to draw on, or matplotlib knows no such colors, or Python
            no such format. No figure is made.
        ImportError
            If matplotlib is not installed (extra ``plot``).
        """
        format(0.5, values_format or "")  # refuses a wrong format before drawing
        n_rows, n_columns = self.cells.shape
        letters = max(len(self.name), len(str(self.cells.index.name)))
        height = max(1.8, 0.9 + 0.3 * n_rows, 0.9 + 0.06 * letters)
        with self._open(ax, (max(COLUMN, 1.2 + 0.5 * n_columns), height)) as (axes,):
            self.image_ = axes.imshow(
                self.cells.to_numpy(float),
                cmap=cmap,
                vmin=vmin,
                vmax=vmax,
                aspect="auto",
            )
            self._name_cells(axes)
            labels = {axes.xaxis.label: "width", axes.yaxis.label: "height"}
            if colorbar:
                bar = axes.figure.colorbar(self.image_, ax=axes, label=self.name)
                labels[bar.ax.yaxis.label] = "height"
            # The sizes below depend on what the layout leaves to the cells.
            axes.figure.figure.draw_without_rendering()  # that of a subfigure, too
            room = axes.get_window_extent()
            for label, side in labels.items():
                length = getattr(label.get_window_extent(), side)
                # Letters are set on whole pixels, so the length is not quite in
                # proportion to the size.
                excess = 1.03 * length / getattr(room, side)
                label.set_fontsize(max(4, label.get_fontsize() / max(1, excess)))
            self.text_ = self._write(axes, values_format)
        return self

    def _name_cells(self, axes: "Axes") -> None:
        """Write the values of the parameters, slanted where they have no room."""
        across, down = self.cells.columns, self.cells.index
        axes.set(xlabel=across.name, ylabel=down.name)
        axes.set_yticks(range(len(down)), _tick_labels(down))
        axes.set_xticks(range(len(across)), labels := _tick_labels(across))
        letters = len(across) * (1 + max(map(len, labels)))
        if 0.6 * float(axes.xaxis.label.get_fontsize()) * letters > _width(axes):
            for label in axes.get_xticklabels():
                label.set(rotation=45, ha="right", rotation_mode="anchor")

    def _write(self, axes: "Axes", values_format: str | None) -> NDArray[np.object_]:
        """Write the numbers into the cells, in the size that they have room for."""
        text = np.full(self.cells.shape, None, dtype=object)
        if values_format is None:
            return text
        written = {
            cell: format(value, values_format)
            for cell, value in np.ndenumerate(self.cells.to_numpy(float))
            if not np.isnan(value)
        }
        longest = max(map(len, written.values()), default=1)
        # Font size in points; a digit is about 0.6 as wide as high.
        room = 0.9 * _width(axes) / (self.cells.shape[1] * 0.6 * longest)
        size = float(np.clip(room, 4, axes.xaxis.label.get_fontsize()))
        for (i, j), words in written.items():
            color = self.image_.cmap(self.image_.norm(self.cells.iloc[i, j]))
            text[i, j] = axes.text(
                j, i, words, ha="center", va="center", size=size, color=_on(color)
            )
        return text

    @classmethod
    def from_estimator(
        cls,
        estimator: Estimator,
        *,
        measure: str | None = None,
        **drawing: Unpack[_Choice],
    ) -> Self:
        """Draw the result of a fitted search.

        Parameters
        ----------
        estimator : GridSearchCV or another search
            The fitted search, with `cv_results_`.
        measure : str, default=None
            The key of `cv_results_` to draw. None means "mean_test_score", or with
            several scores the one that the search was refitted for, or the first.
        **drawing : dict
            What else :meth:`from_results` takes: `x`, `y`, and how to draw.

        Returns
        -------
        display : GridHeatmapDisplay
            The display, drawn.
        """
        owner = f"{cls.__name__}.from_estimator"
        if hasattr(estimator, "fit") and not isinstance(estimator, type):
            check_is_fitted(estimator)
        if not isinstance(results := getattr(estimator, "cv_results_", None), Mapping):
            got = repr(estimator)
            raise ValueError(wrong("estimator", owner, "be a fitted search", got))
        refit = getattr(estimator, "refit", None)
        if measure is None and isinstance(refit, str):
            measure = f"mean_test_{refit}"
        return cls.from_results(results, measure=measure, **drawing)

    @classmethod
    def from_results(
        cls,
        results: Mapping[str, Any] | pd.DataFrame,
        *,
        x: str | None = None,
        y: str | None = None,
        measure: str | None = None,
        **drawing: Unpack[_Drawing],
    ) -> Self:
        """Draw `cv_results_`, or another table with a row for each candidate.

        Parameters
        ----------
        results : dict or DataFrame
            The `cv_results_` of a search, or a table. Over candidates with the same
            values of both parameters the mean is drawn, of those where it is a number.
        x, y : str, default=None
            The parameters to the right and downward: keys of `results`, with or without
            the prefix ``param_``. None means the first ones with the prefix that vary
            and are not taken.
        measure : str, default=None
            The key of `results` to draw. None means "mean_test_score", or the first
            that begins with ``mean_test_``.
        **drawing : dict
            How to draw: `ax`, `cmap`, `vmin`, `vmax`, `values_format` and `colorbar`,
            as in :meth:`plot`.

        Returns
        -------
        display : GridHeatmapDisplay
            The display, drawn.
        """
        owner = f"{cls.__name__}.from_results"
        if not isinstance(results, Mapping | pd.DataFrame) or not len(results):
            must = "be cv_results_ or a DataFrame, with rows"
            raise ValueError(wrong("results", owner, must, describe(results)))
        table = pd.DataFrame({key: _as_column(results[key]) for key in results})
        measure = _choose_measure(table, measure, owner)
        across, down = _choose_parameters(table, x, y, owner)
        for name in (across, down):
            if table[name].isna().any():  # NaN is a value, too, but groups drop it
                table[name] = table[name].map(str)
        cells = (
            table.pivot_table(index=down, columns=across, values=measure)
            .reindex(index=table[down].unique(), columns=table[across].unique())
            .rename_axis(
                index=down.removeprefix(_PREFIX), columns=across.removeprefix(_PREFIX)
            )
        )
        return cls(cells=cells, name=measure.replace("_", " ")).plot(**drawing)


def _width(axes: "Axes") -> float:
    """Measure the width of axes in points."""
    return 72 * axes.get_window_extent().width / axes.figure.dpi


def _tick_labels(values: pd.Index) -> list[str]:
    """Write the values of a parameter; floats all with exponents, or all without."""
    if values.dtype.kind != "f":
        return [str(value) for value in values]
    labels = [f"{value:.4g}" for value in values]
    if any("e" in label for label in labels):
        write = partial(np.format_float_scientific, precision=3, trim="-", exp_digits=1)
        labels = [write(value) for value in values]
    return labels


def _as_column(values: Iterable[object]) -> ArrayLike:
    """Turn what is no number into words: None is no missing value here."""
    array = np.asarray(values)
    # Masked values: candidates of a list of grids may lack a parameter.
    is_number = array.dtype.kind in "biuf" and not np.ma.is_masked(values)
    return array if is_number else [str(value) for value in values]


def _choose_measure(table: pd.DataFrame, measure: str | None, owner: str) -> str:
    scores = [key for key in table if str(key).startswith("mean_test_")]
    if measure is None and scores:
        return "mean_test_score" if "mean_test_score" in scores else str(scores[0])
    numbers = list(table.select_dtypes("number"))
    if measure not in numbers:
        expected = f"be a key of numbers in the results, such as {numbers[:5]}"
        raise ValueError(wrong("measure", owner, expected, repr(measure)))
    return str(measure)


def _choose_parameters(
    table: pd.DataFrame, x: str | None, y: str | None, owner: str
) -> tuple[str, str]:
    """Find the columns of the parameters to the right and downward."""
    with_prefix = [key for key in table if str(key).startswith(_PREFIX)]
    varying = [key for key in with_prefix if len(table[key].unique()) > 1]
    order = list(dict.fromkeys(varying + with_prefix))
    chosen: dict[str, str] = {}
    named_first = sorted({"x": x, "y": y}.items(), key=lambda item: item[1] is None)
    for parameter, name in named_first:
        if name is None:
            must = "be given: the results have no other parameter to take"
            found = [key for key in order if key not in chosen.values()]
        else:
            must = f"be one of {[key.removeprefix(_PREFIX) for key in order or table]}"
            found = [key for key in (f"{_PREFIX}{name}", name) if key in table]
        if not found:
            raise ValueError(wrong(parameter, owner, must, repr(name)))
        chosen[parameter] = found[0]
    if chosen["x"] == chosen["y"]:
        must = "be another parameter than 'x'"
        raise ValueError(wrong("y", owner, must, repr(y)))
    return chosen["x"], chosen["y"]


def _on(color: ArrayLike) -> str:
    """Choose black or white, whichever stands out more from a color.

    The contrast is that of W3C's guidelines for accessible content, from the relative
    luminance of sRGB colors.
    """
    rgb = np.asarray(color)[:3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ [0.2126, 0.7152, 0.0722])
    return "black" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "white"
