"""What the parameters of MemorizingMLP come to, once the data are known."""

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral
from typing import Any

import torch
from skorch.callbacks import LRScheduler

from ._batches import count_batches
from ._hardware import resolve_device, resolve_precision
from ._optimizers import OPTIMIZERS, resolve_optimizer
from ._schedules import policy_class
from ._sums import ENOUGH_ROWS

# Multiplications of a step below which a second thread costs more than it saves,
# and the conversion to bfloat16 more than its products do.
_SMALL_STEP = 3e7

# With fewer columns than this the network is deeper, the batches are larger, and
# bfloat16 would round neighboring rows to the same inputs.
_FEW_FEATURES = 16
_VERY_FEW_FEATURES = 4  # deeper still

_WIDTH_STEP = 64
_MAX_WIDTH = 2048
_WEIGHTS_PER_LABEL = 6


@dataclass(frozen=True)
class Settings:
    """Parameters without "auto", names or None; all are valid.

    Attributes
    ----------
    hidden_layer_sizes : tuple of int
        Units of each hidden layer.
    batch_size : int
        Largest batch.
    device : torch.device
        Where to train.
    precision : {"float32", "bfloat16"}
        Number format of the products.
    single_thread : bool
        Whether one thread is used: it is the fastest, or the results would depend
        on the number of threads.
    optimizer : type
        Class of the optimizer.
    optimizer_params : dict
        Its arguments, but for the learning rate.
    lr : float
        The learning rate.
    """

    hidden_layer_sizes: tuple[int, ...]
    batch_size: int
    device: torch.device
    precision: str
    single_thread: bool
    optimizer: type[torch.optim.Optimizer]
    optimizer_params: dict[str, Any]
    lr: float


def resolve_settings(
    estimator: Any,
    n_samples: int,
    n_features: int,
    n_classes: int,
    previous_sizes: tuple[int, ...] | None = None,
) -> Settings:
    """Check what scikit-learn's constraints cannot express, and fill in the rest.

    Parameters
    ----------
    estimator : MemorizingMLP
        Its parameters have the right types and ranges.
    n_samples : int
        Number of training rows.
    n_features : int
        Number of columns.
    n_classes : int
        Number of classes.
    previous_sizes : tuple of int, default=None
        Units of the hidden layers of the network to go on with.

    Returns
    -------
    settings : Settings
        What to train with.

    Raises
    ------
    ValueError
        If a parameter does not suit the data or the other parameters.
    """
    if previous_sizes is None:
        sizes = _hidden_layer_sizes(estimator, n_samples, n_features)
    else:
        sizes = _check_previous_sizes(estimator, previous_sizes)
    batch_size = _batch_size(estimator, n_samples, n_features)
    device = resolve_device(estimator.device)
    optimizer, lr, defaults = resolve_optimizer(estimator.optimizer, device.type)
    _check(
        estimator,
        "optimizer",
        isinstance(optimizer, type) and issubclass(optimizer, torch.optim.Optimizer),
        f"one of {sorted(OPTIMIZERS)} or a subclass of torch.optim.Optimizer",
    )
    _check_keywords(estimator, "optimizer_params", optimizer)
    optimizer_params = {**defaults, **(estimator.optimizer_params or {})}
    if estimator.weight_decay:
        optimizer_params["weight_decay"] = estimator.weight_decay
    _check_schedule(estimator)
    layers = pairwise((n_features, *sizes, n_classes))
    multiplications = batch_size * sum(a * b for a, b in layers)
    is_small = device.type == "cpu" and multiplications < _SMALL_STEP
    precision = (
        "float32"
        if estimator.precision == "auto" and (is_small or n_features < _FEW_FEATURES)
        else resolve_precision(estimator.precision, device)
    )
    smallest_batch = n_samples // count_batches(n_samples, batch_size)
    few_rows = device.type == "cpu" and smallest_batch < ENOUGH_ROWS
    return Settings(
        hidden_layer_sizes=sizes,
        batch_size=batch_size,
        device=device,
        precision=precision,
        single_thread=is_small or (few_rows and precision == "float32"),
        optimizer=optimizer,
        optimizer_params=optimizer_params,
        lr=lr if estimator.lr == "auto" else float(estimator.lr),
    )


def _hidden_layer_sizes(
    estimator: Any, n_samples: int, n_features: int
) -> tuple[int, ...]:
    sizes: Sequence[int] | None = estimator.hidden_layer_sizes
    if sizes is None:
        depth = estimator.depth
        if depth == "auto":
            depth = auto_depth(n_features)
        width = estimator.width
        if width == "auto":
            width = auto_width(n_samples, n_features, depth)
        sizes = (width,) * depth
    _check(
        estimator,
        "hidden_layer_sizes",
        all(_is_int(size) and size >= 1 for size in sizes),
        "None or a sequence of ints of at least 1",
    )
    sizes = tuple(int(size) for size in sizes)
    if estimator.norm == "group":
        _check(
            estimator,
            "n_groups",
            all(size % estimator.n_groups == 0 for size in sizes),
            f"a divisor of each hidden layer's size, {sizes}",
        )
    return sizes


