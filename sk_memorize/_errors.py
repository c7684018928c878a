"""Errors for wrong arguments: the message, and the check of a classifier."""

from inspect import signature
from typing import Any

from sklearn.base import is_classifier
from sklearn.utils import get_tags


def wrong(name: str, owner: str, must: str, got: object, hint: str = "") -> str:
    """Compose the message that refuses a parameter.

    Parameters
    ----------
    name, owner : str
        The parameter, and the class or function that it belongs to.
    must : str
        What is expected, beginning with the verb: "be finite".
    got : object
        What was given, as text or as anything whose `str` is short.
    hint : str, default=""
        The way out, added after a semicolon.

    Returns
    -------
    message : str
        One sentence for each.

    Examples
    --------
    >>> wrong("X", "separability_test", "be finite", "nan in row 3")
    "The 'X' parameter of separability_test must be finite. Got nan in row 3 instead."
    """
    end = f"; {hint}." if hint else "."
    return f"The {name!r} parameter of {owner} must {must}. Got {got} instead{end}"


def check_classifier(estimator: object, owner: str) -> None:
    """Refuse anything but an instance of a classifier of single labels.

    Parameters
    ----------
    estimator : object
        What was given.
    owner : str
        The class or function that the error names.
    """
    # Some meta-estimators have `predict` only once they are fitted.
    if (
        isinstance(estimator, type)
        or not hasattr(estimator, "fit")
        or not hasattr(type(estimator), "predict")
        or not is_classifier(estimator)
    ):
        must = "be an instance of a classifier, with 'fit' and 'predict'"
    elif not get_tags(estimator).target_tags.single_output:
        must = "be a classifier of one label for each row"
    else:
        return
    raise ValueError(wrong("estimator", owner, must, repr(estimator)))


def make_with(
    name: str, owner: str, got: object, target: Any, *args: Any, **kwargs: Any
) -> Any:
    """Make an object with a user's keyword arguments, or say what does not fit.

    Parameters
    ----------
    name, owner : str
        As in `wrong`.
    got : dict or None
        The value of the parameter: some of the keyword arguments.
    target : type
        The class to make one of.
    *args, **kwargs
        All its arguments.

    Returns
    -------
    made : object
        One of the class.

    Raises
    ------
    ValueError
        If the class takes no such arguments.
    """
    try:
        return target(*args, **kwargs)
    except Exception as error:
        names = ", ".join(list(signature(target).parameters)[len(args) :])
        must = f"be a dict of arguments of {target.__name__} ({names})"
        raise ValueError(wrong(name, owner, must, f"{got!r}: {error!r}")) from error
