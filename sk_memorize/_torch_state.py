"""torch as it is when nobody has changed it, whatever the caller is in the midst of."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

from ._threads import leave_dead_threads


@contextmanager
def own_torch_state() -> Iterator[None]:
    """Compute outside of the caller's contexts of torch, for the calling thread.

    These are `inference_mode`, `no_grad`, `autocast` and a default device. They are
    as before at the end.
    """
    leave_dead_threads()
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.enable_grad())
        for kind in ("cpu", "cuda", "mps"):
            if torch.is_autocast_enabled(kind):
                # Weights in the caller's cache would be those of steps before.
                off = torch.autocast(kind, enabled=False, cache_enabled=False)
                stack.enter_context(off)
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        yield
