"""Which digits are only memorized, how sure that is, and whether it matters.

Networks are fitted to halves of the training rows, and each row is scored by those that
were trained on it and by those that were not (Feldman, 2020). Four claims: two runs
that share nothing but the rows agree, the better the more networks, and probabilities
agree better than hits; the most memorized rows help on new rows, as removing them costs
more test accuracy than removing as many at random (Feldman and Zhang, 2020, figure 2);
and test rows that owe their label to a memorized row of their class according to one
run owe it to the same row according to the other.

The networks are trained for 8 epochs without whitening. They differ from those of the
papers: hundreds of networks on 70 % of the rows are replaced by some dozens on halves.
"""

import argparse
import tempfile
from collections.abc import Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _tools.arguments import add_repeats, make_parser, number
from _tools.claims import NOISE, Claim, difference, exceeds, negate, tell_test
from _tools.common import Data, load_data, run_script
from _tools.pictures import MEASURES, draw_memorization
from _tools.progress import run_parallel, track
from _tools.sweep import mean_and_spread
from _tools.tables import report
from joblib import delayed

from sk_memorize import MemorizationScores, MemorizingMLP, memorization_scores

NETWORK: dict[str, Any] = {
    "hidden_layer_sizes": (384, 384),
    "whitening_shrinkage": None,
    "max_epochs": 8,
    "target_accuracy": None,
}
SHARES = (0.02, 0.05, 0.1, 0.2, 0.4)
AGREEMENT = 0.95  # correlation of two runs that is claimed


def score_twice(
    args: argparse.Namespace, data: Data
) -> tuple[pd.DataFrame, list[MemorizationScores]]:
    """Score all rows by more and more networks, twice; give correlations, scores."""
    scores = []
    numbers = [2**i for i in range(1, 12) if 2**i < args.n_fits] + [args.n_fits]
    turns = track(product(numbers, (0, 1)), "{0[0]} networks".format, "run")
    with tempfile.TemporaryDirectory() as folder:
        for n_fits, run in turns:
            found = memorization_scores(
                MemorizingMLP(**NETWORK, device=args.device),
                data.X_train,
                data.y_train,
                X_test=data.X_test,
                y_test=data.y_test,
                n_fits=n_fits,
                random_state=args.seed + run,
                n_jobs=args.n_jobs,
                # The networks of the number before are not fitted again.
                checkpoint=Path(folder) / f"run-{run}",
            )
            scores.append(found)
    agreement = pd.DataFrame({"what": "agreement", "networks": numbers})
    for name in MEASURES:
        values = [getattr(run, name) for run in scores]
        pairs = zip(values[::2], values[1::2], strict=True)
        agreement[name] = [np.corrcoef(*pair)[0, 1] for pair in pairs]
    return agreement, scores[-2:]


def remove(
    args: argparse.Namespace, data: Data, memorization: np.ndarray
) -> pd.DataFrame:
    """Remove the most memorized rows, or as many at random, and test what is left."""
    order = np.argsort(-memorization, kind="stable")
    removals = [(0.0, "none"), *product(SHARES, ("most memorized", "random"))]
    seeds = range(args.seed, args.seed + args.repeats)
    turns = [(*removal, seed) for removal in removals for seed in seeds]
    jobs = [delayed(_test_without)(data, order, args.device, *turn) for turn in turns]
    fits = pd.DataFrame(turns, columns=["share", "removed", "seed"])
    fits["test_accuracy"] = run_parallel(args.n_jobs, jobs)
    table = mean_and_spread(fits, ["share", "removed"], ["test_accuracy"])
    return table.assign(what="removal", n_test=len(data.y_test))


def _test_without(
    data: Data, order: np.ndarray, device: str, share: float, removed: str, seed: int
) -> float:
    if removed == "random":
        order = np.random.default_rng(seed).permutation(order)
    kept = np.sort(order[round(share * len(order)) :])
    network = MemorizingMLP(**NETWORK, device=device, random_state=seed)
    network.fit(data.X_train[kept], data.y_train[kept])
    return float(network.score(data.X_test, data.y_test))


