"""Data sets for memorization experiments, as scikit-learn bunches."""

from ._load import get_data_home, load_dataset

__all__ = ["get_data_home", "load_dataset"]
