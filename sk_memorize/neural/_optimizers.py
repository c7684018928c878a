"""Optimizers by name."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Muon, Optimizer


class MuonWithAdam(Optimizer):
    """Muon for the hidden weight matrices, Adam for all other parameters.

    Muon orthogonalizes the update of a matrix; it is not meant for biases,
    for the parameters of normalization layers, nor for the layer that gives
    the logits. Its steps are scaled to the size of Adam's, so one learning
    rate serves both.

    Parameters
    ----------
    params : iterable of torch.Tensor or of dict
        Parameters in the order of the network: the last matrix is taken to be
        the output layer.
    lr : float, default=0.01
        Learning rate.
    momentum : float, default=0.95
        Momentum of Muon.
    betas : tuple of two floats, default=(0.9, 0.999)
        Decay rates of Adam's averages.
    weight_decay : float, default=0.0
        Decoupled weight decay.

    References
    ----------
    .. [1] J. Liu et al., "Muon is scalable for LLM training", 2025,
       arXiv:2502.16982, section 2.2.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.01,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr})
        flat: list[Tensor] = [p for group in self.param_groups for p in group["params"]]
        matrices = [p for p in flat if p.ndim == 2][:-1]
        chosen = {id(p) for p in matrices}
        others = [p for p in flat if id(p) not in chosen]
        self._parts: list[Optimizer] = [
            AdamW(others, lr=lr, betas=betas, weight_decay=weight_decay)
        ]
        if matrices:
            muon = Muon(
                matrices,
                lr=lr,
                momentum=momentum,
                weight_decay=weight_decay,
                adjust_lr_fn="match_rms_adamw",
            )
            self._parts.append(muon)
        self._share_groups()

    def _share_groups(self) -> None:
        # The parts' own dictionaries: a schedule that changes a learning rate
        # here changes it there.
        self.param_groups = [
            group for part in self._parts for group in part.param_groups
        ]

    def state_dict(self) -> dict[str, Any]:
        """Describe the state of both optimizers."""
        return {"parts": [part.state_dict() for part in self._parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` described."""
        for part, state in zip(self._parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self._share_groups()

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step.

        Parameters
        ----------
        closure : callable, default=None
            Computes the loss and the gradients anew.

        Returns
        -------
        loss : float or None
            What `closure` returned.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self._parts:
            part.step()
        return loss


# For each name: class, default learning rate, further defaults. The rates are
# for whitened inputs and batch normalization.
_NAMED: dict[str, tuple[type[Optimizer], float, dict[str, Any]]] = {
    "adam": (Adam, 8e-3, {"betas": (0.9, 0.95), "fused": True}),
    "adamw": (AdamW, 8e-3, {"betas": (0.9, 0.95), "fused": True}),
    "sgd": (SGD, 0.2, {"momentum": 0.9, "nesterov": True, "fused": True}),
    "muon": (MuonWithAdam, 1e-2, {}),
}

OPTIMIZERS = tuple(_NAMED)

_DEFAULT_LR = 1e-3


def resolve_optimizer(
    optimizer: str | type[Optimizer], device_type: str
) -> tuple[type[Optimizer], float, dict[str, Any]]:
    """Find the class, its default learning rate and its default arguments.

    Parameters
    ----------
    optimizer : str or type
        A name of `OPTIMIZERS` or an optimizer class of torch.
    device_type : str
        Where the parameters are: fused kernels are for "cpu" and "cuda".

    Returns
    -------
    optimizer_class : type
        The class.
    lr : float
        Learning rate when the user gives none.
    defaults : dict
        Further arguments.
    """
    if not isinstance(optimizer, str):
        return optimizer, _DEFAULT_LR, {}
    optimizer_class, lr, defaults = _NAMED[optimizer]
    if device_type not in ("cpu", "cuda"):
        defaults = {k: v for k, v in defaults.items() if k != "fused"}
    return optimizer_class, lr, defaults