def pair(found: MemorizationScores, again: MemorizationScores) -> pd.DataFrame:
    """Find influential pairs in one run, and measure them in the other.

    Which pairs are found depends on the noise of the run that finds them, so that only
    the other one tells how large their influence is.
    """
    pairs = found.influential_pairs()
    measured = pd.Series(np.nan, index=pairs.index)
    for row, tests in pairs.groupby("row")["test_row"]:
        measured[tests.index] = again.influence_of(row)[tests]
    # Pairs with the same training row or the same test row are not independent.
    n_independent = pairs[["row", "test_row"]].nunique().min()
    found_again = {
        "what": "influence",
        "pairs": len(pairs),
        "influence": pairs["influence"].mean(),
        "again": measured.mean(),
        "again_error": measured.std(ddof=0) / max(1, n_independent) ** 0.5,
    }
    return pd.DataFrame([found_again])


def run(
    args: argparse.Namespace, data: Data
) -> tuple[pd.DataFrame, list[MemorizationScores]]:
    """Make all fits; give a row for each part of the questions, and both runs."""
    agreement, scores = score_twice(args, data)
    removal = remove(args, data, np.mean([run.memorization for run in scores], axis=0))
    table = pd.concat([agreement, removal, pair(*scores)], ignore_index=True)
    table.insert(0, "dataset", data.name)
    return table.assign(n_train=len(data.y_train), seed=args.seed), scores


def judge(table: pd.DataFrame) -> list[Claim]:
    """Judge the claims."""
    last = table[table["what"] == "agreement"].iloc[-1]
    probability, hits = last["heldout_probability"], last["heldout_accuracy"]
    removed = table[table["share"] == max(SHARES)].set_index("removed")
    random, memorized = removed.loc["random"], removed.loc["most memorized"]
    cost, margin = difference(random, memorized)
    pairs = table[table["what"] == "influence"].iloc[0]
    return [
        Claim(
            f"two runs of {last['networks']:.0f} networks agree in the held-out "
            f"probability with a correlation of at least {AGREEMENT}",
            exceeds(probability, AGREEMENT),
            f"{probability:.3f}",
        ),
        Claim(
            "probabilities agree better than hits",
            negate(exceeds(hits, probability)),
            f"{probability:.3f} and {hits:.3f}",
        ),
        Claim(
            f"removing the {max(SHARES):.0%} most memorized rows costs more test "
            "accuracy than removing as many at random",
            exceeds(cost, 0, margin),
            f"{tell_test(memorized)}, and {tell_test(random)}",
        ),
        Claim(
            "what test rows owe to memorized rows of their class in one run, they owe "
            "to them in the other as well",
            exceeds(pairs["again"], 0, NOISE * pairs["again_error"]),
            f"{pairs['pairs']:.0f} pairs of a mean influence of "
            f"{pairs['influence']:.3f}, measured again {pairs['again']:.3f} ± "
            f"{pairs['again_error']:.3f}",
        ),
    ]


def format_parts(table: pd.DataFrame) -> str:
    """Format a table for each question."""
    table = table.drop(columns=["dataset", "n_train", "seed"])
    table.columns = table.columns.str.replace("_", " ")
    parts = (
        rows.drop(columns="what").dropna(axis=1, how="all")
        for _, rows in table.groupby("what", sort=False)
    )
    return "\n\n".join(part.to_markdown(index=False, floatfmt=".4g") for part in parts)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    even = number(int, lambda n: n > 0 and n % 2 == 0, "an even int of at least 2")
    own = {"n-fits": (32, even, "networks of each run")}
    parser = make_parser(__doc__, "device plot n-jobs", own)
    add_repeats(parser, "networks for each share of rows removed")
    args = parser.parse_args(argv)
    data = load_data(args)
    table, scores = run(args, data)
    title = f"Memorization of {len(data.y_train)} rows: {data.title}"
    draw = partial(draw_memorization, table, data, scores, title)
    report(args, title, table, judge(table), format_parts(table), draw)


if __name__ == "__main__":
    run_script(main)
