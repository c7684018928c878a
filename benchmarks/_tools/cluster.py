"""Where fits run side by side: processes of joblib, or a cluster of Dask."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import joblib

from _tools.common import fail

SCHEDULER_HELP = (
    "run the fits on a Dask cluster: the address of its scheduler, or 'local' for one "
    "of --n-jobs processes on this machine; without it, joblib's processes"
)


def scheduler_address(text: str) -> str:
    """Read the address of a scheduler, or local."""
    if text != "local" and "://" not in text:
        raise argparse.ArgumentTypeError(
            f"must be local or an address such as tcp://host:8786, got {text!r}"
        )
    if find_spec("distributed") is None:
        raise argparse.ArgumentTypeError(
            "needs dask.distributed; install the extra 'distributed': "
            'pip install -e ".[distributed]"'
        )
    return text


@contextmanager
def workers(scheduler: str | None, n_jobs: int) -> Iterator[int]:
    """Send the parallel work of this context to so many workers."""
    n_workers = joblib.effective_n_jobs(n_jobs)
    if scheduler is None:
        yield n_workers
        return
    from distributed import Client, LocalCluster

    if scheduler == "local":
        with (
            LocalCluster(
                n_workers=n_workers,
                threads_per_worker=1,
                # Dask's own choice warns if another cluster of this machine has it.
                dashboard_address="127.0.0.1:0",
            ) as cluster,
            Client(cluster),
            joblib.parallel_config("dask"),
        ):
            yield n_workers
        return
    try:
        client = Client(scheduler, timeout="5s")
    except (OSError, ValueError) as error:
        fail(f"argument --scheduler: no scheduler answers at {scheduler}: {error}")
    with client, joblib.parallel_config("dask"):
        n_workers = sum(client.nthreads().values())
        if not n_workers:
            fail(f"argument --scheduler: {scheduler} has no workers")
        yield n_workers
