"""Do two workers halve the time? A grid search with each of joblib's backends.

The same GridSearchCV over sizes of MemorizingMLP, fitted to permuted labels, runs
one fit after the other and with joblib's backends: loky and dask have two worker
processes, threading two threads. The claim: on two cores two workers take no longer
than 0.65 of the sequential time, and every score is the same, bit for bit.

This can hold only for networks so small that MemorizingMLP computes with one thread;
of larger ones the sequential search uses both cores already. --dataset mnist
--max-samples 10000 has such networks.

The backends take turns, in alternating order, and the ratio is that of the same
repeat. Before each search all workers fit one network at the same time: the first
such round starts them, and is reported as the start; threads are counted in it. Then
the search is run with one epoch a fit, untimed, so that all is imported.
"""

import argparse
import time
import warnings
from collections.abc import Sequence

import pandas as pd
from _tools import workers
from _tools.arguments import add_repeats, make_parser
from _tools.claims import Claim
from _tools.common import Data, load_data, make_estimator, run_script
from _tools.progress import track
from _tools.tables import Columns, report
from _tools.workers import BACKENDS, N_WORKERS, SEQUENTIAL, Backend
from joblib import cpu_count
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from sk_memorize import MemorizingMLP

# Of the sequential time. Half would be perfect; the rest is for what is done once,
# the tasks that are left over at the end, and the memory that cores share.
LIMIT = 0.65


def make_search(args: argparse.Namespace, seed: int, max_epochs: int) -> GridSearchCV:
    """Make the search; the backend is that of the context in which it is fitted."""
    return GridSearchCV(
        make_estimator("permuted", seed, device="cpu", max_epochs=max_epochs),
        {"estimator__width": args.widths, "estimator__depth": args.depths},
        scoring=["accuracy", "neg_log_loss"],
        cv=StratifiedKFold(args.folds, shuffle=True, random_state=seed),
        refit=False,
        return_train_score=True,
        error_score="raise",
    )


def time_search(
    args: argparse.Namespace, data: Data, backend: Backend, seed: int
) -> tuple[float, bytes]:
    """Run the search with a backend whose workers have started: seconds, scores."""
    X, y = data.X_train, data.y_train
    search = make_search(args, seed, args.max_epochs)
    with warnings.catch_warnings(), backend.activate():
        # Networks too small for the labels take their time as well.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # What a worker does for the first time, such as imports, is not timed.
        make_search(args, seed, max_epochs=1).fit(X, y)
        start = time.perf_counter()
        search.fit(X, y)
        seconds = time.perf_counter() - start
    scores = pd.DataFrame(search.cv_results_).filter(regex="^split").astype(float)
    return seconds, scores.to_numpy().tobytes()


def run(args: argparse.Namespace, data: Data) -> pd.DataFrame:
    """Let the backends take turns; one row for each."""
    network = MemorizingMLP(
        width=max(args.widths),
        depth=max(args.depths),
        device="cpu",
        max_epochs=30,
        target_accuracy=None,
        random_state=args.seed,
    )
    fits = []
    with workers.open_backends(args.backends) as backends:
        turns = [
            (args.seed + repeat, backend)
            for repeat in range(args.repeats)
            for backend in backends[:: 1 if repeat % 2 == 0 else -1]
        ]
        for seed, backend in track(turns, lambda turn: turn[1].name, "search"):
            start = time.perf_counter()
            seen = workers.warm_up(backend, network, data.X_train, data.y_train)
            start_seconds = backend.start_seconds + time.perf_counter() - start
            seconds, scores = time_search(args, data, backend, seed)
            threads = pd.DataFrame(seen)
            about = {"backend": backend.name, "workers": len(seen), "seed": seed}
            about["processes"] = threads.pop("process").nunique()
            found = {"start_seconds": start_seconds, "seconds": seconds}
            fits.append({**about, **threads.max(), **found, "scores": scores})
    table = summarize(pd.DataFrame(fits))
    return table.assign(dataset=data.name, n_train=len(data.y_train))


