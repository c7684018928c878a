"""Fitted networks as safetensors files: numbers and JSON, no code."""

from __future__ import annotations

import math
import os
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
import torch
from skorch import NeuralNetClassifier
from torch import nn

from .._atomic import replacing, show_path
from .._safetensors import (
    UNREADABLE,
    check,
    decode,
    decode_labels,
    encode,
    encode_labels,
    import_safetensors,
    plain,
    read_bytes,
    tell,
    unplain,
)
from ._network import BatchNormMLP

if TYPE_CHECKING:
    from ._memorizing_mlp import MemorizingMLP

_T = TypeVar("_T", bound="MemorizingMLP")

_KIND = {"format": "sk_memorize.MemorizingMLP", "version": "2"}
_MOST_LAYERS = 1000  # each takes 10 kB, however small it is

_FITTED = [
    "attainable_accuracy_",
    "train_accuracy_",
    "train_loss_",
    "lr_",
    "batch_size_",
]
_HISTORY = ["loss", "accuracy", "lr", "seconds"]
_SCALING = {"center": torch.float64, "scale": torch.float64, "is_heavy": torch.bool}
_MODULE_PARAMS = ["norm", "norm_position", "norm_affine", "negative_slope", "n_groups"]
_MODULE_PARAMS += ["dropout"]


def save_model(estimator: MemorizingMLP, path: str | os.PathLike[str]) -> None:
    """Write a fitted MemorizingMLP.

    Parameters
    ----------
    estimator : MemorizingMLP
        It is fitted.
    path : str or path-like
        The file; one that exists is replaced.

    Raises
    ------
    ValueError
        If a parameter or the labels cannot be written without code, or parameters of
        the layers are not those that the network was fitted with.
    """
    import_safetensors()
    arrays = {
        name: tensor.detach().cpu().contiguous().numpy()
        for name, tensor in estimator.net_.module_.state_dict().items()
    }
    arrays["fitted"] = np.array([getattr(estimator, name) for name in _FITTED], float)
    arrays["history"] = np.ascontiguousarray(estimator.history_[_HISTORY], float)
    arrays["classes"] = encode_labels(estimator.classes_)
    description = _describe(estimator)
    try:
        content = encode(_KIND, description, arrays)
        _restore(type(estimator), *decode(_KIND, content))
    except UNREADABLE as error:
        raise ValueError(
            "The network cannot be saved, for it could not be loaded; were parameters "
            f"of its layers set after the fit? {tell(error)}"
        ) from error
    with replacing(Path(path)) as temporary:
        temporary.write_bytes(content)


def load_model(make: type[_T], path: str | os.PathLike[str]) -> _T:
    """Read what `save_model` wrote.

    Parameters
    ----------
    make : type
        MemorizingMLP or a subclass.
    path : str or path-like
        The file.

    Returns
    -------
    estimator : MemorizingMLP
        A fitted one, on the CPU.

    Raises
    ------
    ValueError
        If the file is damaged, of something else, or of another version.
    """
    import_safetensors()
    path = Path(path)
    try:
        return _restore(make, *decode(_KIND, read_bytes(path)))
    except UNREADABLE as error:
        reason = tell(error)
    raise ValueError(f"{show_path(path)} is damaged, or no saved network: {reason}")


def _describe(estimator: MemorizingMLP) -> dict[str, Any]:
    names = getattr(estimator, "feature_names_in_", None)
    return {
        "params": {
            name: plain(name, value)
            for name, value in estimator.get_params(deep=False).items()
        },
        "has_objects": estimator.classes_.dtype == object,
        "feature_names_in": None if names is None else names.tolist(),
        "image_shape": getattr(estimator, "image_shape_", None),
        "device": estimator.device_,
        "precision": estimator.precision_,
    }


def _restore(
    make: type[_T], model: dict[str, Any], arrays: dict[str, np.ndarray]
) -> _T:
    """Make an estimator; whatever the description says is checked."""
    estimator = make(**{name: unplain(p) for name, p in model["params"].items()})
    estimator._validate_params()
    check(not estimator.callbacks, "it has callbacks")
    fitted, history = arrays.pop("fitted"), arrays.pop("history")
    codes = arrays.pop("classes")
    _set_fitted(estimator, model, fitted)
    module = _make_module(estimator, arrays)
    given = estimator.hidden_layer_sizes
    check(given is None or tuple(given) == module.hidden_layer_sizes, "its sizes")
    estimator.hidden_layer_sizes_ = module.hidden_layer_sizes
    estimator.n_parameters_ = sum(p.numel() for p in module.parameters())
    estimator.classes_ = decode_labels(codes, model["has_objects"])
    n_classes = module.last_layer.out_features
    check(len(estimator.classes_) == n_classes >= 2, "its labels are of other classes")
    _set_inputs(estimator, module.first_layer.in_features, model)
    _set_history(estimator, history)
    estimator.net_ = NeuralNetClassifier(
        module,
        criterion=nn.CrossEntropyLoss,
        train_split=None,
        classes=list(range(n_classes)),
        verbose=0,
    ).initialize()
    return estimator


