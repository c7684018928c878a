"""Fit labels in closed form, beside a trained network and the nearest neighbor.

Claims (Zhang et al. 2017, arXiv:1611.03530): a ReLU network of two layers with 2n + d
weights fits any labels of n rows with d columns, and is written down rather than
trained (Theorem 1); the Gaussian-kernel interpolant of least norm fits any labels, too,
and yet predicts well when they are true (section 5). So zero training error does not
tell what was learned.

Four classifiers are fitted to the true labels and to permuted ones, and tested on the
true labels of the test set. The time is that of the fit, in which the nearest neighbor
only stores the rows. The parameters are all numbers that are kept in order to predict,
the stored rows of the kernel and the nearest neighbor included.
"""

import argparse
import time
from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from _tools.arguments import add_seed, make_parser, positive_int
from _tools.claims import ZERO_ERROR, Claim, both, difference, exceeds, tell_test
from _tools.common import Data, fail, load_data, run_script, sample_rows, warm_up
from _tools.pictures import draw_methods
from _tools.progress import track
from _tools.tables import report
from sklearn.base import ClassifierMixin
from sklearn.neighbors import KNeighborsClassifier

from sk_memorize import (
    KernelInterpolator,
    LabelPermuter,
    MemorizingMLP,
    TwoLayerInterpolator,
)

# Their work grows with the square of the number of rows.
QUADRATIC = "KernelInterpolator", "1-nearest neighbor"


def make_classifiers(args: argparse.Namespace) -> dict[str, ClassifierMixin]:
    """Make an unfitted classifier of each kind, by the names in the table."""
    return {
        "TwoLayerInterpolator": TwoLayerInterpolator(random_state=args.seed),
        "KernelInterpolator": KernelInterpolator(),
        "MemorizingMLP": MemorizingMLP(random_state=args.seed, device=args.device),
        "1-nearest neighbor": KNeighborsClassifier(n_neighbors=1),
    }


def _fit_few_rows(X: np.ndarray, y: np.ndarray, method: str) -> None:
    """Fit a method to some rows."""
    args = argparse.Namespace(seed=0, device="cpu")
    make_classifiers(args)[method].fit(X[:200], y[:200])


def count_parameters(clf: Any) -> int:
    """Count the numbers that a fitted classifier keeps in order to predict."""
    if isinstance(clf, KNeighborsClassifier):
        return int(clf.n_samples_fit_ * (clf.n_features_in_ + 1))
    return int(clf.n_parameters_)


def choose_rows(args: argparse.Namespace, data: Data, method: str) -> np.ndarray:
    """Choose the training rows of a method: all, or a stratified sample."""
    n_rows = len(data.y_train)
    if method not in QUADRATIC or n_rows <= args.max_kernel_samples:
        return np.arange(n_rows)
    return sample_rows(data.y_train, args.max_kernel_samples)


def run(args: argparse.Namespace, data: Data) -> pd.DataFrame:
    """Fit each method to both kinds of labels; one row for each."""
    permuter = LabelPermuter(random_state=args.seed)
    permuted = permuter.fit(data.y_train).transform(data.y_train)
    labels = {"true": data.y_train, "permuted": permuted}
    fits = track(product(labels, make_classifiers(args)), " labels, ".join)
    return pd.DataFrame(
        measure(args, data, kind, labels[kind], method) for kind, method in fits
    )


def measure(
    args: argparse.Namespace, data: Data, labels: str, y: np.ndarray, method: str
) -> dict[str, Any]:
    """Fit one method, and measure it on both parts of the data."""
    rows = choose_rows(args, data, method)
    X, y = data.X_train[rows], y[rows]
    clf = make_classifiers(args)[method]
    try:
        warm_up(_fit_few_rows, method)
        start = time.perf_counter()
        clf.fit(X, y)
    except ValueError as error:  # a kernel matrix that does not fit into the memory
        fail(f"argument --max-kernel-samples: {error}")
    seconds = time.perf_counter() - start
    return {
        "dataset": data.name,
        "labels": labels,
        "method": method,
        "n_train": len(y),
        "n_test": len(data.y_test),
        "seconds_to_fit": float(f"{seconds:.3g}"),
        "train_accuracy": clf.score(X, y),
        "test_accuracy": clf.score(data.X_test, data.y_test),
        "chance_accuracy": data.chance_accuracy,
        "parameters": count_parameters(clf),
        "seed": args.seed,
    }


def judge(table: pd.DataFrame) -> list[Claim]:
    """Judge whether all labels are fitted, and what that tells."""
    claims = []
    for labels, rows in table.groupby("labels", sort=False):
        # Rows have one seed each; to be fitted or not is no matter of noise.
        missed = rows.loc[rows["train_accuracy"] < ZERO_ERROR, "method"]
        claims.append(
            Claim(
                f"each method fits {ZERO_ERROR:.2%} of {labels} labels",
                missed.empty,
                "; ".join(_describe(row) for _, row in rows.iterrows()),
            )
        )
    true = table[table["labels"] == "true"].set_index("method")
    best = true.loc[true["test_accuracy"].idxmax()]
    worst = true.loc[true["test_accuracy"].idxmin()]
    gap, margin = difference(best, worst)
    permuted = table[table["labels"] == "permuted"]["test_accuracy"]
    claims.append(
        Claim(
            "so zero training error does not tell what was learned: with true labels "
            "the methods differ in test accuracy",
            both(*(claim.holds for claim in claims), exceeds(gap, 0, margin)),
            f"{tell_test(worst)} ({worst.name}) to {tell_test(best)} ({best.name}); "
            f"from permuted labels {permuted.min():.4f} to {permuted.max():.4f}, "
            f"chance being {table['chance_accuracy'].iloc[0]:.4f}",
        )
    )
    return claims


def _describe(row: pd.Series) -> str:
    return (
        f"{row['method']} {row['train_accuracy']:.5f} of {row['n_train']} labels in "
        f"{row['seconds_to_fit']:g} s, test {row['test_accuracy']:.4f}"
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    words = (
        "fit the kernel and the nearest neighbor, whose work grows with the square of "
        "the rows, to a stratified sample of at most so many rows; for up to 10,000 "
        "rows the kernel takes 8 * N * N bytes, for more 4 * N * N, which is 13.4 GiB "
        "for all 60,000 rows of MNIST"
    )
    own = {"max-kernel-samples": (10_000, positive_int, words)}
    parser = make_parser(__doc__, "device plot", own)
    add_seed(parser, "seed of the permutation, of a direction and of initial weights")
    args = parser.parse_args(argv)
    data = load_data(args)
    if args.max_kernel_samples < (needed := 2 * len(np.unique(data.y_train))):
        fail(
            f"argument --max-kernel-samples: {args.max_kernel_samples} rows are too "
            f"few; at least {needed}."
        )
    table = run(args, data)
    title = f"Fitted in closed form and by training: {data.title}"
    report(args, title, table, judge(table), draw=partial(draw_methods, table, title))


if __name__ == "__main__":
    run_script(main)