def summarize(fits: pd.DataFrame) -> pd.DataFrame:
    """Summarize the repeats, with the sequential search first.

    Seconds and ratio are medians, the start is the first one, the threads are the
    most that were seen, and scores are equal if they are in all repeats.
    """
    sequential = fits[fits["backend"] == SEQUENTIAL].set_index("seed")
    ratio = fits["seconds"] / fits["seed"].map(sequential["seconds"])
    fits = fits.assign(ratio=ratio, ratio_low=ratio, ratio_high=ratio)
    fits["scores_equal"] = fits.pop("scores") == fits["seed"].map(sequential["scores"])
    how = {"start_seconds": "first", "ratio_low": "min", "scores_equal": "all"}
    how |= dict.fromkeys(["seconds", "ratio"], "median")
    how = dict.fromkeys(fits.columns.drop(["backend", "seed"]), "max") | how
    return fits.groupby("backend", sort=False).agg(how).reset_index()


COLUMNS: Columns = {
    "backend": "{backend}",
    "workers": "{workers}",
    "processes": "{processes}",
    "torch threads per worker, fit": "{torch_threads:g}",
    "predict": "{predict_threads:g}",
    "OS threads per process": "{os_threads:g}",
    "busy": "{busy_threads:g}",
    "start s": "{start_seconds:.1f}",
    "seconds": "{seconds:.2f}",
    "of sequential": "{ratio:.2f}",
    "scores equal": lambda row: _if_parallel(row, row["scores_equal"]),
    f"at most {LIMIT}": lambda row: _if_parallel(row, row["ratio"] <= LIMIT),
}


def _if_parallel(row: dict[str, object], holds: bool) -> str:
    return "-" if row["backend"] == SEQUENTIAL else "yes" if holds else "NO"


def judge(table: pd.DataFrame, n_cores: int) -> list[Claim]:
    """Judge the claim for each backend."""
    claims = []
    n_threads = table.set_index("backend").loc[SEQUENTIAL, "torch_threads"]
    for row in table[table["backend"] != SEQUENTIAL].to_dict("records"):
        name, low, high = row["backend"], row["ratio_low"], row["ratio_high"]
        n_fit, n_predict = (
            row["workers"] * row[kind] for kind in ("torch_threads", "predict_threads")
        )
        # Repeats on both sides of the limit do not decide, nor do other machines.
        decides = n_cores == N_WORKERS and (low > LIMIT or high <= LIMIT)
        claims += [
            Claim(
                f"{name}: on two cores two workers take at most {LIMIT} of the "
                "sequential time",
                row["ratio"] <= LIMIT if decides else None,
                f"{row['ratio']:.2f} ({low:.2f} to {high:.2f}) on {n_cores} cores; "
                f"both together compute with {n_fit:g} threads in fit and at most "
                f"{n_predict:g} in predict, the sequential search with {n_threads:g}",
            ),
            Claim(
                f"{name}: every score is the same, bit for bit",
                bool(row["scores_equal"]),
                f"compared in each repeat with those of {SEQUENTIAL} fits",
            ),
        ]
    return claims


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    defaults = {"widths": [64, 96, 128, 192], "depths": [1, 2], "dataset": "digits"}
    who = "who takes part beside the sequential search"
    own = {"backends": (list(BACKENDS), BACKENDS, who)}
    parser = make_parser(__doc__, "folds widths depths max-epochs", own, **defaults)
    add_repeats(parser, "searches with each backend, with one seed after the other")
    args = parser.parse_args(argv)
    if not args.folds:
        parser.error("argument --folds: a grid search needs at least 2")
    # The order of the table, whatever that of the arguments is.
    args.backends = [name for name in BACKENDS if name in args.backends]
    data = load_data(args, args.folds)
    table = run(args, data)
    n_fits = len(args.widths) * len(args.depths) * args.folds
    title = (
        f"Two workers, permuted labels: {data.title}, {len(data.y_train)} rows, "
        f"{n_fits} fits a search, {cpu_count()} cores, medians of {args.repeats}"
    )
    report(args, title, table, judge(table, cpu_count()), COLUMNS)


if __name__ == "__main__":
    run_script(main)
