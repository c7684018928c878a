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

For Dask this starts a LocalCluster of two processes with one thread each. On a real
cluster the same search runs inside of joblib.parallel_config("dask"), after
distributed.Client("tcp://HOST:8786") with the address of its scheduler, as that of
grid_search.py --scheduler does; its workers must have this package.
"""

import argparse
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from _tools.arguments import add_own, add_repeats, make_parser
from _tools.claims import Claim
from _tools.common import Data, load_data, make_estimator, run_script, say
from _tools.tables import Columns, format_rows, report, yes_or_no
from _tools.workers import (
    BACKENDS,
    N_WORKERS,
    SEQUENTIAL,
    Backend,
    Threads,
    open_backends,
    warm_up,
)
from joblib import cpu_count
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from sk_memorize import MemorizingMLP

# Of the sequential time. Half would be perfect; the rest is for what is done once,
# the tasks that are left over at the end, and the memory that cores share.
LIMIT = 0.65

# Of the networks that are fitted to count threads.
N_EPOCHS = 30


@dataclass(frozen=True)
class Turn:
    """A search with one backend, and what its workers saw before it."""

    workers: list[Threads]
    start_seconds: float
    seconds: float
    scores: dict[str, bytes]


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


def scores_of(search: GridSearchCV) -> dict[str, bytes]:
    """Give the scores of all cells and folds, to the last bit."""
    return {
        key: np.asarray(values).tobytes()
        for key, values in search.cv_results_.items()
        if key.startswith("split")
    }


def time_search(
    args: argparse.Namespace, data: Data, backend: Backend, seed: int
) -> tuple[float, dict[str, bytes]]:
    """Run the search with a backend whose workers have started."""
    say(f"grid search, {backend.name}, seed {seed}")
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
    return seconds, scores_of(search)


def run(args: argparse.Namespace, data: Data) -> pd.DataFrame:
    """Let the backends take turns; one row for each."""
    network = MemorizingMLP(
        width=max(args.widths),
        depth=max(args.depths),
        device="cpu",
        max_epochs=N_EPOCHS,
        target_accuracy=None,
        random_state=args.seed,
    )
    turns: list[dict[str, Any]] = []
    with open_backends(args.backends) as backends:
        for repeat in range(args.repeats):
            seed = args.seed + repeat
            turn = {}
            for backend in backends if repeat % 2 == 0 else reversed(backends):
                say(f"one network in each worker, {backend.name}")
                start = time.perf_counter()
                workers = warm_up(backend, network, data.X_train, data.y_train)
                start_seconds = backend.start_seconds + time.perf_counter() - start
                seconds, scores = time_search(args, data, backend, seed)
                turn[backend.name] = Turn(workers, start_seconds, seconds, scores)
            turns += compare(turn)
    return summarize(turns, data)


def compare(turns: dict[str, Turn]) -> list[dict[str, Any]]:
    """Compare the searches of one repeat with the sequential one."""
    sequential = turns[SEQUENTIAL]
    return [
        {
            "backend": name,
            "workers": len(turn.workers),
            "processes": len({worker.process for worker in turn.workers}),
            "torch_threads": max(worker.torch for worker in turn.workers),
            "predict_threads": max(worker.torch_predict for worker in turn.workers),
            "os_threads": max(worker.system for worker in turn.workers),
            "busy_threads": max(worker.busy for worker in turn.workers),
            "start_seconds": turn.start_seconds,
            "seconds": turn.seconds,
            **dict.fromkeys(
                ("ratio", "ratio_low", "ratio_high"), turn.seconds / sequential.seconds
            ),
            "scores_equal": turn.scores == sequential.scores,
        }
        for name, turn in turns.items()
    ]


def summarize(records: list[dict[str, Any]], data: Data) -> pd.DataFrame:
    """Summarize the repeats, with the sequential search first.

    Seconds and ratio are medians, the start is the first one, the threads are the
    most that were seen, and scores are equal if they are in all repeats.
    """
    how = dict.fromkeys(records[0], "max") | {
        "start_seconds": "first",
        "seconds": "median",
        "ratio": "median",
        "ratio_low": "min",
        "scores_equal": "all",
    }
    del how["backend"]
    table = pd.DataFrame(records).groupby("backend", sort=False).agg(how).reset_index()
    table.insert(1, "dataset", data.name)
    table.insert(2, "n_train", len(data.y_train))
    return table


def _if_parallel(row: dict[str, Any], text: str) -> str:
    return "-" if row["backend"] == SEQUENTIAL else text


COLUMNS: Columns = {
    "backend": "{backend}",
    "workers": "{workers}",
    "processes": "{processes}",
    "torch threads per worker, fit": "{torch_threads}",
    "predict": "{predict_threads}",
    "OS threads per process": "{os_threads:g}",
    "busy": "{busy_threads:g}",
    "start s": "{start_seconds:.1f}",
    "seconds": "{seconds:.2f}",
    "of sequential": "{ratio:.2f}",
    "scores equal": lambda row: _if_parallel(row, yes_or_no("scores_equal")(row)),
    f"at most {LIMIT}": lambda row: _if_parallel(
        row, "yes" if row["ratio"] <= LIMIT else "NO"
    ),
}


def judge(table: pd.DataFrame, n_cores: int) -> list[Claim]:
    """Judge the claim for each backend."""
    claims = []
    n_threads = table.set_index("backend").loc[SEQUENTIAL, "torch_threads"]
    for row in table[table["backend"] != SEQUENTIAL].to_dict("records"):
        n_fit, n_predict = (
            row["workers"] * row[kind] for kind in ("torch_threads", "predict_threads")
        )
        # Repeats on both sides of the limit do not decide, nor do other machines.
        decides = n_cores == N_WORKERS and (
            row["ratio_low"] > LIMIT or row["ratio_high"] <= LIMIT
        )
        claims += [
            Claim(
                f"{row['backend']}: on two cores two workers take at most {LIMIT} of "
                "the sequential time",
                row["ratio"] <= LIMIT if decides else None,
                f"{row['ratio']:.2f} ({row['ratio_low']:.2f} to "
                f"{row['ratio_high']:.2f}) on {n_cores} cores; both together compute "
                f"with {n_fit} threads in fit and at most {n_predict} in predict, the "
                f"sequential search with {n_threads}",
            ),
            Claim(
                f"{row['backend']}: every score is the same, bit for bit",
                bool(row["scores_equal"]),
                f"compared in each repeat with those of {SEQUENTIAL} fits",
            ),
        ]
    return claims


def make_own_parser() -> argparse.ArgumentParser:
    """Make the parser; options of other scripts have the same meaning here."""
    options = "dataset", "data-home", "folds", "max-samples", "output"
    defaults = {"widths": [64, 96, 128, 192], "depths": [1, 2], "dataset": "digits"}
    parser = make_parser(
        __doc__, (*options, "widths", "depths", "max-epochs"), **defaults
    )
    who = "who takes part beside the sequential search"
    add_own(parser, {"backends": (list(BACKENDS), BACKENDS, who)})
    add_repeats(parser, "searches with each backend, with one seed after the other")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    parser = make_own_parser()
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
    report(args, title, table, judge(table, cpu_count()), format_rows(table, COLUMNS))


if __name__ == "__main__":
    run_script(main)
