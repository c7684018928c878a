"""Learning rate schedules by name, as callbacks of skorch."""

from collections.abc import Mapping
from typing import Any

from skorch.callbacks import LRScheduler
from torch.optim import Optimizer, lr_scheduler

# Lowest learning rate of a cycle, as part of the peak.
_FLOOR = 1e-3


class OneCycle(lr_scheduler.LRScheduler):
    """Cycles of a linear rise and a linear fall to nearly zero.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Its learning rates are the peaks.
    cycle_steps : int
        Length of the first cycle, in steps.
    warmup : float, default=0.05
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
        cycle_steps: int,
        warmup: float = 0.05,
        last_epoch: int = -1,
    ) -> None:
        self.warmup = warmup
        self._start, self._length, self._peak = 0, cycle_steps, 1.0
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:  # type: ignore[override]  # tensors are for capturable
        """Compute the learning rates of the next step."""
        return [float(base_lr) * self.factor() for base_lr in self.base_lrs]

    def factor(self) -> float:
        """Compute the part of the peak that the next step is taken with."""
        progress = (self.last_epoch - self._start + 0.5) / self._length
        is_rising = progress < self.warmup
        part = (
            progress / self.warmup if is_rising else (1 - progress) / (1 - self.warmup)
        )
        return max(_FLOOR, self._peak * part)

    def begin_cycle(self, n_steps: int) -> None:
        """Begin another cycle."""
        self._start, self._length, self._peak = self.last_epoch, n_steps, 1.0
        self._apply()

    def cool(self, n_steps: int) -> None:
        """Let the learning rate fall to nearly zero within so many steps."""
        now = self.factor()
        # The falling part of a cycle that has the present learning rate here.
        length = n_steps / (1 - self.warmup)
        self._start = self.last_epoch - round(self.warmup * length)
        self._length, self._peak = max(1, round(length)), now
        self._apply()

    def _apply(self) -> None:
        rates = self.get_lr()
        self._last_lr = [*rates]
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = lr


# For each name: class, and defaults of its arguments.
SCHEDULES: dict[str, tuple[type, dict[str, Any]]] = {
    "cosine": (lr_scheduler.CosineAnnealingLR, {}),
    "exponential": (lr_scheduler.ExponentialLR, {"gamma": 0.95}),
    "multistep": (lr_scheduler.MultiStepLR, {"milestones": (5, 10, 15)}),
    "onecycle": (OneCycle, {"step_every": "batch", "event_name": None}),
    "plateau": (lr_scheduler.ReduceLROnPlateau, {"patience": 5}),
    "step": (lr_scheduler.StepLR, {"step_size": 5, "gamma": 0.1}),
}


def policy_class(scheduler: str | type | LRScheduler) -> Any:
    """Find the class of torch that a name, a class or a callback stands for."""
    if isinstance(scheduler, str):
        return SCHEDULES[scheduler][0]
    policy = scheduler.policy if isinstance(scheduler, LRScheduler) else scheduler
    return getattr(lr_scheduler, policy, None) if isinstance(policy, str) else policy


def make_scheduler(
    scheduler: str | type | LRScheduler,
    given: Mapping[str, Any],
    n_epochs: int,
    n_batches: int,
) -> LRScheduler:
    """Make the callback that a name, a torch class or a callback stands for.

    Parameters
    ----------
    scheduler : str, type or skorch.callbacks.LRScheduler
        A name of `SCHEDULES`, a scheduler class of torch, or a callback.
    given : mapping
        Arguments of the torch class, instead of the defaults.
    n_epochs : int
        Length of the first cycle of "onecycle", and the span of "cosine".
    n_batches : int
        Batches of an epoch.

    Returns
    -------
    callback : skorch.callbacks.LRScheduler
        The callback, not initialized.
    """
    settings: dict[str, Any] = {"policy": policy_class(scheduler)}
    if isinstance(scheduler, LRScheduler):
        names = ("policy", "monitor", "event_name", "step_every")
        settings = {name: getattr(scheduler, name) for name in names}
        settings |= scheduler.kwargs
    elif isinstance(scheduler, str):
        settings |= SCHEDULES[scheduler][1]
    if scheduler == "onecycle":
        settings["cycle_steps"] = n_epochs * n_batches
    elif scheduler == "cosine":
        settings["T_max"] = n_epochs
    return LRScheduler(**{**settings, **given})
