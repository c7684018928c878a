"""Signatures, documentation and fitted attributes agree."""

import inspect
import re
from dataclasses import is_dataclass

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.naive_bayes import GaussianNB

import sk_memorize
from sk_memorize import (
    CorruptedTargetClassifier,
    GaussianInputs,
    KernelInterpolator,
    LabelPermuter,
    MemorizingMLP,
    PixelRandomizer,
    PixelShuffler,
    TwoLayerInterpolator,
    TwoLayerInterpolatorRegressor,
)

X, y = load_digits(return_X_y=True)
X, y = X[:200], y[:200]

PUBLIC = [
    getattr(sk_memorize, name) for name in sk_memorize.__all__ if name != "__version__"
]

FITTED = [
    MemorizingMLP(width=16, max_epochs=1, target_accuracy=None).fit(X, y),
    LabelPermuter().fit(y),
    CorruptedTargetClassifier(GaussianNB()).fit(X, y),
    PixelShuffler().fit(X),
    PixelRandomizer().fit(X),
    GaussianInputs().fit(X),
    KernelInterpolator().fit(X, y),
    TwoLayerInterpolator().fit(X, y),
    TwoLayerInterpolatorRegressor().fit(X, y),
]


def documented(doc, section):
    """Find the names that a section of a numpydoc docstring describes."""
    doc = re.sub(r"\\\n\s*", " ", inspect.cleandoc(doc))
    body = re.search(rf"^{section}\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", doc, re.M | re.S)
    if body is None:
        return []
    heads = re.findall(r"^(\S[^:\n]*) :", body.group(1), re.M)
    return [name for head in heads for name in head.split(", ")]


def parameters(function):
    return [
        name.lstrip("*")
        for name in inspect.signature(function).parameters
        if name != "self"
    ]


@pytest.mark.parametrize("public", PUBLIC, ids=lambda p: p.__name__)
def test_parameters_are_documented_in_their_order(public):
    if is_dataclass(public):  # a result, which is read and not made by users
        fields = documented(public.__doc__, "Attributes")
        assert set(fields) >= set(parameters(public))
        assert all(
            hasattr(public, name) for name in set(fields) - set(parameters(public))
        )
    else:
        assert documented(public.__doc__, "Parameters") == parameters(public)


@pytest.mark.parametrize("public", PUBLIC, ids=lambda p: p.__name__)
def test_public_names_have_an_example(public):
    assert ">>> " in public.__doc__


def public_methods():
    for public in PUBLIC:
        if inspect.isclass(public):
            for name, method in vars(public).items():
                if inspect.isfunction(method) and not name.startswith("_"):
                    yield pytest.param(method, id=f"{public.__name__}.{name}")


@pytest.mark.parametrize("method", list(public_methods()))
def test_methods_are_documented(method):
    if method.__name__.startswith("set_") and method.__name__.endswith("_request"):
        return  # scikit-learn writes these
    names = [name.lstrip("*") for name in documented(method.__doc__, "Parameters")]
    assert names == parameters(method)
    assert inspect.getdoc(method).split("\n")[0].endswith(".")


@pytest.mark.parametrize("fitted", FITTED, ids=lambda f: type(f).__name__)
def test_fitted_attributes_are_documented_and_there(fitted):
    names = documented(type(fitted).__doc__, "Attributes")
    # Data without column names leave no names; targets alone have no columns;
    # and rows have no shape of images.
    missing = {name for name in names if not hasattr(fitted, name)}
    assert missing <= {"feature_names_in_", "image_shape_", "n_features_in_"}
    found = {name for name in vars(fitted) if re.fullmatch(r"[a-z]\w*[^_]_", name)}
    assert found <= set(names)


def test_defaults_in_the_text_are_those_of_the_signature():
    doc = re.sub(r"\\\n\s*", " ", MemorizingMLP.__doc__)
    for name, parameter in inspect.signature(MemorizingMLP).parameters.items():
        (text,) = re.findall(rf"^    {name} : .*default=(\S+)$", doc, re.M)
        assert eval(text, {"np": np}) == parameter.default
