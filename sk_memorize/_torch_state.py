"""Default state of torch, whatever contexts the caller has entered."""

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
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                # The caller's autocast cache would hold weights of earlier steps.
                off = torch.autocast(kind, enabled=False, cache_enabled=False)
                stack.enter_context(off)
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        yield
