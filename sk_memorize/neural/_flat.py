"""One tensor in place of many, for optimizers that treat each number alike."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

_ELEMENTWISE = (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD)


@contextmanager
def flattened(
    optimizer: torch.optim.Optimizer,
    flat: Tensor,
    gradient: Tensor,
    places: dict[nn.Parameter, slice],
) -> Iterator[None]:
    """Let an optimizer update one tensor, of which its parameters are views.

    For small networks what an optimizer does for each parameter outweighs the
    arithmetic. The result is the same. Optimizers for which it would not be
    are left alone.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Its parameters are the keys of `places`, or have no gradient.
    flat : torch.Tensor of shape (n,)
        All parameters.
    gradient : torch.Tensor of shape (n,)
        Their gradients.
    places : dict of torch.nn.Parameter to slice
        Where in `flat` each parameter is.
    """
    if type(optimizer) not in _ELEMENTWISE or len(optimizer.param_groups) != 1:
        yield
        return
    group, state = optimizer.param_groups[0], optimizer.state
    parameters = group["params"]
    whole = nn.Parameter(flat)
    whole.grad = gradient
    for parameter, place in places.items():
        for name, value in state.pop(parameter, {}).items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                entry = state[whole].setdefault(name, torch.zeros_like(flat))
                entry[place] = value.flatten()
            else:
                state[whole][name] = value
    group["params"] = [whole]
    try:
        yield
    finally:
        # Anew: a state that was loaded meanwhile has taken their places.
        group, state = optimizer.param_groups[0], optimizer.state
        group["params"] = parameters
        for name, value in state.pop(whole, {}).items():
            for parameter, place in places.items():
                if isinstance(value, Tensor) and value.shape == flat.shape:
                    state[parameter][name] = value[place].view_as(parameter).clone()
                else:
                    state[parameter][name] = _copy(value)


def _copy(value: object) -> object:
    return value.clone() if isinstance(value, Tensor) else value
