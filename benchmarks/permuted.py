"""Fit true and permuted labels perfectly, and test on clean labels.

Claim (Zhang et al. 2017, arXiv:1611.03530, section 2): a network that
generalizes well fits labels that have nothing to do with the inputs just as
perfectly, and its accuracy on new data is then that of guessing.
"""

import argparse
from collections.abc import Sequence
from functools import partial

import pandas as pd
from _tools import claims
from _tools.arguments import make_parser, page_file
from _tools.claims import ZERO_ERROR, Claim
from _tools.common import Data, load_data, make_estimator, run_protocols, run_script
from _tools.page import write_page
from _tools.pictures import draw_histories
from _tools.tables import format_table, report


def run(
    args: argparse.Namespace, data: Data
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Run all fits; give the table, and histories of the first seed by labels."""
    kinds = {
        labels: partial(make_estimator, labels, device=args.device)
        for labels in ("true", "permuted")
    }
    return run_protocols(args, data, "labels", kinds)


def judge(table: pd.DataFrame) -> list[Claim]:
    """Judge the holdout fits."""
    rows = table[table["protocol"] == "holdout"].set_index("labels")
    true, permuted = rows.loc["true"], rows.loc["permuted"]
    are_fitted = [
        Claim(
            f"{labels} labels are fitted to zero training error ({ZERO_ERROR:.2%})",
            claims.fitted(row),
            f"{claims.tell_fitted(row)}, mean loss {row['train_loss']:.4f} nats",
        )
        for labels, row in rows.iterrows()
    ]
    chance, leeway = permuted["chance_accuracy"], claims.leeway(permuted)
    guesses = Claim(
        "after permuted labels the network only guesses on the clean test set",
        abs(permuted["test_accuracy"] - chance) <= leeway,
        f"{claims.tell_test(permuted)}, chance {chance:.4f} ± {leeway:.4f}. A "
        "permutation leaves nothing to learn: if this does not hold, try other seeds, "
        "or look for a leak",
    )
    gap, margin = claims.difference(true, permuted)
    return [
        *are_fitted,
        guesses,
        Claim(
            "so zero training error is no evidence of learning: both kinds of labels "
            "are fitted, and only true ones let the network generalize",
            claims.both(
                *(c.holds for c in are_fitted),
                guesses.holds,
                claims.exceeds(gap, 0, margin),
            ),
            f"on the test set {claims.tell_test(true)} against "
            f"{claims.tell_test(permuted)}",
        ),
    ]


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    parser = make_parser(__doc__)
    parser.add_argument(
        "--report",
        type=page_file,
        metavar="FILE",
        help="also write table, figure and conclusion as one page, to hand in: .html",
    )
    args = parser.parse_args(argv)
    data = load_data(args, args.folds)
    table, histories = run(args, data)
    title = f"True and permuted labels: {data.title}"
    verdicts = judge(table)
    picture = f"MemorizingMLP on {data.title}"
    draw = partial(draw_histories, table, histories, picture)
    report(args, title, table, verdicts, draw=draw)
    if args.report is not None:
        texts = __doc__ or "", format_table(table), claims.format_claims(verdicts)
        write_page(args.report, title, *texts, draw())


if __name__ == "__main__":
    run_script(main)
