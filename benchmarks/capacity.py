"""How many random labels for each parameter? Networks, a linear classifier, a tree.

Rows are drawn in random order, each with a class thrown by a coin (or a die). The
capacity is the largest number of them, from the first on, that the classifier fits to
the last label: the median over the repeats, with an interval for it that makes no
assumption on its distribution. "At least" stands where all rows were fitted.

Three kinds of classifiers are measured. MemorizingMLP, of several widths and depths: a
capacity that grows in proportion to the number of parameters has the slope 1 in
logarithms. Logistic regression without penalty, for which the capacity is known: by
Cover's theorem (1965) half of all labelings of twice as many rows as weights are
linearly separable; on real rows the weights that count are as many as the rank of such
rows with a constant column. And a decision tree, which adds nodes until all labels are
fitted, so that its capacity has no end.

Networks are trained on all rows at a time, with a high learning rate. For such small
ones that is faster than small batches, and more is memorized. They still fail if the
training is too short: their capacity is that for at most --max-epochs epochs.
"""

import argparse
import dataclasses
import functools
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from _arguments import (
    add_repeats,
    fraction_below_1,
    job_count,
    make_parser,
    positive_int,
    seed_value,
    several,
)
from _capacity_claims import LINEAR, NETWORK, TREE, format_rows, judge
from _common import Data, load_data, run_script, say, warm_up, warm_up_workers
from _sweep import Cell, add_output, run_sweep
from _tables import report
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sk_memorize import MemorizingMLP, memorization_capacity

# The size that is tried first, but for networks.
_MIN_SAMPLES = 16

# Found on digits: with 300 epochs it is 1.8 labels per parameter, as with 1000. With
# the default batches and learning rate it is 1.1 in ten times the time.
_LR = 0.05

_FIRST = ["dataset", "model", "width", "depth", "n_classes", "n_samples"]


def make_classifier(args: argparse.Namespace, cell: Cell) -> Any:
    """Make the classifier of a cell; it gets its seeds from the measurement."""
    if cell["model"] == NETWORK:
        return MemorizingMLP(
            width=cell["width"],
            depth=cell["depth"],
            batch_size=args.max_samples,
            lr=_LR,
            max_epochs=args.max_epochs,
            device=args.device,
        )
    if cell["model"] == LINEAR:
        # Scaled rows are separable if, and only if, the given ones are, and sooner.
        unpenalized = LogisticRegression(C=np.inf, max_iter=5000)
        return make_pipeline(StandardScaler(), unpenalized)
    return DecisionTreeClassifier()


def _fit_model(X: np.ndarray, y: np.ndarray, model: str) -> None:
    """Fit a classifier of a kind to few rows."""
    args = argparse.Namespace(max_samples=100, max_epochs=2, device="cpu")
    classifier = make_classifier(args, {"model": model, "width": 2, "depth": 1})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # two epochs
        classifier.fit(X[:100], y[:100])


def measure(args: argparse.Namespace, data: Data, cell: Cell) -> dict[str, Any]:
    """Measure the capacity of a classifier."""
    say(", ".join(f"{name} {value}" for name, value in cell.items() if value))
    is_network = cell["model"] == NETWORK
    warm_up(_fit_model, cell["model"])
    warm_up_workers(args.device, args.n_jobs)
    max_samples = _size_of(args, data)
    result = memorization_capacity(
        make_classifier(args, cell),
        None if args.gaussian is not None else data.X_train,
        n_features=args.gaussian,
        n_classes=args.classes,
        n_repeats=args.repeats,
        # Sizes that a network fits easily take as long as those that it just fits.
        min_samples=min(_count(data, cell), max_samples)
        if is_network
        else _MIN_SAMPLES,
        max_samples=max_samples,
        rtol=args.rtol if is_network else 0.0,
        n_jobs=args.n_jobs,
        random_state=args.seed,
    )
    return {
        "parameters": result.n_parameters,
        "labels": result.labels,
        "at_least": result.is_lower_bound,
        "low": result.interval[0],
        "high": result.interval[1] if math.isfinite(result.interval[1]) else None,
        "coverage": result.coverage,
        "bits": result.bits,
        "labels_per_parameter": result.labels_per_parameter,
        "bits_per_parameter": result.bits_per_parameter,
        "n_fits": len(result.curve),
        "fit_seconds": float(result.curve["seconds"].sum()),
    }


def run(args: argparse.Namespace, data: Data) -> pd.DataFrame:
    """Measure all classifiers; one row for each."""
    cells: list[Cell] = [
        {"model": NETWORK, "width": width, "depth": depth}
        for depth in sorted(set(args.depths))
        for width in sorted(set(args.widths))
    ]
    cells += [{"model": name, "width": None, "depth": None} for name in (LINEAR, TREE)]
    table = run_sweep(
        args,
        data,
        cells,
        functools.partial(measure, args, data),
        in_cells=("widths", "depths"),
    )
    # Counts that are missing for some models would become floats.
    table = table.astype({"width": "Int64", "depth": "Int64", "high": float})
    table["cover"] = math.nan
    if args.classes == 2:
        table.loc[table["model"] == LINEAR, "cover"] = 2 * _count_weights(args, data)
    table = table.assign(
        dataset=data.name,
        n_classes=args.classes,
        n_samples=_size_of(args, data),
        seed=args.seed,
    )
    return table[[*_FIRST, *(name for name in table.columns if name not in _FIRST)]]


def _size_of(args: argparse.Namespace, data: Data) -> int:
    """Tell the largest number of labels that is tried."""
    if args.gaussian is None:
        return len(data.X_train)
    return int(args.max_samples)