def _check_previous_sizes(estimator: Any, previous: tuple[int, ...]) -> tuple[int, ...]:
    expected = f"that of the network to go on with, which has layers of {previous}"
    sizes, width, depth = (
        getattr(estimator, name) for name in ("hidden_layer_sizes", "width", "depth")
    )
    if sizes is not None:
        _check(estimator, "hidden_layer_sizes", tuple(sizes) == previous, expected)
    else:
        fits = width == "auto" or all(size == width for size in previous)
        _check(estimator, "width", fits, expected)
        _check(estimator, "depth", depth in ("auto", len(previous)), expected)
    return previous


def auto_depth(n_features: int) -> int:
    """Choose the number of hidden layers by the number of columns."""
    if n_features >= _FEW_FEATURES:
        return 2
    return 4 if n_features >= _VERY_FEW_FEATURES else 6


def auto_width(n_samples: int, n_features: int, depth: int) -> int:
    """Choose the units of a layer: enough weights for the labels of all rows."""
    width = _WIDTH_STEP * 2
    while (
        n_features * width + (depth - 1) * width**2 < _WEIGHTS_PER_LABEL * n_samples
        and width < _MAX_WIDTH
    ):
        width += _WIDTH_STEP
    return width


def _batch_size(estimator: Any, n_samples: int, n_features: int) -> int:
    needs_two = estimator.norm == "batch"
    if estimator.batch_size == "auto":
        return auto_batch_size(n_samples, n_features if needs_two else _FEW_FEATURES)
    _check(
        estimator,
        "batch_size",
        estimator.batch_size > needs_two,
        f"'auto' or an int of at least {1 + needs_two}"
        f"{' (for batch normalization)' * needs_two}",
    )
    return min(int(estimator.batch_size), n_samples)


def auto_batch_size(n_samples: int, n_features: int) -> int:
    """Choose a power of two near a sixteenth of the rows, or more for few columns.

    In few dimensions rows of different labels lie close together, and what
    tells them apart is smaller than the noise that the statistics of a small
    batch add to batch normalization.
    """
    growth = max(1.0, _FEW_FEATURES / n_features) ** 2
    power_of_two = 2 ** math.ceil(math.log2(growth * n_samples / 16))
    return min(max(power_of_two, 32), round(1024 * growth), n_samples)


def _check_schedule(estimator: Any) -> None:
    name = "lr_scheduler_params"
    given: Mapping[str, Any] = estimator.lr_scheduler_params or {}
    scheduler = estimator.lr_scheduler
    if scheduler == "onecycle":
        epochs, warmup = given.get("cycle_epochs", 1), given.get("warmup", 0.0)
        _check(
            estimator,
            name,
            given.keys() <= {"cycle_epochs", "warmup"}
            and _is_int(epochs)
            and epochs >= 1
            and 0 <= warmup < 1,
            "a dict of 'cycle_epochs', an int of at least 1, and 'warmup', a float in "
            "[0, 1), for the scheduler 'onecycle'",
        )
        return
    if scheduler is None:
        _check(estimator, name, not given, "None without a scheduler")
        return
    policy = policy_class(scheduler)
    is_torch = isinstance(policy, type) and (
        issubclass(policy, torch.optim.lr_scheduler.LRScheduler)
    )
    _check(
        estimator,
        "lr_scheduler",
        is_torch or isinstance(scheduler, LRScheduler),
        "a name, a class of torch.optim.lr_scheduler, a skorch.callbacks.LRScheduler "
        "or None",
    )
    if is_torch:
        _check_keywords(estimator, name, policy)


def _check_keywords(estimator: Any, name: str, target: Any) -> None:
    """Check that a dict of arguments fits the class that it is meant for."""
    accepted = list(inspect.signature(target).parameters.values())
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted):
        return
    names = [parameter.name for parameter in accepted[1:]]
    _check(
        estimator,
        name,
        set(getattr(estimator, name) or {}) <= set(names),
        f"a dict with keys among {names}, the arguments of {target.__name__}",
    )


def _check(estimator: Any, name: str, valid: bool, expected: str) -> None:
    """Raise scikit-learn's error for a parameter unless it is valid."""
    if not valid:
        raise ValueError(
            f"The {name!r} parameter of {type(estimator).__name__} must be {expected}. "
            f"Got {getattr(estimator, name)!r} instead."
        )


def _is_int(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
