"""Pictures of the scripts' tables, in the style of the package's displays."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from _tools.claims import count
from _tools.common import Data
from sk_memorize import (
    FittingCurveDisplay,
    GridHeatmapDisplay,
    InfluenceDisplay,
    MemorizationDisplay,
    MemorizationScores,
)
from sk_memorize.plotting import (
    add_legend,
    add_own_legend,
    draw_chance,
    draw_means,
    line_style,
    number_logs,
    open_panels,
)

PAGE = 7.0  # inches, the width of a page


def draw_histories(
    table: pd.DataFrame, histories: Mapping[str, pd.DataFrame], title: str
) -> Any:
    """Draw learning curves, and the test accuracies of the same fits.

    What the curves are of, labels or recipes, is the table's first column.
    """
    kind = table.columns[0]
    suffix = " labels" if kind == "labels" else ""
    rows = table[table["protocol"] == "holdout"].set_index(kind)
    display = FittingCurveDisplay.from_results(
        {f"{name}{suffix}": history for name, history in histories.items()},
        test_accuracies=dict(rows["test_accuracy"].add_suffix(suffix)),
        chance_accuracy=rows["chance_accuracy"].iloc[0],
    )
    display.figure_.suptitle(title, fontsize=9)
    return display.figure_


# Against the batch size

_BATCH_SIZE_PANELS = {
    "seconds": "time to convergence (s)",
    "seconds_per_epoch": "time per epoch (s)",
    "test_accuracy": "test accuracy",
}


def draw_batch_sizes(table: pd.DataFrame, title: str) -> Any:
    """Draw the times and the test accuracy against the batch size."""
    with open_panels(None, 3, "--plot", size=(PAGE, 2.5)) as panels:
        for axes, column in zip(panels, _BATCH_SIZE_PANELS, strict=True):
            _draw_against_batch_size(axes, table, column)
        add_legend(panels, below=True)
    panels[0].figure.suptitle(title, size=10)
    return panels[0].figure


def _draw_against_batch_size(axes: Any, table: pd.DataFrame, column: str) -> None:
    for number, (rule, rows) in enumerate(table.groupby("lr_rule", sort=False)):
        rows = rows.sort_values("batch_size")
        names = {column: f"{rule} learning rate"}
        style = {"first_style": number}
        line = draw_means(axes, rows, "batch_size", names, **style)[column]
        if column == "seconds":  # what missed its target would have taken longer
            missed = rows[~rows["reached"]]
            empty = {"ls": "none", "mfc": "white", "ms": 3.5, "c": line.get_color()}
            empty["marker"] = line.get_marker()
            axes.plot(missed["batch_size"], missed[column], **empty)
    if column == "seconds" and not table["reached"].all():
        axes.plot([], [], "o", c="0.4", mfc="white", ms=3.5, label="target missed")
    axes.set_xscale("log", base=2)
    axes.set(xlabel="batch size (rows)", ylabel=_BATCH_SIZE_PANELS[column])
    if column != "test_accuracy":
        axes.set_yscale("log")
        number_logs(axes)
        # Two of the numbers 1, 2, 5, 10 are within any factor of 5.
        low, high = axes.get_ylim()
        center, factor = np.sqrt(low * high), max(np.sqrt(high / low), np.sqrt(5))
        axes.set_ylim(center / factor, center * factor)
    # Powers of two as such, not as numbers with exponents; not too many of them.
    sizes = sorted(table["batch_size"].unique())
    axes.set_xticks(sizes[:: -(-len(sizes) // 7)])
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.minorticks_off()


# Against the corruption level


def draw_corruption(fits: pd.DataFrame, table: pd.DataFrame, title: str) -> Any:
    """Draw figure 1 of Zhang et al.: learning curves, relative times, test errors.

    The curves are those of both ends and of the randomized inputs, which are not in the
    other two.
    """
    ends = fits[fits["fraction"].isin([0, 1])]
    histories = {
        condition: [_to_history(loss) for loss in rows["loss"]]
        for condition, rows in ends.groupby("condition", sort=False)
    }
    levels = table[table["condition"].str.endswith("labels")].sort_values("fraction")
    levels = levels.assign(train_error=1 - levels["train_accuracy"])
    levels["train_error_std"] = levels["train_accuracy_std"]
    times = {"relative_epochs": "epochs", "relative_seconds": "seconds"}
    errors = {
        "test_error": "test (true labels)",
        "train_error": "training (fitted labels)",
    }
    with open_panels(None, 3, "--plot", size=(PAGE, 2.8)) as panels:
        curves, time, error = panels
        FittingCurveDisplay.from_results(histories, panels="loss", ax=curves)
        draw_means(time, levels, "fraction", times)
        time.axhline(1, color="0.7", linewidth=0.6, zorder=0)
        time.set(xlabel="corruption level", ylabel="relative time to overfit")
        time.set_ylim(0, 1.05 * time.get_ylim()[1])
        draw_means(error, levels, "fraction", errors)
        draw_chance(error, levels["chance_error"].iloc[0])
        error.set(xlabel="corruption level", ylabel="error", ylim=(-0.03, 1.03))
        for letter, axes in zip("abc", panels, strict=True):
            add_own_legend(axes, below=True)
            axes.set_title(f"({letter})", loc="left")
    seeds = count(fits["seed"].nunique(), "seed")
    words = f"MemorizingMLP on {title}, uniform corruption of labels, {seeds}"
    curves.figure.suptitle(words, fontsize=9)
    return curves.figure


def _to_history(loss: Sequence[float]) -> pd.DataFrame:
    epochs = range(1, len(loss) + 1)
    return pd.DataFrame({"loss": loss, "accuracy": np.nan}, index=epochs)


# Over two parameters, or pairs of classes


def draw_grid(
    table: pd.DataFrame, grid: Mapping[str, Sequence[Any]], title: str
) -> Any:
    """Draw heat maps of train and test accuracies over two parameters.

    They are the first two that vary; over others, the mean is drawn.
    """
    varying = [name for name in grid if len(grid[name]) > 1]
    across, down, *_ = [*varying, *(name for name in grid if name not in varying)]
    kinds = list(dict.fromkeys(table["labels"]))
    measures = {
        "train_accuracy": "training accuracy (fitted labels)",
        "test_accuracy": "test accuracy (true labels)",
    }
    figure, panels = _open_figure((8, 2.6 * len(kinds) + 0.4), len(kinds), 2)
    for labels, row in zip(kinds, panels, strict=True):
        cells = table[table["labels"] == labels]
        for (measure, heading), axes in zip(measures.items(), row, strict=True):
            style: dict[str, Any] = {"vmin": 0, "vmax": 1, "values_format": ".4f"}
            style["colorbar"] = False
            display = GridHeatmapDisplay.from_results(
                cells, x=across, y=down, measure=measure, ax=axes, **style
            )
            axes.set_title(f"{labels} labels: {heading}", fontsize=9)
    figure.colorbar(display.image_, ax=panels, label="accuracy")
    if others := [name for name in varying if name not in (across, down)]:
        title += f" (means over {', '.join(others)})"
    figure.suptitle(title, fontsize=10)
    return figure


def draw_pairs(table: pd.DataFrame, title: str) -> Any:
    """Draw heat maps of the margins of all pairs, with true and permuted labels."""
    figure, panels = _open_figure((10, 4.6), 1, 2, sharey=True)
    pairs = [pair.split(", ") for pair in table["classes"]]
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    widest = table[["margin", "permuted_margin"]].max(axis=None)
    kinds = {"true": "", "permuted": "permuted_"}
    for axes, (labels, prefix) in zip(panels[0], kinds.items(), strict=True):
        cells = pd.DataFrame(np.nan, index=names[1:], columns=names[:-1])
        margins, verdicts = table[f"{prefix}margin"], table[f"{prefix}verdict"]
        for (first, second), margin, verdict in zip(
            pairs, margins, verdicts, strict=True
        ):
            if verdict == "separable":
                cells.loc[second, first] = margin
            else:
                mark = "x" if verdict == "not separable" else "?"
                place = names.index(first), names.index(second) - 1
                axes.text(*place, mark, ha="center", va="center", fontsize=7)
        display = GridHeatmapDisplay(cells=cells, name="margin").plot(
            axes, vmin=0, vmax=widest or 1, values_format=".2g", colorbar=False
        )
        axes.set(xlabel="class", ylabel="")
        axes.set_title(f"{labels} labels", fontsize=9)
    panels[0, 0].set_ylabel("class")
    words = "margin; x not separable, ? undecided"
    figure.colorbar(display.image_, ax=panels, label=words, shrink=0.85)
    figure.suptitle(title, fontsize=10)
    return figure


# Which rows are memorized

MEASURES = {
    "heldout_probability": "held-out probability",
    "heldout_accuracy": "held-out accuracy",
    "memorization": "memorization",
    "cumulative_loss": "cumulative loss",
}


def draw_memorization(
    table: pd.DataFrame, data: Data, scores: Sequence[MemorizationScores], title: str
) -> Any:
    """Draw agreement, removal, the most memorized rows, and influential pairs."""
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(2, 2, figsize=(10, 8), layout="constrained")
    agreement, removal, rows, influence = panels.flat
    by_what = dict(list(table.groupby("what")))
    draw_means(agreement, by_what["agreement"], "networks", MEASURES)
    agreement.set_xscale("log", base=2)
    agreement.xaxis.set_major_formatter("{x:g}")
    agreement.set(xlabel="networks of each run", ylabel="correlation of two runs")
    removed = by_what["removal"].set_index("removed")
    for number, kind in enumerate(("random", "most memorized")):
        names = {"test_accuracy": kind}
        draw_means(
            removal, removed.loc[["none", kind]], "share", names, first_style=number
        )
    removal.set(xlabel="share of the training rows removed", ylabel="test accuracy")
    for axes in (agreement, removal):
        axes.legend(fontsize=8)
    side = math.isqrt(data.X_train.shape[1] // data.n_channels)
    shape = (side, side, data.n_channels)[: 2 if data.n_channels == 1 else 3]
    MemorizationDisplay.from_results(
        scores[0], kind="images", X=data.X_train, image_shape=shape, ax=rows
    )
    rows.set_title("most memorized training rows", fontsize=9)
    pairs = scores[0].influential_pairs()
    images = data.X_train, data.X_test, data.y_test
    if len(pairs):
        style = {"image_shape": shape, "pairs": pairs, "n_test_rows": 4}
        InfluenceDisplay.from_results(scores[0], *images, **style, ax=influence)
    influence.set_title("test rows, and memorized ones they owe to", fontsize=9)
    figure.suptitle(title, fontsize=10)
    return figure


# Which labels are wrong


def draw_finders(table: pd.DataFrame, ours: str, title: str) -> Any:
    """Draw the average precision against the rate, for each kind of wrong labels."""
    kinds = table["kind"].unique()
    figure, (panels,) = _open_figure((11, 4.2), 1, len(kinds), sharey=True)
    for axes, kind in zip(panels, kinds, strict=True):
        rows = table[table["kind"] == kind]
        means = rows.pivot_table("average_precision", "rate", "finder", sort=False)
        for number, (name, values) in enumerate(means.items()):
            width = 2.5 if name == ours else 1
            style = {**line_style(number), "linewidth": width, "label": name}
            axes.plot(means.index, values, **style)
        axes.set_xticks(means.index, [f"{rate:g}" for rate in means.index])
        axes.set(xlabel="share of the labels that is wrong", title=f"{kind} errors")
    panels[0].set_ylabel("average precision")
    add_legend(list(panels), below=True)
    figure.suptitle(title, fontsize=10)
    return figure


# By model or method


def draw_capacities(table: pd.DataFrame, title: str) -> Any:
    """Draw the capacities against the numbers of parameters, in logarithms."""
    figure, ((axes,),) = _open_figure((6, 4.5), 1, 1)
    groups = table.groupby(["model", "depth"], sort=False, dropna=False)
    for number, ((name, depth), rows) in enumerate(groups):
        style = {**line_style(number), "label": name, "capsize": 2}
        if pd.isna(depth):
            style["linestyle"] = "none"  # a single point
        else:
            style["label"] = f"{name}, depth {depth}"
        upper = rows["high"].fillna(rows["labels"])
        bars = [rows["labels"] - rows["low"], upper - rows["labels"]]
        axes.errorbar(rows["parameters"], rows["labels"], yerr=bars, **style)
        unbounded = rows[rows["at_least"].astype(bool)]
        arrow = {"color": style["color"], "marker": r"$\uparrow$", "markersize": 9}
        x, y = unbounded["parameters"], 1.15 * unbounded["labels"]
        axes.plot(x, y, linestyle="none", **arrow)
    ends = np.array([table["parameters"].min(), table["parameters"].max()])
    for ratio, line in ((2, "--"), (1, ":")):
        name = f"{ratio} label{'s' * (ratio > 1)} per parameter"
        if ratio == 2 and table["cover"].notna().any():
            name += " (Cover)"
        axes.plot(ends, ratio * ends, c="0.4", linewidth=1, linestyle=line, label=name)
    n_classes = table["n_classes"].iloc[0]
    axes.set(xscale="log", yscale="log", xlabel="parameters (tree: nodes)")
    axes.set_ylabel(f"capacity (labels of {n_classes} classes)")
    number_logs(axes, "x")
    number_logs(axes, "y")
    axes.legend(fontsize=8, frameon=False)
    axes.set_title(title, fontsize=10)
    return figure


def draw_methods(table: pd.DataFrame, title: str) -> Any:
    """Draw the time of the fit and the test accuracy of each method."""
    figure, ((times, accuracies),) = _open_figure((8, 3.2), 1, 2, sharey=True)
    for number, (labels, rows) in enumerate(table.groupby("labels", sort=False)):
        names = rows["method"] + "\n(" + rows["n_train"].astype(str) + " rows)"
        style = {**line_style(number), "linestyle": "none", "markersize": 6}
        times.plot(rows["seconds_to_fit"], names, **style)
        accuracies.plot(rows["test_accuracy"], names, label=f"{labels} labels", **style)
    chance = table["chance_accuracy"].iloc[0]
    accuracies.axvline(chance, color="0.4", linewidth=1, linestyle=":", label="chance")
    times.set(xlabel="seconds of the fit (log scale)", xscale="log")
    times.invert_yaxis()
    words = "accuracy on the true labels of the test set"
    accuracies.set(xlabel=words, xlim=(-0.02, 1.02))
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    figure.suptitle(title, fontsize=10)
    return figure


def _open_figure(
    size: tuple[float, float], n_rows: int, n_columns: int, **shared: Any
) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(n_rows, n_columns, squeeze=False, **shared)
