"""The documentation is complete, builds without a warning, and its code runs."""

import doctest
import inspect
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import sk_memorize

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.glob("[!_]*.rst")), *sorted((DOCS / "user_guide").glob("*.rst"))]
TRIED = [path for path in PAGES if ">>>" in path.read_text("utf-8")]
PUBLIC = {
    name: getattr(sk_memorize, name)
    for name in sk_memorize.__all__
    if name != "__version__"
}
METHODS = [
    f"{name}.{method}"
    for name, public in PUBLIC.items()
    if inspect.isclass(public)
    for method in vars(public)
    if not method.startswith("_")
    and inspect.isroutine(value := getattr(public, method))
    and value.__module__.startswith("sk_memorize")
]


def require_sphinx():
    for module in ("sphinx", "sphinx_gallery", "numpydoc", "furo"):
        pytest.importorskip(module, reason="needs the extra 'docs'")


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Build the site, with warnings as errors, from a copy of its sources.

    The examples are not run here: they have tests of their own.
    """
    require_sphinx()
    folder = tmp_path_factory.mktemp("site")
    made = shutil.ignore_patterns(
        "_build", "generated", "auto_examples", "_listing.rst", "__pycache__"
    )
    for name in ("docs", "examples", "benchmarks/figures"):
        shutil.copytree(ROOT / name, folder / name, ignore=made)
    shutil.copy(ROOT / "CHANGELOG.md", folder)
    options = ["-q", "-W", "--keep-going", "-n", "-b", "html", "-D", "plot_gallery=0"]
    finished = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, folder / "docs", folder / "html"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return SimpleNamespace(
        succeeded=finished.returncode == 0,
        errors=finished.stderr,
        folder=folder / "html",
    )


@pytest.fixture(scope="module")
def site(build):
    # What is built in spite of a warning can be looked at.
    assert (build.folder / "api.html").exists(), build.errors
    return build.folder


@pytest.fixture(scope="module")
def extensions():
    """Import the extensions of Sphinx that the documentation has."""
    require_sphinx()
    sys.path.insert(0, str(DOCS / "_ext"))
    import outside_links
    import public_names

    sys.path.remove(str(DOCS / "_ext"))
    return SimpleNamespace(names=public_names, links=outside_links)


def test_the_build_has_no_warning(build):
    assert build.succeeded, build.errors


def test_pages_load_nothing_from_the_network(site):
    pages = [page.read_text("utf-8") for page in site.rglob("*.html")]
    loads = r"<(?:script|img|link)\b[^>]*(?:src|href)=.https?:"
    assert pages
    assert not re.findall(loads, "".join(pages))


def read_entry(site, name):
    """Read the one entry of a public name or a method, signature first."""
    owner = name.partition(".")[0]
    html = (site / "generated" / f"sk_memorize.{owner}.html").read_text("utf-8")
    _, *entries = html.split(f'id="sk_memorize.{name}">')
    assert len(entries) == 1
    return entries[0].partition("</dt>")[0]


@pytest.mark.parametrize("name", [*PUBLIC, *METHODS])
def test_the_reference_shows_each_name_once_with_its_signature(site, name):
    entry = read_entry(site, name)
    shown = re.findall(r'class="sig-param">.*?class="pre">(\w+)</span>', entry)
    value = PUBLIC[name.partition(".")[0]]
    if "." in name:
        value = getattr(value, name.partition(".")[2])
    expected = list(inspect.signature(value).parameters)
    assert shown == [parameter for parameter in expected if parameter != "self"]


def test_a_build_without_a_public_name_fails(extensions):
    def check(names):
        objects = {f"sk_memorize.{name}": None for name in names}
        domains = {"py": SimpleNamespace(objects=objects)}
        extensions.names.check_complete(None, SimpleNamespace(domains=domains))

    check(PUBLIC)
    error = extensions.names.ExtensionError
    with pytest.raises(error, match=r"lacks .*\['load_dataset'\]"):
        check(PUBLIC.keys() - {"load_dataset"})


def test_the_listing_follows_the_public_names(extensions, tmp_path, monkeypatch):
    monkeypatch.setattr(extensions.names, "NAMES", ["load_dataset", "LabelPermuter"])
    stale = tmp_path / "generated" / "sk_memorize.BatchNormMLP.rst"
    stale.parent.mkdir()
    stale.touch()
    extensions.names.write_listing(tmp_path)
    assert not stale.exists()
    listing = (tmp_path / "_listing.rst").read_text("utf-8")
    assert re.findall(r"^([A-Z]\w+)\n-+$", listing, re.M) == ["Corruption", "Datasets"]
    assert re.findall(r"^   (\w+)$", listing, re.M) == ["LabelPermuter", "load_dataset"]


@pytest.mark.parametrize(
    ("target", "page"),
    [
        ("sklearn.base.clone", "generated/sklearn.base.clone.html"),
        (
            "sklearn.base.BaseEstimator.get_params",
            "sklearn.base.BaseEstimator.html#sklearn.base.BaseEstimator.get_params",
        ),
        ("skorch.callbacks.Callback", "callbacks.html#skorch.callbacks.Callback"),
        ("sklearn.base.BaseEstimator.get_nothing", None),
        ("no_library.Name", None),
        ("LabelPermuter", None),
    ],
)
def test_references_to_other_libraries(extensions, target, page):
    found = extensions.links.find_page(target)
    assert found is page if page is None else found.endswith(page)


@pytest.mark.parametrize("path", TRIED, ids=lambda path: path.stem)
def test_the_code_of_the_guide_runs(path, tmp_path, monkeypatch):
    if "dask" in path.read_text("utf-8"):
        pytest.importorskip("distributed", reason="needs dask and distributed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SK_MEMORIZE_DATA", str(tmp_path))
    # A process in a shell's background is started with Ctrl-C ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    # The networks are small: more threads would only wait for each other.
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    try:
        failed, tried = doctest.testfile(
            str(path), module_relative=False, optionflags=flags, encoding="utf-8"
        )
    finally:
        signal.signal(signal.SIGINT, before)
        torch.set_num_threads(n_threads)
    assert not failed
    assert tried


def test_all_python_of_the_guide_is_tried():
    for path in PAGES:
        text = path.read_text("utf-8")
        directives = re.findall(r"^ *\.\. (\w*code[\w-]*:: *\w*)", text, re.M)
        assert set(directives) <= {"code-block:: shell"}
        assert not re.findall(r"^(?! *\.\. ).*::$", text, re.M)
