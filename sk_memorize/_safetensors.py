"""safetensors files with a checksum: arrays, and JSON that describes them."""

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ._atomic import open_file

# Objects of JSON take up to 35 times the length of their text, and a layer 10 kB:
# with this bound a file takes at most three times its size and 64 MiB.
_HEADER_BYTES, _HEADER_PART = 2**20, 40

# What reading a file raises, whatever it holds.
UNREADABLE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)


def import_safetensors() -> ModuleType:
    """Import the library, or say how to install it."""
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            "save and load need safetensors; install the extra 'safetensors': "
            'pip install -e ".[safetensors]"'
        ) from error
    return safetensors


def encode(
    kind: dict[str, str], description: Mapping[str, Any], arrays: dict[str, np.ndarray]
) -> bytes:
    """Make the contents of a file.

    Parameters
    ----------
    kind : dict of str
        The "format" and its "version".
    description : mapping
        What JSON can hold.
    arrays : dict of ndarray
        Arrays by name.

    Returns
    -------
    content : bytes
        A safetensors file.

    Raises
    ------
    ValueError
        If the description is longer than `read_bytes` would accept.
    """
    text = json.dumps(description)
    metadata = {**kind, "model": text, "sha256": digest(text, arrays)}
    content: bytes = import_safetensors().numpy.save(arrays, metadata)
    _check_header(content, len(content))
    return content


def read_bytes(path: Path) -> bytes:
    """Read a file whose header is not too long for its size."""
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        _check_header(file.peek(8), size)
        return file.read(size)


def decode(
    kind: dict[str, str], content: bytes
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Find description and arrays, and check that they are what `encode` was given.

    Raises
    ------
    ValueError
        If the contents are damaged or of another kind. Damages of other sorts raise
        the other errors of `UNREADABLE`.
    """
    safetensors = import_safetensors()
    try:
        arrays = safetensors.numpy.load(content)
    except safetensors.SafetensorError as error:
        raise ValueError(str(error)) from error
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    metadata = header.get("__metadata__", {})
    found = f"{metadata.get('format')} of version {metadata.get('version')}"
    expected = f"{kind['format']} of version {kind['version']}"
    check(found == expected, f"its format is {found:.80}, not {expected}")
    is_whole = metadata["sha256"] == digest(metadata["model"], arrays)
    check(is_whole, "its contents are not those of its checksum")
    for name, array in arrays.items():
        check(array.dtype.kind != "f" or np.isfinite(array).all(), f"{name} infinite")
        is_bool = array.dtype == bool
        check(not is_bool or (array.view(np.uint8) < 2).all(), f"{name} not boolean")
    return json.loads(metadata["model"]), arrays


def _check_header(start: bytes, n_bytes: int) -> None:
    length = int.from_bytes(start[:8], "little")
    most = _HEADER_BYTES + n_bytes // _HEADER_PART
    is_valid = 0 < length <= most
    check(is_valid, f"its header has {length} bytes, of at most {most}")


def digest(model: str, arrays: Mapping[str, np.ndarray]) -> str:
    """Compute the checksum of a description and its arrays."""
    digest = hashlib.sha256(model.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.name} {array.shape}".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)  # no copy
    return digest.hexdigest()


def plain(name: str, value: object) -> Any:
    """Turn a value into what JSON has; tuples are marked, to be tuples again."""
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, tuple):
        return {"tuple": [plain(name, item) for item in value]}
    if isinstance(value, list):
        return [plain(name, item) for item in value]
    if isinstance(value, Mapping):
        items = [[plain(name, key), plain(name, v)] for key, v in value.items()]
        return {"dict": items}
    raise ValueError(
        f"The parameter {name!r} cannot be saved without code: {value!r}. Expected "
        "None, numbers, strings, or lists, tuples and dicts of them. Give it such a "
        "value by set_params before saving, or keep the model with joblib."
    )


def unplain(value: object) -> Any:
    """Turn what `plain` made into values."""
    if isinstance(value, list):
        return [unplain(item) for item in value]
    if isinstance(value, dict):
        ((kind, content),) = value.items()
        if kind == "tuple":
            return tuple(unplain(item) for item in content)
        return {unplain(key): unplain(item) for key, item in content}
    return value


def encode_labels(classes: np.ndarray) -> np.ndarray:
    """Turn labels into an array of numbers, text into a matrix of code points."""
    labels = classes
    if classes.dtype == object and all(type(label) is str for label in classes):
        labels = classes.astype(str)
    if labels.dtype.kind == "U":
        labels = labels.astype(labels.dtype.newbyteorder("="))
        return labels.view(np.uint32).reshape(len(labels), -1)
    if labels.dtype.kind in "biuf" and labels.dtype.itemsize <= 8:  # safetensors has it
        return labels.astype(labels.dtype.newbyteorder("="))
    raise ValueError(
        "save needs labels that are strings, booleans or numbers of at most 8 bytes; "
        f"classes_ has the type {classes.dtype} with {classes[0]!r}."
    )


def decode_labels(codes: np.ndarray, has_objects: bool) -> np.ndarray:
    """Turn what `encode_labels` made into labels."""
    classes = codes.copy()
    if codes.ndim == 2:
        valid = codes.dtype == np.uint32 and codes.max(initial=0) <= sys.maxunicode
        check(valid and codes.size, "its labels are no text")
        classes = classes.view(f"U{codes.shape[1]}")[:, 0]
    is_valid = classes.ndim == 1 and has_objects in (codes.ndim == 2, False)
    check(is_valid, "its labels")
    check(bool(np.all(classes[1:] > classes[:-1])), "its labels are not sorted")
    return classes.astype(object) if has_objects else classes


def check(valid: object, what: str) -> None:
    """Raise an error that names what is wrong, unless it is valid."""
    if not valid:
        raise ValueError(what)


def tell(error: Exception) -> str:
    """Show an error in one line: torch's have several, a file's may be endless."""
    text = " ".join(f"{type(error).__name__}: {error}"[:1000].split())
    return (text if text.isprintable() else repr(text))[:200]
