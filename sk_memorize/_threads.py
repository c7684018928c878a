"""Thread limits of torch and of linear algebra."""

import os
from _thread import start_new_thread
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Lock
from typing import Any

import torch
from sklearn.utils.parallel import _get_threadpool_controller

_lock = Lock()
_is_forked = False


def _note_fork() -> None:
    global _is_forked, _lock
    _is_forked, _lock = True, Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def leave_dead_threads() -> None:
    """Let torch compute with one thread in a process that was forked.

    The threads that torch had in the parent are not there in the child, which would
    wait for them forever.
    """
    if _is_forked and torch.get_num_threads() > 1:
        torch.set_num_threads(1)


@contextmanager
def single_thread() -> Iterator[None]:
    """Let torch compute with one thread for the calling thread inside the block.

    Other threads, which may fit at the same time, keep the numbers that they
    have, and a thread that begins to use torch meanwhile gets its usual number.
    """
    with _lock:
        n_threads = torch.get_num_threads()
    if n_threads == 1:
        yield
        return
    try:
        _set_for_this_thread(1)
        yield
    finally:
        try:
            _set_for_this_thread(n_threads)
        except BaseException:  # Ctrl-C, once more
            torch.set_num_threads(n_threads)
            raise


def _set_for_this_thread(n_threads: int) -> None:
    """Set the number of the calling thread, but not that of threads new to torch.

    torch.set_num_threads sets two numbers: that of the calling thread, which is
    never looked up again, and a default, which every other thread takes over
    when it first uses torch. Of two overlapping blocks the one that ends last
    would leave the default at 1 for the rest of the process. Only a new thread
    can read the default, and only another thread can set it alone.
    """
    # No Ctrl-C breaks into a method of these queues, or into the start of the thread.
    is_known, is_set, is_kept = (SimpleQueue[None]() for _ in range(3))

    def keep() -> None:
        with _lock:  # until all is well, even if Ctrl-C ends the wait for it
            default = torch.get_num_threads()
            is_known.put(None)
            is_set.get()
            torch.set_num_threads(default)
        is_kept.put(None)

    try:
        start_new_thread(keep, ())
        is_known.get()
        torch.set_num_threads(n_threads)
    except RuntimeError:  # At the interpreter's end no thread can begin.
        torch.set_num_threads(n_threads)
        is_kept.put(None)
    finally:
        is_set.put(None)
    is_kept.get()


_blas_limits: list[Any] = []  # of the blocks that are entered


@contextmanager
def single_thread_of_native_code() -> Iterator[None]:
    """Let BLAS, and OpenMP for the calling thread, use one thread inside the block.

    The number of BLAS is one for the whole process. Of blocks that overlap, in
    threads of their own, each leaves the number as the latest limit found it: the
    last one to leave leaves it as the first one found it.
    """
    controller = _get_threadpool_controller()
    with _lock:
        _blas_limits.append(controller.limit(limits=1, user_api="blas"))
    try:
        with controller.limit(limits=1, user_api="openmp"):
            yield
    finally:
        with _lock:
            _blas_limits.pop().restore_original_limits()
