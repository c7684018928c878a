"""Settings of the gallery, whose order is that of a course."""

ORDER = (
    "permuted_labels",
    "homework",
    "width_and_depth",
    "corruption",
    "wrong_labels_in_a_csv_file",
    "memorized_digits",
    "randomization_test",
    "capacity",
    "separating_hyperplane",
    "theorem_one",
    "random_inputs",
    "keep_and_resume",
    "dask",
)


def position(filename: str) -> int:
    """Find the place of an example."""
    return ORDER.index(filename.removeprefix("plot_").removesuffix(".py"))


sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "within_subsection_order": "gallery.position",
    # The reference shows the examples of each name.
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("sk_memorize",),
    "capture_repr": (),
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
}