def _set_fitted(
    estimator: MemorizingMLP, model: dict[str, Any], fitted: np.ndarray
) -> None:
    """Set what `fit` found and decided."""
    is_list = fitted.shape == (len(_FITTED),) and fitted.dtype == np.float64
    check(is_list and (fitted >= 0).all(), "its attributes")
    check(max(fitted[:2]) <= 1 <= fitted[-1] < 2**53, "its attributes")
    estimator.__dict__.update(zip(_FITTED, fitted.tolist(), strict=True))
    estimator.batch_size_ = int(fitted[-1])
    estimator.device_, estimator.precision_ = model["device"], model["precision"]
    check(re.fullmatch(r"\w{1,20}(:\d{1,3})?", estimator.device_), "its device")
    check(estimator.precision_ in ("float32", "bfloat16"), "its precision")


def _set_history(estimator: MemorizingMLP, history: np.ndarray) -> None:
    is_valid = history.dtype == np.float64 and history.shape[1:] == (len(_HISTORY),)
    check(is_valid and (history >= 0).all(), "its history")
    estimator.n_epochs_ = len(history)
    index = pd.RangeIndex(1, len(history) + 1, name="epoch")
    estimator.history_ = pd.DataFrame(history, index, _HISTORY)
    estimator.loss_curve_ = estimator.history_["loss"].tolist()


def _set_inputs(
    estimator: MemorizingMLP, n_features: int, model: dict[str, Any]
) -> None:
    """Set what is known of the columns."""
    names, shape = model["feature_names_in"], model["image_shape"]
    estimator.n_features_in_ = n_features
    if names is not None:
        texts = [name for name in names if type(name) is str]
        check(len(texts) == len(names) == n_features, "its names of columns")
        estimator.feature_names_in_ = np.array(names, dtype=object)
    if shape is not None:
        sizes = [size for size in shape if type(size) is int and size > 0]
        is_shape = len(sizes) == len(shape) in (2, 3)
        check(is_shape and math.prod(sizes) == n_features, "its shape of images")
        estimator.image_shape_ = tuple(sizes)


def _make_module(
    estimator: MemorizingMLP, arrays: dict[str, np.ndarray]
) -> BatchNormMLP:
    """Make the network, if there are as many numbers as it has, all of its types."""
    weights = [(name, array) for name, array in arrays.items() if array.ndim == 2]
    weights.sort(key=lambda item: int(item[0].split(".")[1]))
    sizes = [weights[0][1].shape[1], *(len(array) for _, array in weights)]
    check(len(weights) <= _MOST_LAYERS and min(sizes) > 0, "its sizes of layers")
    is_affine = estimator.norm is not None and estimator.norm_affine
    per_unit = 1 + 2 * (estimator.norm == "batch") + 2 * is_affine
    n_numbers = sum(a * b for a, b in pairwise(sizes))
    n_numbers += per_unit * sum(sizes[1:-1]) + sizes[-1]
    check(n_numbers <= sum(a.size for a in arrays.values()), "its number of weights")
    params = {name: getattr(estimator, name) for name in _MODULE_PARAMS}
    module = BatchNormMLP(sizes[0], sizes[-1], tuple(sizes[1:-1]), **params)
    state = {name: torch.from_numpy(array) for name, array in arrays.items()}
    for name in _SCALING if "center" in arrays else ():
        check(state[name].shape == (sizes[0],), f"the shape of {name}")
        setattr(module, name, state[name].to(_SCALING[name], copy=True))
    for name, tensor in module.state_dict().items():
        check(state[name].dtype == tensor.dtype, f"the type of {name}")
    module.load_state_dict(state)
    module.eval()
    # Variances below zero, and scales of zero, give NaN for any row.
    X = module.center
    X = torch.zeros(sizes[0], dtype=torch.float32) if X is None else X
    with torch.no_grad():
        check(module(X[None]).isfinite().all(), "its outputs are not finite")
    return module
