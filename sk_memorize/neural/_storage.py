"""Fitted networks as safetensors files: numbers and JSON, no code."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
import torch
from skorch import NeuralNetClassifier
from torch import nn

from .._atomic import open_file, replacing, show_path
from ._network import BatchNormMLP

if TYPE_CHECKING:
    from ._memorizing_mlp import MemorizingMLP

_T = TypeVar("_T", bound="MemorizingMLP")

_FORMAT = "sk_memorize.MemorizingMLP"
_VERSION = "2"

# Objects of JSON take up to 35 times the length of their text, and a layer 10 kB:
# with these bounds a file takes at most three times its size and 64 MiB.
_HEADER_BYTES, _HEADER_PART = 2**20, 40
_MOST_LAYERS = 1000

_FITTED = [
    "attainable_accuracy_",
    "train_accuracy_",
    "train_loss_",
    "lr_",
    "batch_size_",
]
_HISTORY = ["loss", "accuracy", "lr", "seconds"]
_SCALING = {"center": torch.float64, "scale": torch.float64, "is_heavy": torch.bool}
_KINDS_OF_LABELS = "biuf"  # in safetensors; text is a matrix of code points
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
    safetensors = _import_safetensors()
    arrays = {
        name: tensor.detach().cpu().contiguous().numpy()
        for name, tensor in estimator.net_.module_.state_dict().items()
    }
    arrays["fitted"] = np.array([getattr(estimator, name) for name in _FITTED], float)
    arrays["history"] = np.ascontiguousarray(estimator.history_[_HISTORY], float)
    arrays["classes"] = _encode(estimator.classes_)
    model = json.dumps(_describe(estimator))
    metadata = {"format": _FORMAT, "version": _VERSION, "model": model}
    metadata["sha256"] = _digest(model, arrays)
    content = safetensors.numpy.save(arrays, metadata)
    try:
        _check_header(content, len(content))
        _restore(type(estimator), model, arrays)
    except (LookupError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(
            "The network cannot be saved, for it could not be loaded; were parameters "
            f"of its layers set after the fit? {_tell(error)}"
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
    safetensors, path = _import_safetensors(), Path(path)
    # Whatever a file holds: these are all that its readers raise.
    errors: Any = ArithmeticError, AttributeError, LookupError, RuntimeError
    errors += TypeError, ValueError, safetensors.SafetensorError
    try:
        return _restore(make, *_parse(_read(path), safetensors))
    except errors as error:
        reason = _tell(error)
    raise ValueError(f"{show_path(path)} is damaged, or no saved network: {reason}")


def _import_safetensors() -> ModuleType:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            "save and load need safetensors; install the extra 'safetensors': "
            'pip install "sk-memorize[safetensors]"'
        ) from error
    return safetensors


def _describe(estimator: MemorizingMLP) -> dict[str, Any]:
    names = getattr(estimator, "feature_names_in_", None)
    return {
        "params": {
            name: _plain(name, value)
            for name, value in estimator.get_params(deep=False).items()
        },
        "has_objects": estimator.classes_.dtype == object,
        "feature_names_in": None if names is None else names.tolist(),
        "image_shape": getattr(estimator, "image_shape_", None),
        "device": estimator.device_,
        "precision": estimator.precision_,
    }


def _plain(name: str, value: object) -> Any:
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


def _unplain(value: object) -> Any:
    if isinstance(value, list):
        return [_unplain(item) for item in value]
    if isinstance(value, dict):
        ((kind, content),) = value.items()
        if kind == "tuple":
            return tuple(_unplain(item) for item in content)
        return {_unplain(key): _unplain(item) for key, item in content}
    return value


def _encode(classes: np.ndarray) -> np.ndarray:
    """Turn labels into an array of numbers, text into a matrix of code points."""
    labels = classes
    if classes.dtype == object and all(type(label) is str for label in classes):
        labels = classes.astype(str)
    if labels.dtype.kind == "U":
        labels = labels.astype(labels.dtype.newbyteorder("="))
        return labels.view(np.uint32).reshape(len(labels), -1)
    if labels.dtype.kind in _KINDS_OF_LABELS and labels.dtype.itemsize <= 8:
        return labels.astype(labels.dtype.newbyteorder("="))
    raise ValueError(
        "save needs labels that are numbers, booleans or strings; classes_ has "
        f"the type {classes.dtype} with {classes[0]!r}."
    )


def _decode(codes: np.ndarray, has_objects: bool) -> np.ndarray:
    """Turn what `_encode` made into labels."""
    classes = codes.copy()
    if codes.ndim == 2:
        valid = codes.dtype == np.uint32 and codes.max(initial=0) <= sys.maxunicode
        _check(valid and codes.size, "its labels are no text")
        classes = classes.view(f"U{codes.shape[1]}")[:, 0]
    is_valid = classes.ndim == 1 and has_objects in (codes.ndim == 2, False)
    _check(is_valid, "its labels")
    _check(bool(np.all(classes[1:] > classes[:-1])), "its labels are not sorted")
    return classes.astype(object) if has_objects else classes


def _digest(model: str, arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256(model.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.name} {array.shape}".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)  # no copy
    return digest.hexdigest()


def _tell(error: Exception) -> str:
    """Show an error in one line: torch's have several, a file's may be endless."""
    return " ".join(f"{type(error).__name__}: {error}"[:1000].split())[:200]


def _check(valid: object, what: str) -> None:
    if not valid:
        raise ValueError(what)


def _check_header(start: bytes, n_bytes: int) -> None:
    length = int.from_bytes(start[:8], "little")
    most = _HEADER_BYTES + n_bytes // _HEADER_PART
    is_valid = 0 < length <= most
    _check(is_valid, f"its header has {length} bytes, of at most {most}")


def _read(path: Path) -> bytes:
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        _check_header(file.peek(8), size)
        return file.read(size)


def _parse(
    content: bytes, safetensors: ModuleType
) -> tuple[str, dict[str, np.ndarray]]:
    """Find description and arrays, and check that they are what was written."""
    arrays = safetensors.numpy.load(content)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    metadata = header.get("__metadata__", {})
    found = f"{metadata.get('format')} of version {metadata.get('version')}"
    expected = f"{_FORMAT} of version {_VERSION}"
    _check(found == expected, f"its format is {found:.80}, not {expected}")
    digest = _digest(metadata["model"], arrays)
    _check(metadata["sha256"] == digest, "its contents are not those of its checksum")
    return metadata["model"], arrays


def _restore(make: type[_T], description: str, arrays: dict[str, np.ndarray]) -> _T:
    """Make an estimator; whatever the description says is checked."""
    model = json.loads(description)
    estimator = make(**{name: _unplain(p) for name, p in model["params"].items()})
    estimator._validate_params()
    _check(not estimator.callbacks, "it has callbacks")
    for name, array in arrays.items():
        _check(array.dtype.kind != "f" or np.isfinite(array).all(), f"{name} infinite")
        is_bool = array.dtype == bool
        _check(not is_bool or (array.view(np.uint8) < 2).all(), f"{name} not boolean")
    fitted, history = arrays.pop("fitted"), arrays.pop("history")
    codes = arrays.pop("classes")
    _set_fitted(estimator, model, fitted)
    module = _make_module(estimator, arrays)
    given = estimator.hidden_layer_sizes
    _check(given is None or tuple(given) == module.hidden_layer_sizes, "its sizes")
    estimator.hidden_layer_sizes_ = module.hidden_layer_sizes
    estimator.n_parameters_ = sum(p.numel() for p in module.parameters())
    estimator.classes_ = _decode(codes, model["has_objects"])
    n_classes = module.last_layer.out_features
    _check(len(estimator.classes_) == n_classes >= 2, "its labels are of other classes")
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
    _check(is_list and (fitted >= 0).all(), "its attributes")
    _check(max(fitted[:2]) <= 1 <= fitted[-1] < 2**53, "its attributes")
    estimator.__dict__.update(zip(_FITTED, fitted.tolist(), strict=True))
    estimator.batch_size_ = int(fitted[-1])
    estimator.device_, estimator.precision_ = model["device"], model["precision"]
    _check(re.fullmatch(r"\w{1,20}(:\d{1,3})?", estimator.device_), "its device")
    _check(estimator.precision_ in ("float32", "bfloat16"), "its precision")


def _set_history(estimator: MemorizingMLP, history: np.ndarray) -> None:
    is_valid = history.dtype == np.float64 and history.shape[1:] == (len(_HISTORY),)
    _check(is_valid and (history >= 0).all(), "its history")
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
        _check(len(texts) == len(names) == n_features, "its names of columns")
        estimator.feature_names_in_ = np.array(names, dtype=object)
    if shape is not None:
        sizes = [size for size in shape if type(size) is int and size > 0]
        is_shape = len(sizes) == len(shape) in (2, 3)
        _check(is_shape and math.prod(sizes) == n_features, "its shape of images")
        estimator.image_shape_ = tuple(sizes)


def _make_module(
    estimator: MemorizingMLP, arrays: dict[str, np.ndarray]
) -> BatchNormMLP:
    """Make the network, if there are as many numbers as it has, all of its types."""
    weights = [(name, array) for name, array in arrays.items() if array.ndim == 2]
    weights.sort(key=lambda item: int(item[0].split(".")[1]))
    sizes = [weights[0][1].shape[1], *(len(array) for _, array in weights)]
    _check(len(weights) <= _MOST_LAYERS and min(sizes) > 0, "its sizes of layers")
    per_unit = 1 + 2 * (estimator.norm == "batch") + 2 * estimator.norm_affine
    n_numbers = sum(a * b for a, b in pairwise(sizes))
    n_numbers += per_unit * sum(sizes[1:-1]) + sizes[-1]
    _check(n_numbers <= sum(a.size for a in arrays.values()), "its number of weights")
    params = {name: getattr(estimator, name) for name in _MODULE_PARAMS}
    module = BatchNormMLP(sizes[0], sizes[-1], tuple(sizes[1:-1]), **params)
    state = {name: torch.from_numpy(array) for name, array in arrays.items()}
    for name in _SCALING if "center" in arrays else ():
        _check(state[name].shape == (sizes[0],), f"the shape of {name}")
        setattr(module, name, state[name].to(_SCALING[name], copy=True))
    for name, tensor in module.state_dict().items():
        _check(state[name].dtype == tensor.dtype, f"the type of {name}")
    module.load_state_dict(state)
    module.eval()
    # Variances below zero, and scales of zero, give NaN for any row.
    X = module.center
    X = torch.zeros(sizes[0], dtype=torch.float32) if X is None else X
    with torch.no_grad():
        _check(module(X[None]).isfinite().all(), "its outputs are not finite")
    return module
