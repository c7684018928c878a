"""Finders of wrong labels: which one puts them first.

A part of the labels is made wrong: any other class at random, the most similar class,
or rows near the boundary between classes. `find_mislabeled` and its rivals rank all
rows: cleanlab (its default and three models of scikit-learn), a random forest out of
bag, nearest neighbors and logistic regression in cross-validation, and the loss summed
over a training. Four claims: its average precision is the highest on average, and
0.01 above that of a forest out of bag; on no data set is it more than 0.03 below the
best; and at 10 and 20 % the number of wrong labels is estimated within a factor of 1.5,
and the probabilities are off by at most 0.1, on the median data set.

The labels are taken to be right before that. Those of a CSV file may not be.
"""

import argparse
import time
from collections.abc import Sequence
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
from _tools.arguments import add_repeats, make_parser, number
from _tools.claims import Claim, both, exceeds
from _tools.common import run_script
from _tools.finders import OURS, Finder, find, make_finders
from _tools.label_errors import KINDS, judge_rows, load_tables, make_wrong
from _tools.pictures import draw_finders
from _tools.progress import track
from _tools.tables import report
from scipy.stats import wilcoxon
from sklearn.metrics import average_precision_score, roc_auc_score

RATES = (0.05, 0.1, 0.2, 0.4)
FOREST = "forest out of bag"

# By how much the average precision is claimed to be above a forest's, and how far it
# may be below the best on a data set.
LEAD, LAG = 0.01, 0.03
# Bounds of the number of wrong labels, as a factor, and of the calibration error.
FACTOR, CALIBRATION = 1.5, 0.1


def run(args: argparse.Namespace, finders: dict[str, Finder]) -> pd.DataFrame:
    """Let all finders look for all kinds of wrong labels in all data sets."""
    seeds = range(args.seed, args.seed + args.repeats)
    loaded = track(load_tables(args), "judges of {0[0]}".format, "table")
    tables = [(name, X, y, judge_rows(X, y)) for name, X, y in loaded]
    records = []
    for (name, X, y, judged), kind, rate, seed, finder in track(
        product(tables, KINDS, args.rates, seeds, finders),
        lambda turn: f"{turn[0][0]}, {turn[-1]}",
    ):
        y_wrong = make_wrong(y, kind, rate, judged, seed)
        start = time.perf_counter()
        found = find(finders[finder], X, y_wrong, seed)
        seconds = time.perf_counter() - start
        about = {"dataset": name, "n_rows": len(y), "kind": kind, "rate": rate}
        about |= {"seed": seed, "finder": finder, "seconds": seconds}
        records.append(about | measure(found, y_wrong != y))
    return pd.DataFrame(records)


def measure(found: pd.DataFrame, is_wrong: np.ndarray) -> dict[str, float]:
    """Compare what was found with what is wrong."""
    score, n_wrong = found["score"].to_numpy(), is_wrong.sum()
    worst = np.argsort(-score, kind="stable")[:n_wrong]
    record = {
        "average_precision": average_precision_score(is_wrong, score),
        "auroc": roc_auc_score(is_wrong, score),
        "precision": is_wrong[worst].mean(),
    }
    if "probability_wrong" in found:
        probability = found["probability_wrong"].to_numpy()
        record["calibration_error"] = calibration_error(probability, is_wrong)
        record["number_ratio"] = probability.sum() / n_wrong
    if "is_found" in found:
        record["number_ratio"] = found["is_found"].sum() / n_wrong
    return record


def calibration_error(probability: np.ndarray, is_wrong: np.ndarray) -> float:
    """Compute the expected calibration error, in ten bins of equal width."""
    bins = np.minimum((10 * probability).astype(int), 9)
    off = np.bincount(bins, weights=probability - is_wrong)
    return float(np.abs(off).sum() / len(bins))


