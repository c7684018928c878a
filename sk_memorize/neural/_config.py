"""Config: the parameters of MemorizingMLP, resolved once for given data."""

import copy
import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from inspect import isclass, signature
from itertools import pairwise
from numbers import Integral, Real
from typing import Any

import torch
from sklearn.utils._param_validation import Interval
from skorch.callbacks import LRScheduler
from torch.optim import lr_scheduler as torch_schedulers

from .._errors import make_with, wrong
from .._threads import single_thread
from ..preprocessing import MAX_COMPONENTS
from ._auto_sizes import FEW_COMPONENTS, Shape, auto_batch_size, auto_sizes
from ._batches import count_batches
from ._network import BatchNormMLP
from ._schedules import SCHEDULES, make_scheduler, policy_class

# Networks with fewer weights always use one thread: a second one would hardly
# help, and their results do not depend on the number of threads.
FEW_WEIGHTS = 100_000

# Multiplications of a step below which the conversion to bfloat16 costs more than
# its products save.
_SMALL_STEP = 3e7

# The shortest first cycle of the learning rate: epochs, and steps.
_MIN_CYCLE_EPOCHS = 8
_MIN_CYCLE_STEPS = 200

# Shrinkage of the whitening for "auto": in the first stage of the training, and
# in the second.
_STAGES = (1.0, 0.001)

# For each name: class, default learning rate, further defaults. The rates are
# for whitened inputs and batch normalization.
OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], float, dict[str, Any]]] = {
    "adam": (torch.optim.Adam, 8e-3, {"betas": (0.9, 0.95), "fused": True}),
    "adamw": (torch.optim.AdamW, 8e-3, {"betas": (0.9, 0.95), "fused": True}),
    "sgd": (torch.optim.SGD, 0.2, {"momentum": 0.9, "nesterov": True, "fused": True}),
}
_DEFAULT_LR = 1e-3

# What several parameters may be.
COUNT = Interval(Integral, 1, None, closed="left")
PART = Interval(Real, 0, 1, closed="left")

# Arguments of "onecycle".
_CYCLE = {"cycle_epochs": COUNT, "warmup": PART}

# Parameters that need no resolving.
_AS_GIVEN = ["max_epochs", "target_accuracy", "exact_finish", "label_smoothing"]
_AS_GIVEN += ["weight_decay", "verbose"]


@dataclass(frozen=True)
class Config:
    """Parameters without "auto" and names; all are valid.

    Attributes
    ----------
    hidden_layer_sizes : tuple of int
        Units of each hidden layer.
    module_params : dict
        Arguments of `BatchNormMLP` that do not follow from the data.
    shrinkage : tuple of two floats, or None
        Of the whitening, in its two stages.
    device : torch.device
        Where to train.
    dtype : torch.dtype
        Number format of the products: float32 or bfloat16.
    is_small : bool
        Whether the network is so small that one thread is used.
    optimizer : type
        Class of the optimizer.
    optimizer_params : dict
        Its arguments, without the learning rate.
    lr : float
        The learning rate.
    scheduler : skorch.callbacks.LRScheduler or None
        The learning rate schedule, not initialized.
    cycle_epochs : int or None
        Length of the first cycle of "onecycle"; None without cycles.
    may_cool_early : bool
        Whether a cycle may be cut short: its length was not asked for.
    batch_size, max_epochs : int
        Rows of a batch, and epochs, at most.
    n_batches : int
        Batches of an epoch.
    target_accuracy : float or None
        Part of the attainable accuracy to reach.
    exact_finish : bool
        Whether the last layer is fitted by convex optimization in the end.
    label_smoothing, weight_decay : float
        Of the loss, and of the optimizer.
    callbacks : tuple
        skorch callbacks, or pairs of a name and a callback.
    verbose : bool or int
        Whether to show a progress bar.
    """

    hidden_layer_sizes: tuple[int, ...]
    module_params: dict[str, Any]
    shrinkage: tuple[float, float] | None
    device: torch.device
    dtype: torch.dtype
    is_small: bool
    optimizer: type[torch.optim.Optimizer]
    optimizer_params: dict[str, Any]
    lr: float
    scheduler: LRScheduler | None
    cycle_epochs: int | None
    may_cool_early: bool
    batch_size: int
    n_batches: int
    max_epochs: int
    target_accuracy: float | None
    exact_finish: bool
    label_smoothing: float
    weight_decay: float
    callbacks: tuple[Any, ...]
    verbose: bool | int

    def threads(self) -> AbstractContextManager[None]:
        """Limit torch to one thread if the network is small."""
        return single_thread() if self.is_small else nullcontext()


