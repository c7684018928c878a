"""Matrix products by one thread."""

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager:
    """Have the linear algebra use one thread.

    The last digits of a product depend on the number of threads, so that results would
    depend on the machine and on what else is computed beside them.

    Returns
    -------
    context : context manager
        Restores the number of threads in the end.
    """
    return _threadpools().limit(limits=1)


@cache
def _threadpools() -> ThreadpoolController:
    # Looking for the libraries takes longer than a small problem.
    return ThreadpoolController()
