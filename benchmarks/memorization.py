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
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _tools.arguments import add_own, add_repeats, make_parser, positive_int
from _tools.claims import NOISE, Claim, difference, exceeds, negate, tell_test
from _tools.common import Data, load_data, run_script, say
from _tools.tables import report
from joblib import Parallel, delayed
from sklearn.metrics import accuracy_score

from sk_memorize import (
    InfluenceDisplay,
    MemorizationDisplay,
    MemorizationScores,
    MemorizingMLP,
    memorization_scores,
)

SHARES = (0.02, 0.05, 0.1, 0.2, 0.4)

# Correlation of two runs that is claimed.
AGREEMENT = 0.95


def make_network(device: str, seed: int | None = None) -> MemorizingMLP:
    """Make a network that is trained for a short time."""
    return MemorizingMLP(
        hidden_layer_sizes=(384, 384),
        whitening_shrinkage=None,
        max_epochs=8,
        target_accuracy=None,
        device=device,
        random_state=seed,
    )


def score_twice(
    args: argparse.Namespace, data: Data
) -> tuple[list[dict[str, Any]], list[MemorizationScores]]:
    """Score all rows in two runs with other seeds, with more and more networks.

    Returns
    -------
    records : list of dict
        How far the runs agree, for each number of networks.
    scores : list of MemorizationScores
        Those of the two runs with all networks.
    """
    records, network = [], make_network(args.device)
    numbers = [2**i for i in range(1, 12) if 2**i < args.n_fits] + [args.n_fits]
    with tempfile.TemporaryDirectory() as folder:
        for n_fits in numbers:
            say(f"two runs of {n_fits} networks")
            scores = [
                memorization_scores(
                    network,
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
                for run in range(2)
            ]
            agreement = {
                name: correlate(*(getattr(run, name) for run in scores))
                for name in (
                    *("heldout_probability", "heldout_accuracy"),
                    *("memorization", "cumulative_loss"),
                )
            }
            records.append({"what": "agreement", "networks": n_fits, **agreement})
    return records, scores


def correlate(first: np.ndarray, second: np.ndarray) -> float:
    """Compute Pearson's correlation."""
    return float(np.corrcoef(first, second)[0, 1])


def remove(
    args: argparse.Namespace, data: Data, memorization: np.ndarray
) -> list[dict[str, Any]]:
    """Remove the most memorized rows, or as many at random, and test what is left."""
    order = np.argsort(-memorization, kind="stable")
    records = []
    for share in (0.0, *SHARES):
        for kind in ("most memorized", "random") if share else ("none",):
            say(f"{args.repeats} networks without {share:.0%} of the rows: {kind}")
            accuracies = Parallel(args.n_jobs)(
                delayed(_test_without)(data, order, share, kind, args.device, seed)
                for seed in range(args.seed, args.seed + args.repeats)
            )
            records.append(
                {
                    "what": "removal",
                    "removed": kind,
                    "share": share,
                    "n_test": len(data.y_test),
                    "test_accuracy": np.mean(accuracies),
                    "test_accuracy_std": np.std(accuracies, ddof=1)
                    if args.repeats > 1
                    else np.nan,
                    "n_seeds": args.repeats,
                }
            )
    return records


def _test_without(
    data: Data, order: np.ndarray, share: float, kind: str, device: str, seed: int
) -> float:
    if kind == "random":
        order = np.random.default_rng(seed).permutation(order)
    kept = np.sort(order[round(share * len(order)) :])
    network = make_network(device, seed).fit(data.X_train[kept], data.y_train[kept])
    return float(accuracy_score(data.y_test, network.predict(data.X_test)))


def pair(found: MemorizationScores, again: MemorizationScores) -> dict[str, Any]:
    """Find influential pairs in one run, and measure them in the other.

    Which pairs are found depends on the noise of the run that finds them, so that only
    the other one tells how large their influence is.
    """
    pairs = found.influential_pairs()
    measured = np.empty(len(pairs))
    for row, tests in pairs.groupby("row")["test_row"]:
        measured[tests.index] = again.influence_of(row)[tests]
    # Pairs with the same training row or the same test row are not independent.
    n_independent = pairs[["row", "test_row"]].nunique().min()
    has_pairs = bool(n_independent)
    return {
        "what": "influence",
        "pairs": len(pairs),
        "influence": pairs["influence"].mean(),
        "again": measured.mean() if has_pairs else np.nan,
        "again_error": measured.std() / n_independent**0.5 if has_pairs else np.nan,
    }


def run(
    args: argparse.Namespace, data: Data
) -> tuple[pd.DataFrame, list[MemorizationScores]]:
    """Make all fits.

    Returns
    -------
    table : pandas.DataFrame
        A row for each number of networks, each removal, and the influential pairs.
    scores : list of MemorizationScores
        Those of the two runs.
    """
    agreement, scores = score_twice(args, data)
    removal = remove(args, data, np.mean([run.memorization for run in scores], axis=0))
    table = pd.DataFrame([*agreement, *removal, pair(*scores)])
    table.insert(0, "dataset", data.name)
    return table.assign(n_train=len(data.y_train), seed=args.seed), scores


def judge(table: pd.DataFrame) -> list[Claim]:
    """Judge the claims."""
    last = table[table["what"] == "agreement"].iloc[-1]
    probability, hits = last["heldout_probability"], last["heldout_accuracy"]
    removed = table[table["what"] == "removal"]
    removed = removed[removed["share"] == max(SHARES)].set_index("removed")
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
    parts = []
    for _, rows in table.groupby("what", sort=False):
        shown = rows.dropna(axis=1, how="all")
        shown = shown.drop(columns=["dataset", "what", "n_train", "seed"])
        shown = shown.rename(columns=lambda name: name.replace("_", " "))
        parts.append(shown.to_markdown(index=False, floatfmt=".4g"))
    return "\n\n".join(parts)


def draw(
    table: pd.DataFrame, data: Data, scores: list[MemorizationScores], title: str
) -> Any:
    """Draw agreement, removal, the most memorized rows, and influential pairs."""
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(2, 2, figsize=(10, 8), layout="constrained")
    _draw_agreement(panels[0, 0], table[table["what"] == "agreement"])
    _draw_removal(panels[0, 1], table[table["what"] == "removal"])
    shape = data_shape(data)
    MemorizationDisplay.from_results(
        scores[0], kind="images", X=data.X_train, image_shape=shape, ax=panels[1, 0]
    )
    panels[1, 0].set_title("most memorized", fontsize=9)
    pairs = scores[0].influential_pairs()
    if len(pairs):
        images = data.X_train, data.X_test, data.y_test
        InfluenceDisplay.from_results(
            scores[0],
            *images,
            image_shape=shape,
            pairs=pairs,
            n_test_rows=4,
            ax=panels[1, 1],
        )
    panels[1, 1].set_title("test rows, and memorized ones they owe to", fontsize=9)
    figure.suptitle(title, fontsize=10)
    return figure


def _draw_agreement(panel: Any, rows: pd.DataFrame) -> None:
    for name, marker in (
        ("heldout_probability", "o-"),
        ("heldout_accuracy", "s--"),
        ("memorization", "^-."),
        ("cumulative_loss", "D:"),
    ):
        label = name.replace("_", " ").replace("heldout", "held-out")
        panel.plot(rows["networks"], rows[name], marker, label=label, markersize=4)
    panel.set_xscale("log", base=2)
    panel.set_xticks(rows["networks"], [f"{n:.0f}" for n in rows["networks"]])
    panel.set(xlabel="networks of each run", ylabel="correlation of two runs")
    panel.legend(fontsize=8)


def _draw_removal(panel: Any, rows: pd.DataFrame) -> None:
    whole = rows[rows["removed"] == "none"]
    for kind, marker in (("random", "o-"), ("most memorized", "s--")):
        line = pd.concat([whole, rows[rows["removed"] == kind]])
        panel.errorbar(
            line["share"],
            line["test_accuracy"],
            line["test_accuracy_std"],
            fmt=marker,
            label=kind,
            markersize=4,
            capsize=2,
        )
    panel.set(xlabel="share of the rows removed", ylabel="test accuracy")
    panel.legend(fontsize=8)


def data_shape(data: Data) -> tuple[int, ...]:
    """Find the shape of an image: a square."""
    side = round(np.sqrt(data.X_train.shape[1] / data.n_channels))
    return (side, side) if data.n_channels == 1 else (side, side, data.n_channels)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    options = "dataset", "data-home", "device", "max-samples", "output", "plot"
    parser = make_parser(__doc__, (*options, "n-jobs"))
    add_repeats(parser, "networks for each share of rows removed")
    add_own(parser, {"n-fits": (32, positive_int, "networks of each run, even")})
    args = parser.parse_args(argv)
    if args.n_fits % 2:
        parser.error(f"argument --n-fits: must be even, got {args.n_fits}")
    data = load_data(args)
    table, scores = run(args, data)
    title = f"Memorization of {len(data.y_train)} rows: {data.title}"
    report(
        args,
        title,
        table,
        judge(table),
        format_parts(table),
        draw=lambda: draw(table, data, scores, title),
    )


if __name__ == "__main__":
    run_script(main)
