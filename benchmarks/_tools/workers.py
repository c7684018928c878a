"""joblib's backends with two workers each, and what is measured inside a worker."""

import argparse
import math
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from joblib import Parallel, delayed, parallel_config
from sklearn.base import clone
from skorch.callbacks import Callback

from _tools.cluster import scheduler_address, workers
from sk_memorize import MemorizingMLP

N_WORKERS = 2
SEQUENTIAL = "sequential"
BACKENDS = ("loky", "threading", "dask")

# Every thread of this process has a folder here. Linux has it, others do not.
_TASKS = Path("/proc/self/task")

# A thread computes if it has the processor for this part of a fit's time: those
# that wait for messages have it for less, and one that spins for all of it.
_BUSY = 0.1

# Seconds for all workers to start: imports may be read from a slow disk.
_PATIENCE = 300.0


@dataclass(frozen=True)
class Threads:
    """Threads in the midst of a fit, as its worker sees them.

    torch computes with so many for the worker, in `fit` and in `predict`. The process
    has `os_threads`, whatever they do, and those that had the processor for a tenth of
    the fit's time are busy; both are NaN where the system does not tell. Workers that
    are threads of one process see each other's.
    """

    process: int
    torch_threads: int
    predict_threads: int
    os_threads: float
    busy_threads: float


@dataclass(frozen=True)
class Backend:
    """A way to share the fits of a search, with joblib's name.

    `activate` returns the context in which joblib uses it, and `start_seconds` are what
    starting it took before any worker was asked for anything.
    """

    name: str
    n_workers: int
    activate: Callable[[], Any]
    start_seconds: float = 0.0


@contextmanager
def open_backends(names: Sequence[str]) -> Iterator[list[Backend]]:
    """Start backends, the sequential one first; stop them after the block.

    Dask is left out if it is not installed, and stderr tells so.
    """
    backends = [Backend(SEQUENTIAL, 1, partial(parallel_config, SEQUENTIAL, n_jobs=1))]
    with ExitStack() as stack:
        for name in names:
            start = time.perf_counter()
            if name == "dask":
                try:
                    scheduler_address("local")
                except argparse.ArgumentTypeError as error:
                    print(f"skipped: dask {error}", file=sys.stderr)
                    continue
                stack.enter_context(workers("local", N_WORKERS))
                # It has as many jobs as the cluster has workers.
                activate = partial(parallel_config, name)
            else:
                activate = partial(parallel_config, name, n_jobs=N_WORKERS)
            seconds = time.perf_counter() - start
            backends.append(Backend(name, N_WORKERS, activate, seconds))
        yield backends


def warm_up(
    backend: Backend, network: MemorizingMLP, X: np.ndarray, y: np.ndarray
) -> list[Threads]:
    """Let each worker fit the network once, all at the same time; give what it saw."""
    with tempfile.TemporaryDirectory() as folder, backend.activate():
        return list(
            Parallel()(
                delayed(_fit_and_look)(network, X, y, folder, backend.n_workers)
                for _ in range(backend.n_workers)
            )
        )


def _fit_and_look(
    network: MemorizingMLP, X: np.ndarray, y: np.ndarray, folder: str, n_workers: int
) -> Threads:
    _meet(Path(folder), n_workers)
    network = clone(network).set_params(callbacks=[("look", _Look())]).fit(X, y)
    in_predict: list[int] = []
    # The network may be evaluated as a copy, which has the hook too.
    network.net_.module_.register_forward_pre_hook(
        lambda *_: in_predict.append(torch.get_num_threads())
    )
    network.predict(X)
    in_fit = dict(network.net_.callbacks_)["look"]
    return Threads(
        os.getpid(), in_fit.torch_, max(in_predict), in_fit.system_, in_fit.busy_
    )


def _meet(folder: Path, n_workers: int) -> None:
    """Wait until all workers are here: none is to do the task of another."""
    (folder / f"{os.getpid()}-{threading.get_ident()}").touch()
    deadline = time.monotonic() + _PATIENCE
    while (n := len(list(folder.iterdir()))) < n_workers:
        if time.monotonic() > deadline:
            raise RuntimeError(f"only {n} of {n_workers} workers came")
        time.sleep(0.001)


class _Look(Callback):
    """Counts the threads of this process during the training."""

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002  skorch's signature
        self.start_ = time.perf_counter()
        self.used_ = _processor_seconds()

    def on_train_end(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002  skorch's signature
        wall = time.perf_counter() - self.start_
        used = _processor_seconds()
        n_busy = sum(
            seconds - self.used_.get(thread, 0.0) >= _BUSY * wall
            for thread, seconds in used.items()
        )
        self.torch_ = torch.get_num_threads()
        self.system_ = len(used) if used else math.nan
        self.busy_ = n_busy if used else math.nan


def _processor_seconds() -> dict[int, float]:
    """Tell how long each thread of this process has had a processor."""
    if not _TASKS.is_dir():
        return {}
    ticks = os.sysconf("SC_CLK_TCK")
    used = {}
    for folder in _TASKS.iterdir():
        try:
            text = (folder / "stat").read_text()
        except OSError:  # it has ended meanwhile
            continue
        # The name, in parentheses, may hold anything; user and system time are
        # the 12th and 13th field behind it.
        fields = text.rpartition(")")[2].split()
        used[int(folder.name)] = (int(fields[11]) + int(fields[12])) / ticks
    return used