def resolve_config(
    params: Mapping[str, Any], shape: Shape, previous: tuple[int, ...] | None = None
) -> Config:
    """Check what scikit-learn's constraints cannot express, and fill in the rest.

    Parameters
    ----------
    params : mapping
        Parameters of MemorizingMLP, of the right types and ranges.
    shape : Shape
        Numbers that describe the data.
    previous : tuple of int, default=None
        Units of the hidden layers of the network to go on with.

    Returns
    -------
    config : Config
        What to train with.

    Raises
    ------
    ValueError
        If a parameter does not suit the data or the other parameters.
    """
    sizes = _resolve_sizes(params, shape, previous)
    batch_size = _resolve_batch_size(params, shape)
    device = _resolve_device(params)
    is_small = device.type == "cpu" and (
        _count_weights(sizes, shape.n_features, shape.n_classes) < FEW_WEIGHTS
    )
    n_inputs = min(shape.n_features, MAX_COMPONENTS)
    step = batch_size * _count_weights(sizes, n_inputs, shape.n_classes)
    is_simple = is_small or step < _SMALL_STEP or shape.n_components < FEW_COMPONENTS
    shrinkage = params["whitening_shrinkage"]
    if shrinkage is not None:
        shrinkage = _STAGES if shrinkage == "auto" else (shrinkage, shrinkage)
    shared = {k: params[k] for k in signature(BatchNormMLP).parameters if k in params}
    optimizer, lr, arguments = _resolve_optimizer(params)
    n_batches = count_batches(shape.n_rows, batch_size)
    scheduler, cycle_epochs = _resolve_schedule(params, n_batches, optimizer)
    return Config(
        hidden_layer_sizes=sizes,
        module_params=shared | {"hidden_layer_sizes": sizes},
        shrinkage=shrinkage,
        device=device,
        dtype=_resolve_dtype(params["precision"], device, is_simple),
        is_small=is_small,
        optimizer=type(optimizer),
        optimizer_params=arguments,
        lr=lr,
        scheduler=scheduler,
        cycle_epochs=cycle_epochs,
        may_cool_early="cycle_epochs" not in (params["lr_scheduler_params"] or {}),
        batch_size=batch_size,
        n_batches=n_batches,
        callbacks=tuple(copy.deepcopy(list(params["callbacks"] or ()))),
        **{name: params[name] for name in _AS_GIVEN},
    )


def _count_weights(sizes: tuple[int, ...], n_inputs: int, n_classes: int) -> int:
    return sum(a * b for a, b in pairwise((n_inputs, *sizes, n_classes)))


def _resolve_sizes(
    params: Mapping[str, Any], shape: Shape, previous: tuple[int, ...] | None
) -> tuple[int, ...]:
    sizes: Sequence[int] | None = params["hidden_layer_sizes"]
    expected = f"that of the network to go on with, which has layers of {previous}"
    if sizes is None:
        sizes = previous or auto_sizes(params["depth"], params["width"], shape)
        for name, given in (("width", set(sizes)), ("depth", {len(sizes)})):
            fits = params[name] == "auto" or given == {params[name]}
            _check(params, name, fits, expected)
    same = previous is None or tuple(sizes) == previous
    _check(params, "hidden_layer_sizes", same, expected)
    are_ints = all(COUNT.is_satisfied_by(n) and n is not True for n in sizes)
    expected = "None or a sequence of ints of at least 1"
    _check(params, "hidden_layer_sizes", are_ints, expected)
    sizes = tuple(int(size) for size in sizes)
    if params["norm"] == "group":
        n = params["n_groups"]
        divides = all(size % n == 0 and size > n for size in sizes)
        expected = f"a divisor of each hidden layer's size, {sizes}, and smaller"
        _check(params, "n_groups", divides, expected)
    return sizes


def _resolve_batch_size(params: Mapping[str, Any], shape: Shape) -> int:
    needs_two = params["norm"] == "batch"
    if params["batch_size"] == "auto":
        n_components = shape.n_components if needs_two else FEW_COMPONENTS
        return auto_batch_size(shape.n_rows, n_components)
    expected = "'auto' or an int of at least 2 (for batch normalization)"
    _check(params, "batch_size", params["batch_size"] > needs_two, expected)
    return min(int(params["batch_size"]), shape.n_rows)