def _count(data: Data, cell: Cell) -> int:
    """Count the parameters of a network with a single output, roughly."""
    width = int(cell["width"])
    return width * (data.X_train.shape[1] + (int(cell["depth"]) - 1) * width)


def _count_weights(args: argparse.Namespace, data: Data) -> int:
    """Count the weights that make a difference, the intercept among them."""
    X = data.X_train
    if args.gaussian is not None:
        return int(args.gaussian) + 1
    # A column may be constant in so few rows though it is not in all of them.
    order = np.random.RandomState(args.seed).permutation(len(X))
    rows = X[order[: 2 * (X.shape[1] + 1)]]
    return int(np.linalg.matrix_rank(rows - rows.mean(0))) + 1


def reduce(data: Data, n_components: int) -> Data:
    """Replace the rows by their principal components, if these are fewer."""
    if not n_components or n_components >= min(data.X_train.shape):
        return data
    X = PCA(n_components, svd_solver="covariance_eigh").fit_transform(data.X_train)
    title = f"{n_components} principal components of {data.title}"
    return dataclasses.replace(data, title=title, X_train=X)


def draw(table: pd.DataFrame, title: str) -> Any:
    """Draw the capacities against the numbers of parameters, in logarithms."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4.5), layout="constrained")
    axes = figure.subplots()
    # The palette of Okabe and Ito; the markers tell the series apart without it.
    styles = zip(
        ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"),
        "osD^vP",
        strict=True,
    )
    series = {
        f"{NETWORK}, depth {depth}": rows
        for depth, rows in table[table["model"] == NETWORK].groupby("depth")
    }
    series |= {name: table[table["model"] == name] for name in (LINEAR, TREE)}
    for (name, rows), (color, marker) in zip(series.items(), styles, strict=False):
        upper = rows["high"].fillna(rows["labels"])
        axes.errorbar(
            rows["parameters"],
            rows["labels"],
            yerr=[rows["labels"] - rows["low"], upper - rows["labels"]],
            color=color,
            marker=marker,
            linestyle="-" if name.startswith(NETWORK) else "none",
            capsize=2,
            label=name,
        )
        unbounded = rows[rows["at_least"].astype(bool)]
        axes.plot(
            unbounded["parameters"],
            1.15 * unbounded["labels"],
            color=color,
            marker=r"$\uparrow$",
            markersize=9,
            linestyle="none",
        )
    ends = np.array([table["parameters"].min(), table["parameters"].max()])
    for ratio, line in ((2, "--"), (1, ":")):
        axes.plot(
            ends,
            ratio * ends,
            color="0.4",
            linewidth=1,
            linestyle=line,
            label=f"{ratio} label{'s' if ratio > 1 else ''} per parameter"
            + (" (Cover)" if ratio == 2 and table["cover"].notna().any() else ""),
        )
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="parameters (tree: nodes)",
        ylabel=f"capacity (labels of {table['n_classes'].iloc[0]} classes)",
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
    axes.legend(fontsize=8, frameon=False)
    axes.set_title(title, fontsize=10)
    return figure


def make_own_parser() -> argparse.ArgumentParser:
    """Make the parser; options of other scripts have the same meaning here."""
    parser = make_parser(
        __doc__, ("dataset", "data-home", "max-samples", "device", "plot")
    )
    parser.set_defaults(max_samples=4096)
    add_output(parser)
    add_repeats(
        parser,
        "sequences of rows and labels; 6 are the fewest for an interval of 95 %%",
    )
    parser.add_argument(
        "--n-jobs",
        type=job_count,
        default=1,
        help="processes that share the repeats; -1: one per core",
    )
    parser.add_argument(
        "--gaussian",
        type=positive_int,
        metavar="COLUMNS",
        help="Gaussian inputs with so many columns, in place of the data set",
    )
    parser.add_argument(
        "--components",
        type=seed_value,
        default=64,
        metavar="N",
        help="real inputs with more columns are reduced to so many principal "
        "components, so that small networks are measured with few rows; 0: never",
    )
    parser.add_argument(
        "--classes", type=several, default=2, help="classes of the random labels"
    )
    parser.add_argument(
        "--widths",
        type=positive_int,
        nargs="+",
        default=[2, 4, 8],
        help="units of a hidden layer",
    )
    parser.add_argument(
        "--depths",
        type=positive_int,
        nargs="+",
        default=[1, 2],
        help="hidden layers",
    )
    parser.add_argument(
        "--max-epochs",
        type=positive_int,
        default=300,
        help="epochs after which a network that has not fitted the labels gives up",
    )
    parser.add_argument(
        "--rtol",
        type=fraction_below_1,
        default=0.1,
        help="the search ends when the capacity of a network is known to this part of "
        "itself",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    parser = make_own_parser()
    args = parser.parse_args(argv)
    if args.max_samples < _MIN_SAMPLES:
        parser.error(f"argument --max-samples: must be at least {_MIN_SAMPLES}")
    if args.gaussian is None:
        data = reduce(load_data(args), args.components)
    else:
        data = _no_data(args.gaussian)
    table = run(args, data)
    title = (
        f"Capacity for random labels: {data.title}, at most {_size_of(args, data)} "
        f"rows, {args.classes} classes, {args.repeats} repeats, at most "
        f"{args.max_epochs} epochs"
    )
    report(
        args,
        title,
        table,
        judge(table),
        format_rows(table),
        lambda: draw(table, f"Capacity for random labels: {data.name}"),
    )


def _no_data(n_columns: int) -> Data:
    """Name the Gaussian inputs, which are drawn where they are needed."""
    rows, labels = np.empty((0, n_columns)), np.empty(0)
    title = f"Gaussian inputs with {n_columns} columns"
    return Data("gaussian", title, rows, labels, rows, labels)


if __name__ == "__main__":
    run_script(main)