def summarize(table: pd.DataFrame) -> pd.DataFrame:
    """Average over everything, with mean ranks and a Wilcoxon test beside ours."""
    keys = ["dataset", "kind", "rate", "seed"]
    wide = table.pivot_table("average_precision", keys, "finder", sort=False)
    means = table.groupby("finder", sort=False)[
        ["average_precision", "auroc", "precision", "seconds"]
    ].mean()
    means.insert(1, "mean_rank", wide.rank(axis=1, ascending=False).mean())
    means["wins_of_ours"] = [
        f"{(wide[OURS] > wide[name]).sum()} of {len(wide)}" for name in means.index
    ]
    means["wilcoxon_p"] = [
        np.nan if name == OURS else wilcoxon(wide[OURS] - wide[name]).pvalue
        for name in means.index
    ]
    return means.reset_index()


def judge(table: pd.DataFrame) -> list[Claim]:
    """Judge the claims."""
    means = table.groupby("finder")["average_precision"].mean()
    rivals = means.drop(OURS)
    by_table = table.pivot_table("average_precision", "dataset", "finder")
    behind = by_table.drop(columns=OURS).max(axis=1) - by_table[OURS]
    ours = table[(table["finder"] == OURS) & table["rate"].between(0.1, 0.2)]
    medians = ours.groupby("dataset").median(numeric_only=True)
    off = np.exp(np.abs(np.log(medians["number_ratio"]))).median()
    error = medians["calibration_error"].median()
    return [
        Claim(
            "the average precision is above that of every rival, on average",
            exceeds(means[OURS], rivals.max()),
            f"{means[OURS]:.3f}, the best rival ({rivals.idxmax()}) {rivals.max():.3f}",
        ),
        Claim(
            f"it is at least {LEAD} above a forest out of bag",
            exceeds(means[OURS] - means[FOREST], LEAD),
            f"{means[OURS]:.3f} and {means[FOREST]:.3f}",
        ),
        Claim(
            f"on no data set it is more than {LAG} below the best",
            exceeds(LAG, behind.max()),
            f"the best less ours is at most {behind.max():.3f}, on {behind.idxmax()}",
        ),
        Claim(
            f"at 10 and 20 % the number of wrong labels is within a factor of {FACTOR} "
            f"and the calibration error at most {CALIBRATION}, on the median data set",
            both(exceeds(FACTOR, off), exceeds(CALIBRATION, error)),
            f"factor {off:.2f}, error {error:.3f}",
        ),
    ]


def format_parts(table: pd.DataFrame) -> str:
    """Format the means, and where ours loses."""
    keys = ["dataset", "kind", "rate"]
    wide = table.pivot_table("average_precision", keys, "finder", sort=False)
    ours, rivals = wide[OURS], wide.drop(columns=OURS)
    lost = pd.DataFrame(
        {"ours": ours, "best": rivals.max(axis=1), "by": rivals.idxmax(axis=1)}
    )[rivals.max(axis=1) > ours].reset_index()
    shown = summarize(table).to_markdown(index=False, floatfmt=".3g")
    where = lost.to_markdown(index=False, floatfmt=".3f")
    return f"{shown}\n\nWhere ours loses:\n\n{where}"


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    rate = number(float, lambda value: 0 < value < 1, "between 0 and 1")
    own = {
        "csv": (None, str, "a table instead of the data"),
        "target": (None, str, "its column of labels"),
        "rates": (list(RATES), rate, "parts of the labels that are made wrong"),
    }
    parser = make_parser(__doc__, "plot n-jobs", own, dataset="mnist")
    add_repeats(parser, "wrong labels drawn for each kind and rate")
    args = parser.parse_args(argv)
    if (args.csv is None) != (args.target is None):
        parser.error("argument --csv: must be given with --target")
    finders = make_finders(args.n_jobs)
    table = run(args, finders)
    title = f"Wrong labels found: {', '.join(pd.unique(table['dataset']))}"
    draw = partial(draw_finders, table, OURS, title)
    report(args, title, table, judge(table), format_parts(table), draw)


if __name__ == "__main__":
    run_script(main)
