"""Which pairs of classes a hyperplane separates, and whether that could be chance.

A single linear unit fits the labels of two classes if, and only if, a hyperplane
separates their rows. Cover's theorem (1965) tells how likely that is for labels thrown
by a coin: certain for up to as many rows as dimensions, 1/2 for twice as many, and
next to impossible beyond. So a pair that is separable in spite of its many rows has
labels that have to do with the rows.

For each pair of classes the table tells whether it is separable with its true labels
and with the same labels permuted; each answer comes with a proof, which is checked. The
margin is the smallest distance of a row from the hyperplane, and no hyperplane has a
larger one than the bound. The rank is that of the rows with a constant column, and
log10 P the logarithm of Cover's probability for as many rows of this rank.
"""

import argparse
import time
from collections.abc import Sequence
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from _tools.arguments import add_seed, make_parser
from _tools.claims import Claim
from _tools.common import Data, load_data, run_script, warm_up
from _tools.pictures import draw_pairs
from _tools.progress import run_parallel
from _tools.tables import report
from joblib import delayed

from sk_memorize import LabelPermuter, separability_test

# Where a chance is small enough for separability to tell something.
SIGNIFICANCE = 0.01


def run(args: argparse.Namespace, data: Data) -> pd.DataFrame:
    """Test all pairs of classes; one row for each."""
    pairs = combinations(np.unique(data.y_train).tolist(), 2)
    jobs = [delayed(measure)(data, pair, args.seed) for pair in pairs]
    return pd.DataFrame(run_parallel(args.n_jobs, jobs, "pair"))


def measure(data: Data, pair: tuple[Any, Any], seed: int) -> dict[str, Any]:
    """Test a pair of classes, with true and with permuted labels."""
    warm_up(_test_few_rows)
    rows = np.isin(data.y_train, pair)
    X, y = data.X_train[rows], data.y_train[rows]
    record: dict[str, Any] = {
        "dataset": data.name,
        "classes": f"{pair[0]}, {pair[1]}",
        "n_train": len(y),
    }
    permuted = LabelPermuter(random_state=seed).fit(y).transform(y)
    for prefix, labels in (("", y), ("permuted_", permuted)):
        start = time.perf_counter()
        result = separability_test(X, labels)
        seconds = time.perf_counter() - start
        record |= {"rank": result.rank, "log10_p": round(result.log10_p, 2)}
        record |= {
            f"{prefix}verdict": result.verdict,
            f"{prefix}margin": _round(result.margin),
            **({} if prefix else {"margin_bound": _round(result.margin_bound)}),
            f"{prefix}proof_holds": result.check(X, labels),
            f"{prefix}seconds": _round(seconds, 3),
        }
    return {**record, "seed": seed}


def _test_few_rows(X: np.ndarray, y: np.ndarray) -> None:
    """Test rows that are separable, and rows that are not."""
    for columns in (50, 5):
        separability_test(X[:50, :columns], y[:50] % 2)


def _round(value: float, digits: int = 4) -> float:
    return float(f"{value:.{digits}g}")


def judge(table: pd.DataFrame) -> list[Claim]:
    """Judge what the table shows."""
    separable = table[table["verdict"] == "separable"]
    n_telling = int((separable["log10_p"] < np.log10(SIGNIFICANCE)).sum())
    likely = table.loc[table["log10_p"].idxmax()]
    return [
        Claim(
            "a hyperplane separates each pair with true labels",
            _all_are(table["verdict"], "separable"),
            _tell(table, ""),
        ),
        Claim(
            "a hyperplane separates no pair with permuted labels",
            _all_are(table["permuted_verdict"], "not separable"),
            _tell(table, "permuted_"),
        ),
        Claim(
            f"that pairs are separable is no chance (below {SIGNIFICANCE}), so the "
            "labels, not the number of dimensions, make them so",
            None if separable.empty else n_telling == len(separable),
            f"{n_telling} of {len(separable)} separable pairs; labels thrown by a coin "
            f"are separable with a probability of at most 10^{likely['log10_p']:.1f} "
            f"(classes {likely['classes']}: {likely['n_train']} rows of rank "
            f"{likely['rank']})",
        ),
    ]


def _all_are(verdicts: pd.Series, verdict: str) -> bool | None:
    known = verdicts[verdicts != "undecided"]
    return bool((known == verdict).all()) if len(known) == len(verdicts) else None


def _tell(table: pd.DataFrame, prefix: str) -> str:
    verdicts = table[f"{prefix}verdict"]
    counts = [
        f"{(verdicts == verdict).sum()} {verdict}"
        for verdict in ("separable", "not separable", "undecided")
    ]
    return (
        f"of {len(table)} pairs {', '.join(counts)}; "
        f"{table[f'{prefix}proof_holds'].sum()} proofs, checked; "
        f"{table[f'{prefix}seconds'].sum():.1f} s"
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    parser = make_parser(__doc__, "plot n-jobs")
    add_seed(parser, "seed of the permutations")
    args = parser.parse_args(argv)
    data = load_data(args)
    table = run(args, data)
    title = f"Linear separability of pairs: {data.title}"
    draw = partial(draw_pairs, table, f"Margins of pairs of classes: {data.title}")
    report(args, title, table, judge(table), draw=draw)


if __name__ == "__main__":
    run_script(main)
