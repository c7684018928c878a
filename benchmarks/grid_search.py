"""How large must the network be? Grid search over width and depth.

For true and for permuted labels, each cell of the grid is fitted to the training
folds and tested on the clean test folds. The claim: networks large enough to fit
permuted labels are no worse on true ones.
"""

import argparse
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from _arguments import make_parser, positive_int
from _common import (
    Data,
    load_data,
    make_estimator,
    say,
)
from _tables import report
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from sk_memorize import BatchNormMLP, memorization_scoring


def count_parameters(data: Data, width: int, depth: int) -> int:
    """Count the trainable numbers of a network."""
    module = BatchNormMLP(
        data.X_train.shape[1], len(np.unique(data.y_train)), (width,) * depth
    )
    return sum(parameter.numel() for parameter in module.parameters())


def search(args: argparse.Namespace, data: Data, labels: str) -> pd.DataFrame:
    """Run the grid search on one kind of labels.

    Returns
    -------
    cells : pandas.DataFrame
        One row for each width and depth.
    """
    seed = args.seed[0]
    estimator = make_estimator(
        labels, seed, device=args.device, max_epochs=args.max_epochs
    )
    prefix = "" if labels == "true" else "estimator__"
    say(f"{labels} labels, grid search")
    grid = GridSearchCV(
        estimator,
        {f"{prefix}width": args.widths, f"{prefix}depth": args.depths},
        scoring=memorization_scoring(),
        cv=StratifiedKFold(args.folds, shuffle=True, random_state=seed),
        n_jobs=args.n_jobs,
        refit=False,
        return_train_score=True,
        error_score="raise",
    )
    with warnings.catch_warnings():
        # Cells that are too small to fit the labels are what is looked for, and
        # rows that were not fitted have no fitted labels.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "One or more of the test scores")
        results = grid.fit(data.X_train, data.y_train).cv_results_
    n_train = len(data.y_train) * (args.folds - 1) // args.folds
    cells = pd.DataFrame(
        {
            "dataset": data.name,
            "labels": labels,
            "width": np.asarray(results[f"param_{prefix}width"], dtype=int),
            "depth": np.asarray(results[f"param_{prefix}depth"], dtype=int),
            "n_train": n_train,
        }
    )
    cells["parameters"] = [
        count_parameters(data, width, depth)
        for width, depth in zip(cells["width"], cells["depth"], strict=True)
    ]
    sources = {
        "train_accuracy": "train_fitted_accuracy",
        "train_accuracy_true": "train_accuracy",
        "test_accuracy": "test_accuracy",
    }
    for name, source in sources.items():
        cells[name] = results[f"mean_{source}"]
        cells[f"{name}_std"] = results[f"std_{source}"]
    cells["fit_seconds"] = results["mean_fit_time"]
    cells["fit_seconds_std"] = results["std_fit_time"]
    cells["seed"] = seed
    return cells


def judge(table: pd.DataFrame) -> str:
    """Say which is the smallest network that fits each kind of labels."""
    lines = []
    for labels, cells in table.groupby("labels", sort=False):
        fitted = cells[cells["train_accuracy"] >= 0.9999].sort_values("parameters")
        best = cells.loc[cells["test_accuracy"].idxmax()]
        smallest = (
            "no network of the grid fits 99.99 % of the labels"
            if fitted.empty
            else "the smallest network that fits 99.99 % of the labels has width "
            f"{fitted.iloc[0]['width']}, depth {fitted.iloc[0]['depth']}, "
            f"{fitted.iloc[0]['parameters']} parameters, "
            f"{fitted.iloc[0]['parameters'] / fitted.iloc[0]['n_train']:.1f} per label"
        )
        lines.append(
            f"- {labels} labels: {smallest}; the best test accuracy, "
            f"{best['test_accuracy']:.4f}, has width {best['width']}, depth "
            f"{best['depth']}."
        )
    return "\n".join(lines)


def draw(table: pd.DataFrame, title: str) -> Any:
    """Draw heat maps of the train and test accuracies over width and depth."""
    from matplotlib.figure import Figure

    kinds = list(dict.fromkeys(table["labels"]))
    measures = {
        "train_accuracy": "train accuracy (fitted labels)",
        "test_accuracy": "test accuracy (true labels)",
    }
    figure = Figure(figsize=(8, 2.6 * len(kinds) + 0.4), layout="constrained")
    grid = figure.subplots(len(kinds), len(measures), squeeze=False)
    for labels, row in zip(kinds, grid, strict=True):
        cells = table[table["labels"] == labels]
        for (measure, heading), axes in zip(measures.items(), row, strict=True):
            values = cells.pivot_table(index="depth", columns="width", values=measure)
            image = axes.imshow(values, cmap="cividis", vmin=0, vmax=1, aspect="auto")
            for i, j in np.ndindex(values.shape):
                value = values.iloc[i, j]
                axes.text(
                    j,
                    i,
                    f"{value:.4f}",
                    ha="center",
                    va="center",
                    fontsize=8,
                    color="black" if value > 0.5 else "white",
                )
            axes.set(
                title=f"{labels} labels: {heading}",
                xlabel="width (units)",
                ylabel="depth (hidden layers)",
                xticks=range(len(values.columns)),
                yticks=range(len(values.index)),
                xticklabels=values.columns,
                yticklabels=values.index,
            )
            axes.title.set_fontsize(9)
    figure.colorbar(image, ax=grid, label="accuracy")
    figure.suptitle(title, fontsize=10)
    return figure


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    parser = make_parser(__doc__)
    parser.set_defaults(max_samples=10_000)
    parser.add_argument(
        "--widths",
        type=positive_int,
        nargs="+",
        default=[8, 32, 128, 512],
        help="units of a hidden layer",
    )
    parser.add_argument(
        "--depths",
        type=positive_int,
        nargs="+",
        default=[1, 2, 3],
        help="hidden layers",
    )
    parser.add_argument(
        "--max-epochs",
        type=positive_int,
        default=100,
        help="epochs after which a network that has not fitted the labels gives up",
    )
    args = parser.parse_args(argv)
    if not args.folds:
        parser.error("argument --folds: a grid search needs at least 2")
    if len(args.seed) > 1:
        parser.error("argument --seed: a grid search takes one seed")
    data = load_data(args, args.folds)
    table = pd.concat(
        [search(args, data, labels) for labels in ("true", "permuted")],
        ignore_index=True,
    )
    report(
        args,
        f"Width and depth: {data.title}",
        table,
        judge(table),
        lambda: draw(table, f"MemorizingMLP on {data.name}"),
    )


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted: no table is written")
