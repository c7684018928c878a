"""Fitted networks as safetensors files: numbers and JSON, no code."""

import json
import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from skorch import NeuralNetClassifier
from torch import Tensor, nn

from .._atomic import replacing
from ._network import BatchNormMLP

_FORMAT = "sk_memorize.MemorizingMLP"
_VERSION = 2

_FITTED = (
    "attainable_accuracy_",
    "hidden_layer_sizes_",
    "batch_size_",
    "lr_",
    "device_",
    "precision_",
    "n_parameters_",
    "train_accuracy_",
    "train_loss_",
    "n_epochs_",
)

# Numbers, strings and booleans; anything else would need code to be restored.
_KINDS_OF_LABELS = "biufU"


def save_model(estimator: Any, path: str | os.PathLike[str]) -> None:
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
        If a parameter or the labels cannot be written without code.
    """
    torch_files = _import_safetensors()
    description = json.dumps(_describe(estimator))
    metadata = {"format": _FORMAT, "version": str(_VERSION), "model": description}
    tensors = {
        # Copies: tensors of the same memory are refused.
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in estimator.net_.module_.state_dict().items()
    }
    with replacing(Path(path)) as temporary:
        torch_files.save_file(tensors, temporary, metadata)


def load_model(make: Any, path: str | os.PathLike[str]) -> Any:
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
        If the file is damaged, of something else, or of a later version.
    """
    metadata, tensors = _read(Path(path))
    if metadata.get("format") != _FORMAT:
        raise ValueError(f"{path} is a safetensors file, but not of a MemorizingMLP.")
    version = metadata.get("version", "")
    if not version.isdecimal():
        raise ValueError(f"{path} is damaged: its version is {version!r}.")
    if int(version) > _VERSION:
        raise ValueError(
            f"{path} has version {version} of the format; this sk_memorize reads "
            f"versions up to {_VERSION}. A later one can read it."
        )
    try:
        return _restore(make, json.loads(metadata["model"]), tensors)
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        # Whatever a file holds. torch's errors have several lines.
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{path} is damaged: {type(error).__name__}: {reason}"
        ) from error


def _import_safetensors() -> Any:
    try:
        import safetensors.torch
    except ImportError as error:
        raise ImportError(
            "save and load need safetensors; install the extra 'safetensors': "
            'pip install "sk-memorize[safetensors]"'
        ) from error
    return safetensors.torch


def _describe(estimator: Any) -> dict[str, Any]:
    classes = estimator.classes_
    labels = classes
    if classes.dtype == object and all(type(label) is str for label in classes):
        labels = classes.astype(str)
    if labels.dtype.kind not in _KINDS_OF_LABELS:
        raise ValueError(
            "save needs labels that are numbers, booleans or strings; classes_ has "
            f"the type {classes.dtype} with {classes[0]!r}."
        )
    names = getattr(estimator, "feature_names_in_", None)
    return {
        "params": {
            name: _plain(name, value)
            for name, value in estimator.get_params(deep=False).items()
        },
        "classes": {"dtype": classes.dtype.str, "values": labels.tolist()},
        "n_features_in": estimator.n_features_in_,
        "feature_names_in": None if names is None else names.tolist(),
        "image_shape": getattr(estimator, "image_shape_", None),
        "fitted": {name: _plain(name, getattr(estimator, name)) for name in _FITTED},
        "history": estimator.history_.to_dict("list"),
        "has_scaling": estimator.net_.module_.center is not None,
    }


def _plain(name: str, value: Any) -> Any:
    """Turn a value into what JSON has; tuples are marked, to be tuples again."""
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, tuple):
        return {"tuple": [_plain(name, item) for item in value]}
    if isinstance(value, list):
        return [_plain(name, item) for item in value]
    if isinstance(value, Mapping):
        items = [[_plain(name, key), _plain(name, v)] for key, v in value.items()]
        return {"dict": items}
    raise ValueError(
        f"The parameter {name!r} cannot be saved without code: {value!r}. Expected "
        "None, numbers, strings, or lists, tuples and dicts of them. Give it such a "
        "value by set_params before saving, or keep the model with joblib."
    )


def _unplain(value: Any) -> Any:
    if isinstance(value, list):
        return [_unplain(item) for item in value]
    if isinstance(value, dict):
        ((kind, content),) = value.items()
        if kind == "tuple":
            return tuple(_unplain(item) for item in content)
        return {_unplain(key): _unplain(item) for key, item in content}
    return value


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    _import_safetensors()
    from safetensors import SafetensorError, safe_open

    with path.open("rb"):  # the usual error where there is no such file
        pass
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  no dict
            return file.metadata() or {}, tensors
    except SafetensorError as error:
        raise ValueError(
            f"{path} is damaged, or no safetensors file: {error}"
        ) from error


def _restore(make: Any, model: dict[str, Any], tensors: dict[str, Tensor]) -> Any:
    params = {name: _unplain(value) for name, value in model["params"].items()}
    estimator = make(**params)
    estimator._validate_params()
    fitted = {name: _unplain(model["fitted"][name]) for name in _FITTED}
    vars(estimator).update(fitted)
    estimator.n_features_in_ = int(model["n_features_in"])
    if model["feature_names_in"] is not None:
        estimator.feature_names_in_ = np.array(model["feature_names_in"], dtype=object)
    if model["image_shape"] is not None:
        estimator.image_shape_ = tuple(int(size) for size in model["image_shape"])
    dtype = np.dtype(model["classes"]["dtype"])
    estimator.classes_ = np.array(model["classes"]["values"], dtype=dtype)
    estimator.history_ = pd.DataFrame(
        model["history"],
        index=pd.RangeIndex(1, fitted["n_epochs_"] + 1, name="epoch"),
    )
    module = _make_module(estimator, tensors, has_scaling=model["has_scaling"])
    estimator.net_ = NeuralNetClassifier(
        module,
        criterion=nn.CrossEntropyLoss,
        train_split=None,
        classes=list(range(len(estimator.classes_))),
        verbose=0,
    ).initialize()
    estimator.loss_curve_ = estimator.history_["loss"].tolist()
    return estimator


def _make_module(
    estimator: Any, tensors: dict[str, Tensor], *, has_scaling: bool
) -> BatchNormMLP:
    n_features, n_classes = estimator.n_features_in_, len(estimator.classes_)
    sizes = estimator.hidden_layer_sizes_
    # Before memory is taken for what the description asks for.
    n_weights = sum(a * b for a, b in pairwise((n_features, *sizes, n_classes)))
    if n_weights > sum(tensor.numel() for tensor in tensors.values()):
        raise ValueError(f"there are fewer numbers than layers of {sizes} units need")
    module = BatchNormMLP(
        n_features,
        n_classes,
        sizes,
        norm=estimator.norm,
        norm_position=estimator.norm_position,
        norm_affine=estimator.norm_affine,
        negative_slope=estimator.negative_slope,
        n_groups=estimator.n_groups,
        dropout=estimator.dropout,
    )
    if has_scaling:
        module.center = torch.zeros(n_features, dtype=torch.float64)
        module.scale = torch.ones(n_features, dtype=torch.float64)
        module.is_heavy = torch.zeros(n_features, dtype=torch.bool)
    module.load_state_dict(tensors)
    return module.eval()
