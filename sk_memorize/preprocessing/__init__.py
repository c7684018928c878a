"""Training rows: equal ones counted once, scaled, and whitened."""

from ._rows import CHUNK, Rows, chunk_size
from ._scaling import Scaling, fit_scaling, scaled
from ._whitening import MAX_COMPONENTS, Whitening, count_components, fit_whitening

__all__ = [
    "CHUNK",
    "MAX_COMPONENTS",
    "Rows",
    "Scaling",
    "Whitening",
    "chunk_size",
    "count_components",
    "fit_scaling",
    "fit_whitening",
    "scaled",
]
