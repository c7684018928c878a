"""Learning rate schedules by name, as callbacks of skorch."""

from collections.abc import Mapping
from typing import Any

from skorch.callbacks import LRScheduler
from torch.optim import Optimizer, lr_scheduler

# Lowest learning rate of a cycle, as part of the peak.
_FLOOR = 1e-3

# Short cycles with a low peak come after the long ones: a few rows that a long
# cycle has left are learned in them, which a high peak would unsettle others for.
_POLISH = 0.1
_POLISH_PART = 4  # a short cycle is this part of the long one before it


class OneCycle(lr_scheduler.LRScheduler):
    """One cycle after another: a linear rise, then a linear fall to nearly zero.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Its learning rates are the peaks.
    cycle_steps : sequence of int
        Length of each cycle, in steps. The last one is repeated when the steps
        go on beyond their sum.
    warmup : float, default=0.2
        Part of a cycle in which the learning rate rises, in [0, 1).
    last_epoch : int, default=-1
        The step before the first one, as in all of torch's schedulers.

    References
    ----------
    .. [1] L. N. Smith and N. Topin, "Super-convergence: very fast training of
       neural networks using large learning rates", 2019, arXiv:1708.07120,
       section 2.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        cycle_steps: list[int],
        warmup: float = 0.2,
        last_epoch: int = -1,
    ) -> None:
        self.cycle_steps = cycle_steps
        self.warmup = warmup
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:  # type: ignore[override]  # tensors are for capturable
        """Compute the learning rates of the next step."""
        factor = one_cycle_factor(self.last_epoch, self.cycle_steps, self.warmup)
        return [float(base_lr) * factor for base_lr in self.base_lrs]


def one_cycle_factor(step: int, cycle_steps: list[int], warmup: float) -> float:
    """Compute the part of the peak learning rate that a step is taken with."""
    cycles = enumerate(cycle_steps)
    index, length = next(cycles)
    while step >= length:
        step -= length
        index, length = next(cycles, (index, length))
    progress = (step + 0.5) / length
    rising = progress < warmup
    factor = progress / warmup if rising else (1 - progress) / (1 - warmup)
    return max(_FLOOR, factor * (_POLISH if index % 2 else 1))


def cycle_epochs(first: int, max_epochs: int) -> list[int]:
    """Divide `max_epochs` into cycles, long and short ones in turn.

    Each long cycle is twice as long as the one before, and each short one a
    quarter of the long one before it. What is left at the end is joined to the
    last cycle.
    """
    cycles: list[int] = []
    left, length = max_epochs, first
    while left >= length:
        short = min(-(-length // _POLISH_PART), left - length)
        cycles += [length, short] if short else [length]
        left -= length + short
        length *= 2
    if not cycles:
        return [max_epochs]
    if left:
        cycles.append(left)
    return cycles


class DelayedLRScheduler(LRScheduler):
    """skorch's LRScheduler, which begins to step at a given epoch.

    Parameters
    ----------
    policy : str or class, default="StepLR"
        As in :class:`skorch.callbacks.LRScheduler`, like all parameters but
        the next.
    start_epoch : int, default=1
        The scheduler steps for the first time at the end of this epoch, or
        with its first batch where it steps with batches.
    """

    def __init__(
        self,
        policy: str | type = "StepLR",
        monitor: str = "train_loss",
        event_name: str | None = "event_lr",
        step_every: str = "epoch",
        start_epoch: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(policy, monitor, event_name, step_every, **kwargs)
        self.start_epoch = start_epoch

    @property
    def kwargs(self) -> dict[str, Any]:
        """The arguments of the torch scheduler."""
        return {k: v for k, v in super().kwargs.items() if k != "start_epoch"}

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Step if the time has come."""
        if len(net.history) >= self.start_epoch:
            super().on_epoch_end(net, **kwargs)

    def on_batch_end(self, net: Any, training: bool, **kwargs: Any) -> None:
        """Step if the time has come."""
        if len(net.history) >= self.start_epoch:
            super().on_batch_end(net, training, **kwargs)


_NAMED: dict[str, tuple[type, dict[str, Any]]] = {
    "step": (lr_scheduler.StepLR, {"step_size": 5, "gamma": 0.1}),
    "exponential": (lr_scheduler.ExponentialLR, {"gamma": 0.95}),
    "plateau": (lr_scheduler.ReduceLROnPlateau, {"patience": 5}),
}

SCHEDULES = ("onecycle", "cosine", *_NAMED)


def policy_class(scheduler: str | type | LRScheduler) -> Any:
    """Find the class of torch that a name, a class or a callback stands for."""
    if isinstance(scheduler, LRScheduler):
        policy = scheduler.policy
        return (
            getattr(lr_scheduler, policy, None) if isinstance(policy, str) else policy
        )
    if scheduler == "cosine":
        return lr_scheduler.CosineAnnealingLR
    return _NAMED[scheduler][0] if isinstance(scheduler, str) else scheduler


def make_scheduler(
    scheduler: str | type | LRScheduler | None,
    params: Mapping[str, Any] | None,
    *,
    start_epoch: int,
    cycles: list[int],
    steps_per_epoch: int,
) -> LRScheduler | None:
    """Make the callback that a name, a torch class or a callback stands for.

    Parameters
    ----------
    scheduler : str, type, skorch.callbacks.LRScheduler or None
        A name of `SCHEDULES`, a scheduler class of torch, a callback, or none.
    params : mapping or None
        Arguments of the torch class, in place of the defaults.
    start_epoch : int
        The epoch after which the scheduler steps for the first time.
    cycles : list of int
        Lengths of the cycles of "onecycle", in epochs; "cosine" spans their sum.
    steps_per_epoch : int
        Batches of an epoch.

    Returns
    -------
    callback : skorch.callbacks.LRScheduler or None
        The callback, not initialized.
    """
    if scheduler is None:
        return None
    given = dict(params or {})
    if isinstance(scheduler, LRScheduler):
        return DelayedLRScheduler(
            scheduler.policy,
            monitor=scheduler.monitor,
            event_name=scheduler.event_name,
            step_every=scheduler.step_every,
            start_epoch=start_epoch,
            **{**scheduler.kwargs, **given},
        )
    if scheduler == "onecycle":
        given.pop("cycle_epochs", None)
        given["cycle_steps"] = [epochs * steps_per_epoch for epochs in cycles]
        return DelayedLRScheduler(
            OneCycle,
            step_every="batch",
            event_name=None,
            start_epoch=start_epoch,
            **given,
        )
    defaults: dict[str, Any] = {}
    if scheduler == "cosine":
        defaults = {"T_max": max(1, sum(cycles) - start_epoch + 1)}
    elif isinstance(scheduler, str):
        defaults = _NAMED[scheduler][1]
    policy = policy_class(scheduler)
    return DelayedLRScheduler(policy, start_epoch=start_epoch, **{**defaults, **given})
