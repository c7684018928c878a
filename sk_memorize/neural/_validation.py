"""Checks of parameters that scikit-learn's constraints cannot express."""

import inspect
from numbers import Integral
from typing import Any


def check_parameter(estimator: Any, name: str, valid: bool, expected: str) -> None:
    """Raise scikit-learn's error for a parameter unless it is valid.

    Parameters
    ----------
    estimator : estimator
        Whose parameter it is.
    name : str
        Name of the parameter.
    valid : bool
        Whether the value is accepted.
    expected : str
        What would be.

    Raises
    ------
    ValueError
        If `valid` is false.
    """
    if not valid:
        raise ValueError(
            f"The {name!r} parameter of {type(estimator).__name__} must be {expected}. "
            f"Got {getattr(estimator, name)!r} instead."
        )


def check_hidden_layer_sizes(estimator: Any) -> tuple[int, ...]:
    """Find the sizes of the hidden layers, and check them.

    Parameters
    ----------
    estimator : MemorizingMLP
        With the parameters `hidden_layer_sizes`, `width`, `depth`, `norm` and
        `n_groups`.

    Returns
    -------
    sizes : tuple of int
        One for each hidden layer.

    Raises
    ------
    ValueError
        If a size is not a positive int, or not divided by the groups.
    """
    sizes = estimator.hidden_layer_sizes
    if sizes is None:
        sizes = (estimator.width,) * estimator.depth
    check_parameter(
        estimator,
        "hidden_layer_sizes",
        all(
            isinstance(size, Integral) and not isinstance(size, bool) and size >= 1
            for size in sizes
        ),
        "None or a sequence of ints of at least 1",
    )
    if estimator.norm == "group":
        check_parameter(
            estimator,
            "n_groups",
            all(size % estimator.n_groups == 0 for size in sizes),
            f"a divisor of each hidden layer's size, {tuple(map(int, sizes))}",
        )
    return tuple(int(size) for size in sizes)


def check_keywords(estimator: Any, name: str, target: type) -> None:
    """Check that a dict of arguments fits the class that it is meant for.

    Parameters
    ----------
    estimator : estimator
        Whose parameter it is.
    name : str
        Name of the parameter, a dict or None.
    target : type
        The class that takes the arguments, after one positional argument.

    Raises
    ------
    ValueError
        If `target` does not take an argument of that name.
    """
    accepted = inspect.signature(target).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted):
        return
    names = [parameter.name for parameter in accepted][1:]
    check_parameter(
        estimator,
        name,
        set(getattr(estimator, name) or {}) <= set(names),
        f"a dict with keys among {names}, the arguments of {target.__name__}",
    )
