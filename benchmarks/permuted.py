"""Fit true and permuted labels perfectly, and test on clean labels.

Claim (Zhang et al. 2017, arXiv:1611.03530, section 2): a network that
generalizes well fits labels that have nothing to do with the inputs just as
perfectly, and its accuracy on new data is then that of guessing.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import pandas as pd
from _arguments import make_parser
from _common import (
    Data,
    load_data,
    make_estimator,
    network_of,
    run_folds,
    run_holdout,
)
from _tables import report, summarize
from scipy.stats import binomtest

from sk_memorize import FittingCurveDisplay

# Zero training error, as the exercise defines it: 99.99 %.
ZERO_ERROR = 0.9999

# Where the test calls an accuracy distinguishable from chance.
SIGNIFICANCE = 0.01

_COLUMNS = ["dataset", "labels", "protocol"]


def run(
    args: argparse.Namespace, data: Data
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Run all fits.

    Returns
    -------
    table : pandas.DataFrame
        One row for each kind of labels and each protocol.
    histories : dict of pandas.DataFrame
        Epoch by epoch, the holdout fits of the first seed, by kind of labels.
    """
    records: list[dict[str, Any]] = []
    histories: dict[str, pd.DataFrame] = {}
    for labels in ("true", "permuted"):
        for seed in args.seed:
            estimator = make_estimator(labels, seed, device=args.device)
            records.append(run_holdout(estimator, data, labels, seed))
            histories.setdefault(labels, network_of(estimator).history_)
        if args.folds:
            seed = args.seed[0]
            estimator = make_estimator(labels, seed, device=args.device)
            records += run_folds(
                estimator, data, labels, seed, folds=args.folds, n_jobs=args.n_jobs
            )
    return summarize(records, _COLUMNS), histories


def judge(table: pd.DataFrame) -> str:
    """Say what the numbers of the holdout fits show."""
    rows = table[table["protocol"] == "holdout"].set_index("labels")
    lines = []
    for labels, row in rows.iterrows():
        reached = row["train_accuracy"] >= ZERO_ERROR
        lines.append(
            f"- {labels} labels: zero training error (at least {ZERO_ERROR:.2%}) is "
            f"{'' if reached else 'NOT '}reached: {row['train_accuracy']:.5f} of "
            f"{row['n_train']} labels fitted, mean loss {row['train_loss']:.4f} nats."
        )

    permuted, true = rows.loc["permuted"], rows.loc["true"]
    chance = permuted["chance_accuracy"]
    n_right, n_tests = _pooled_counts(permuted)
    test = binomtest(n_right, n_tests, chance)
    interval = test.proportion_ci(0.95, method="exact")
    differs = test.pvalue < SIGNIFICANCE
    lines.append(
        f"- permuted labels, clean test set: {n_right} of {n_tests} right, "
        f"{n_right / n_tests:.4f} [95 % interval {interval.low:.4f}, "
        f"{interval.high:.4f}]; chance is {chance:.4f}; exact binomial test "
        f"p = {test.pvalue:.3g}: {'' if differs else 'NOT '}distinguishable from "
        f"chance at the level {SIGNIFICANCE}."
    )

    fitted = (rows["train_accuracy"] >= ZERO_ERROR).all()
    gap = true["test_accuracy"] - permuted["test_accuracy"]
    if not fitted:
        conclusion = (
            "Not all labels were fitted, so nothing follows about memorization."
        )
    elif differs:
        conclusion = (
            "Both kinds of labels are fitted, yet the network trained on permuted "
            "labels does not behave like a guess. A permutation leaves nothing to "
            "learn, so look for a chance result (try other seeds) or for a leak."
        )
    else:
        conclusion = (
            "The same network, trained by the same rules, fits labels without any "
            "relation to the inputs as perfectly as the true ones, and then knows "
            f"nothing about new data, while with true labels it is {100 * gap:.1f} "
            "percentage points better. So zero training error is no evidence of "
            "learning, and the size of this network does not explain why it "
            "generalizes: the labels make the difference."
        )
    return "\n".join([*lines, f"- {conclusion}"])


def _pooled_counts(row: pd.Series) -> tuple[int, int]:
    # With several seeds the tests are pooled. Each accuracy is a count over the
    # same rows, so the mean times their number is a whole number again.
    n_tests = int(row["n_test"] * row["n_fits"])
    return round(row["test_accuracy"] * n_tests), n_tests


def draw(histories: dict[str, pd.DataFrame], table: pd.DataFrame, title: str) -> Any:
    """Draw the learning curves of both kinds of labels."""
    rows = table[table["protocol"] == "holdout"].set_index("labels")
    display = FittingCurveDisplay.from_results(
        {f"{labels} labels": history for labels, history in histories.items()},
        test_accuracies={
            f"{labels} labels": float(accuracy)
            for labels, accuracy in rows["test_accuracy"].items()
        },
        chance_accuracy=float(rows["chance_accuracy"].iloc[0]),
    )
    display.figure_.suptitle(title, fontsize=9)
    return display.figure_


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    args = make_parser(__doc__).parse_args(argv)
    data = load_data(args, args.folds)
    table, histories = run(args, data)
    report(
        args,
        f"True and permuted labels: {data.title}",
        table,
        judge(table),
        lambda: draw(histories, table, f"MemorizingMLP on {data.name}"),
    )


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted: no table is written")
