"""The skorch net behind MemorizingMLP."""

from collections.abc import Sequence

import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from torch import Tensor
from torch.nn import functional as F

from ._batches import TensorBatches
from ._callbacks import RunningAccuracy
from ._config import Config
from ._network import BatchNormMLP

_PREDICT_BATCH = 8192


class MemorizingNet(NeuralNetClassifier):
    """skorch's classifier with mixed precision and weights of rows.

    Parameters
    ----------
    *args, **kwargs
        As in :class:`skorch.NeuralNetClassifier`. Rows with weights are given as a
        dict of ``X`` and ``weight``.
    bfloat16 : bool, default=False
        Whether the products of the training are computed in bfloat16.
    """

    def __init__(self, *args: object, bfloat16: bool = False, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.bfloat16 = bfloat16

    def infer(self, x: Tensor | dict[str, Tensor], **fit_params: object) -> Tensor:
        """Compute the logits of a batch; in training, in its precision."""
        X = x["X"] if isinstance(x, dict) else x
        is_coarse = self.bfloat16 and self.module_.training
        with torch.autocast(X.device.type, torch.bfloat16, is_coarse):
            return super().infer(X, **fit_params).float()

    def get_loss(
        self,
        y_pred: Tensor,
        y_true: Tensor,
        X: Tensor | dict[str, Tensor] | None = None,
        training: bool = False,
    ) -> Tensor:
        """Compute the loss of a batch, with the weights of its rows if it has any."""
        if not isinstance(X, dict):
            loss: Tensor = super().get_loss(y_pred, y_true, X, training)
            return loss
        smoothing = self.criterion_.label_smoothing
        losses = F.cross_entropy(
            y_pred, y_true, reduction="none", label_smoothing=smoothing
        )
        return losses.mul(X["weight"]).mean()


def make_net(
    config: Config,
    layer_sizes: tuple[int, int],
    seeds: Sequence[int],
    own_callbacks: tuple[Callback, ...] = (),
) -> MemorizingNet:
    """Put the skorch net together, and initialize it.

    Parameters
    ----------
    config : Config
        What to train with.
    layer_sizes : tuple of two ints
        Numbers of inputs and of classes.
    seeds : sequence of two ints
        They decide the initial weights, and the order of the rows.
    own_callbacks : tuple of skorch callbacks
        They are called before the user's.

    Returns
    -------
    net : MemorizingNet
        The net.
    """
    n_inputs, n_classes = layer_sizes
    callbacks = [("accuracy", RunningAccuracy()), *own_callbacks, *config.callbacks]
    if config.scheduler is not None:
        callbacks.append(("lr_scheduler", config.scheduler))
    params = {f"module__{name}": v for name, v in config.module_params.items()}
    params |= {f"optimizer__{name}": v for name, v in config.optimizer_params.items()}
    # Of skorch's own callbacks the timer and the loss are needed.
    for name in ("valid_loss", "valid_acc", "print_log"):
        params[f"callbacks__{name}"] = None
    return MemorizingNet(
        BatchNormMLP,
        module__n_features=n_inputs,
        module__n_classes=n_classes,
        module__seed=seeds[0],
        criterion=torch.nn.CrossEntropyLoss,
        criterion__label_smoothing=config.label_smoothing,
        optimizer=config.optimizer,
        lr=config.lr,
        max_epochs=config.max_epochs,
        batch_size=config.batch_size,
        iterator_train=TensorBatches,
        iterator_train__seed=seeds[1],
        iterator_train__epoch=0,
        iterator_valid=TensorBatches,
        iterator_valid__batch_size=_PREDICT_BATCH,
        train_split=None,
        classes=list(range(n_classes)),
        callbacks=callbacks,
        device=str(config.device),
        verbose=0,
        bfloat16=config.dtype == torch.bfloat16,
        **params,
    ).initialize()
