"""What the machine can do, and how much memory a call takes."""

import ctypes
import gc
import math
import statistics
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import torch

# How long each product is repeated. A tenth more goes before it, uncounted.
_SECONDS = 0.3

# Resident pages are the second number. Linux has this file, others do not.
_STATM = Path("/proc/self/statm")
_INTERVAL = 0.005  # seconds between two looks at the memory


def gemm_peak(shapes: Iterable[tuple[int, int, int]], dtype: torch.dtype) -> float:
    """Measure the rate, in TFLOPS, of the fastest of some products ``X @ W.T`` here.

    Each shape counts with the median of its repetitions: a lucky one does not make the
    peak.
    """
    return max(_product_rate(*shape, dtype) for shape in shapes)


@cache
def _product_rate(
    n_rows: int, n_inputs: int, n_outputs: int, dtype: torch.dtype
) -> float:
    """Measure products of one shape, in TFLOPS."""
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(n_rows, n_inputs, generator=generator).to(dtype)
    W = torch.randn(n_outputs, n_inputs, generator=generator).to(dtype)
    out = torch.empty(n_rows, n_outputs, dtype=dtype)
    _time_products(X, W, out, _SECONDS / 10)
    seconds = statistics.median(_time_products(X, W, out, _SECONDS))
    return 2e-12 * n_rows * n_inputs * n_outputs / seconds


def _time_products(
    X: torch.Tensor, W: torch.Tensor, out: torch.Tensor, seconds: float
) -> list[float]:
    times = [time.perf_counter()]
    while times[-1] < times[0] + seconds:
        torch.mm(X, W.T, out=out)
        times.append(time.perf_counter())
    return [after - before for before, after in pairwise(times)]


@dataclass
class Memory:
    """Memory in 10**6 bytes; NaN where the system does not tell it."""

    mb: float = math.nan


@contextmanager
def peak_memory() -> Iterator[Memory]:
    """Measure how far the resident memory rises inside a ``with`` block.

    A thread looks at it every 5 ms, which takes it some 20 microseconds: too little to
    disturb what is timed in the block, and often enough, since memory that matters is
    kept for longer. Memory that was freed before the block is given back to the system
    first, or else the block could use it unseen.
    """
    memory = Memory()
    gc.collect()
    if not _STATM.exists():
        yield memory
        return
    _give_back_freed_memory()
    seen, stopped = [_resident_bytes()], threading.Event()

    def watch() -> None:
        while not stopped.wait(_INTERVAL):
            seen.append(_resident_bytes())

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        stopped.set()
        thread.join()
        memory.mb = (max(*seen, _resident_bytes()) - seen[0]) / 1e6


def _resident_bytes() -> int:
    n_pages = int(_STATM.read_text().split()[1])
    return n_pages * _page_size()


@cache
def _page_size() -> int:
    import resource  # not on every system

    return resource.getpagesize()


def _give_back_freed_memory() -> None:
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # glibc has it, other C libraries need it less
        libc.malloc_trim(0)
