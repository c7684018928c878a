"""Training that was broken off goes on where it was."""

import hashlib
import pickle
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback
from skorch.history import History
from torch import nn

from .._atomic import replacing
from ._mlp import Dropout

_FORMAT = "sk_memorize.checkpoint"
_VERSION = 1

# Writing the state takes milliseconds, as an epoch of a small network does.
_SECONDS_BETWEEN = 5.0

_NO_INFLUENCE = ("checkpoint", "verbose", "on_interrupt", "warm_start", "random_state")


def fingerprint(estimator: Any, *arrays: np.ndarray | None) -> str:
    """Compute what differs as soon as the parameters or the data do."""
    params = {
        name: _describe(value)
        for name, value in estimator.get_params(deep=False).items()
        if name not in _NO_INFLUENCE
    }
    seed = estimator.random_state
    known_seed = seed if isinstance(seed, int | np.integer) else None
    digest = hashlib.sha256(repr(sorted(params.items())).encode())
    digest.update(repr((known_seed, torch.__version__)).encode())
    for array in arrays:
        if array is not None:
            digest.update(repr((array.shape, array.dtype)).encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _describe(value: Any) -> str:
    """Represent a parameter without addresses in memory, which each process has."""
    if isinstance(value, list | tuple):
        return repr([_describe(item) for item in value])
    if hasattr(value, "get_params") and not isinstance(value, type):
        params = sorted(value.get_params().items())
        return repr((type(value).__qualname__, [(n, _describe(v)) for n, v in params]))
    if isinstance(value, Callback):
        return type(value).__qualname__
    return repr(value)


def read_checkpoint(path: Path, expected: str) -> dict[str, Any] | None:
    """Read a state, if there is one.

    Parameters
    ----------
    path : pathlib.Path
        The file; it need not be there, but its folder must.
    expected : str
        The fingerprint of the parameters and data.

    Returns
    -------
    state : dict or None
        What `Checkpoint` wrote.

    Raises
    ------
    ValueError
        If the folder is missing, or the file is damaged, something else, of a
        later version, or of other parameters or data.
    """
    if not path.parent.is_dir():
        raise ValueError(
            "The 'checkpoint' parameter of MemorizingMLP must be a file in a folder "
            f"that exists. Got {str(path)!r} instead."
        )
    if not path.exists():
        return None
    try:
        # Without weights_only a file could run code.
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["format"] != _FORMAT:
            raise ValueError(f"its format is {state['format']!r}")
        version, found = state["version"], state["fingerprint"]
    except (
        EOFError,
        LookupError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
        pickle.UnpicklingError,
    ) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"{path} is damaged, or no checkpoint of MemorizingMLP: {reason}. Remove "
            "it to train from the beginning."
        ) from error
    if version > _VERSION:
        raise ValueError(
            f"{path} has version {version} of the format; this sk_memorize reads "
            f"versions up to {_VERSION}."
        )
    if found != expected:
        raise ValueError(
            f"{path} is a checkpoint of other parameters or other data. Give another "
            "'checkpoint', or remove the file to train from the beginning."
        )
    return state


class Checkpoint(Callback):
    """Write the state of the training every few seconds, and restore it.

    It stands behind all callbacks that change the state or end the training.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    fingerprint : str
        Of the parameters and the data.
    seeds : list of int
        Seeds of the training.
    state : dict or None
        What to begin with.
    """

    def __init__(
        self,
        path: Path,
        fingerprint: str,
        seeds: list[int],
        state: dict[str, Any] | None,
    ) -> None:
        self.path = path
        self.fingerprint = fingerprint
        self.seeds = seeds
        self.state = state

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002  skorch's signature
        """Start the clock, and restore the history.

        It is empty until then: a scheduler would begin where it ends.
        """
        self._written = time.monotonic()
        if self.state is not None:
            net.history = History(self.state["history"])

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002  skorch's signature
        """Restore the state before the first epoch."""
        state, self.state = self.state, None
        if state is None:
            return
        with torch.no_grad():
            for name, value in net.module_.state_dict().items():
                value.copy_(state["module"][name])
        net.optimizer_.load_state_dict(state["optimizer"])
        scheduler = dict(net.callbacks_).get("lr_scheduler")
        if scheduler is not None:
            scheduler.lr_scheduler_.load_state_dict(state["scheduler"])
        dropouts = _dropouts(net.module_)
        for layer, generator in zip(dropouts, state["dropouts"], strict=True):
            layer.generator_state = generator

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002  skorch's signature
        """Write the state if it is time."""
        if time.monotonic() - self._written < _SECONDS_BETWEEN:
            return
        scheduler = dict(net.callbacks_).get("lr_scheduler")
        state = {
            "format": _FORMAT,
            "version": _VERSION,
            "fingerprint": self.fingerprint,
            "seeds": self.seeds,
            "history": net.history.to_list(),
            "module": net.module_.state_dict(),
            "optimizer": net.optimizer_.state_dict(),
            "scheduler": scheduler and scheduler.lr_scheduler_.state_dict(),
            "dropouts": [layer.generator_state for layer in _dropouts(net.module_)],
        }
        with replacing(self.path) as temporary:
            torch.save(state, temporary)
        self._written = time.monotonic()


def _dropouts(module: nn.Module) -> list[Dropout]:
    return [layer for layer in module.modules() if isinstance(layer, Dropout)]