def _resolve_device(params: Mapping[str, Any]) -> torch.device:
    """Find the device; "auto" is CUDA where there is one."""
    device, names = params["device"], ["cpu", "cpu:0"]
    if torch.cuda.is_available():
        gpus = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
        names = ["cuda", *gpus, *names]
    if device == "auto":
        return torch.device(names[0])
    expected = f"'auto' or a device that torch can use here ({', '.join(names)})"
    _check(params, "device", device in names, expected)
    return torch.device(device)


def _resolve_dtype(name: str, device: torch.device, is_simple: bool) -> torch.dtype:
    """Choose bfloat16 for "auto" where the hardware multiplies it faster."""
    is_fast = False
    if device.type == "cuda":
        is_fast = torch.cuda.get_device_capability(device) >= (8, 0)
    elif device.type == "cpu":
        features = torch.cpu.get_capabilities()
        is_fast = any(map(features.get, ("amx_bf16", "avx512_bf16")))
    is_chosen = name == "bfloat16" or (name == "auto" and is_fast and not is_simple)
    return torch.bfloat16 if is_chosen else torch.float32


def _resolve_optimizer(
    params: Mapping[str, Any],
) -> tuple[torch.optim.Optimizer, float, dict[str, Any]]:
    """Make an optimizer, and find its learning rate and other arguments."""
    optimizer, lr = params["optimizer"], _DEFAULT_LR
    arguments: dict[str, Any] = {}
    if isinstance(optimizer, str):
        optimizer, lr, arguments = OPTIMIZERS[optimizer]
    is_torch = isclass(optimizer) and issubclass(optimizer, torch.optim.Optimizer)
    expected = f"one of {sorted(OPTIMIZERS)} or a subclass of torch.optim.Optimizer"
    _check(params, "optimizer", is_torch, expected)
    lr = lr if params["lr"] == "auto" else float(params["lr"])
    given = dict(params["optimizer_params"] or {})
    _check(params, "optimizer_params", "lr" not in given, "a dict without 'lr'")
    arguments = arguments | given
    if params["weight_decay"]:
        arguments["weight_decay"] = params["weight_decay"]
    weights = [torch.zeros(1, requires_grad=True)]
    named = "optimizer_params", "MemorizingMLP", params["optimizer_params"]
    made = make_with(*named, optimizer, weights, lr=lr, **arguments)
    return made, lr, arguments


def _resolve_schedule(
    params: Mapping[str, Any], n_batches: int, optimizer: torch.optim.Optimizer
) -> tuple[LRScheduler | None, int | None]:
    """Check the schedule; make its callback, and choose the length of a cycle.

    The length is in epochs, and None for schedules without cycles.
    """
    name, scheduler = "lr_scheduler_params", params["lr_scheduler"]
    given: dict[str, Any] = dict(params[name] or {})
    if scheduler is None:
        _check(params, name, not given, "None without a scheduler")
        return None, None
    policy = policy_class(scheduler)
    is_torch = isclass(policy) and issubclass(policy, torch_schedulers.LRScheduler)
    is_scheduler = is_torch or isinstance(scheduler, LRScheduler)
    expected = f"one of {sorted(SCHEDULES)}, a class of torch.optim.lr_scheduler, a "
    expected += "skorch.callbacks.LRScheduler or None"
    _check(params, "lr_scheduler", is_scheduler, expected)
    if scheduler != "onecycle":
        made = make_scheduler(scheduler, given, params["max_epochs"], n_batches)
        if is_torch:
            named = name, "MemorizingMLP", params[name]
            make_with(*named, policy, optimizer, **made.kwargs)
        return made, None
    fits = given.keys() <= _CYCLE.keys() and (
        all(_CYCLE[key].is_satisfied_by(value) for key, value in given.items())
    )
    expected = "a dict of 'cycle_epochs', an int of at least 1, and 'warmup', a float "
    expected += "in [0, 1), for the scheduler 'onecycle'"
    _check(params, name, fits, expected)
    length = max(_MIN_CYCLE_EPOCHS, math.ceil(_MIN_CYCLE_STEPS / n_batches))
    if params["target_accuracy"] is None:
        length = params["max_epochs"]
    length = int(given.pop("cycle_epochs", length))
    return make_scheduler(scheduler, given, length, n_batches), length


def _check(params: Mapping[str, Any], name: str, valid: bool, expected: str) -> None:
    """Raise scikit-learn's error for a parameter unless it is valid."""
    if not valid:
        got = repr(params[name])
        raise ValueError(wrong(name, "MemorizingMLP", f"be {expected}", got))
