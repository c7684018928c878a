"""``python -m sk_memorize``: true and permuted labels, side by side."""

import argparse
import sys
import time
import warnings
from collections.abc import Sequence

import pandas as pd

from sk_memorize.corruption import LabelPermuter
from sk_memorize.datasets import load_dataset
from sk_memorize.neural import MemorizingMLP

_DATASETS = ("auto", "mnist", "fashion-mnist", "kmnist", "cifar10", "digits")


def main(argv: Sequence[str] | None = None) -> None:
    """Fit both kinds of labels, and print what came of it."""
    parser = argparse.ArgumentParser(
        prog="python -m sk_memorize",
        description="Fit a network to the true labels of a data set and to the same "
        "labels in random order, and test both on clean labels.",
    )
    parser.add_argument(
        "--dataset",
        choices=_DATASETS,
        default="auto",
        help="auto: MNIST if it can be had, else scikit-learn's digits",
    )
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    try:
        with warnings.catch_warnings():
            # The notice is printed below, as a sentence of its own.
            warnings.simplefilter("ignore", UserWarning)
            data = load_dataset(args.dataset)
        permuter = LabelPermuter(random_state=args.seed).fit(data.y_train)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if data.notice:
        print(f"notice: {data.notice}", file=sys.stderr)
    # The first fit of a process is slow, with imports and the start of threads.
    MemorizingMLP(width=8, max_epochs=1, target_accuracy=None, random_state=0).fit(
        [[0.0], [1.0]], [0, 1]
    )
    labels = {"true": data.y_train, "permuted": permuter.y_corrupted_}
    table = {}
    for name, y in labels.items():
        start = time.perf_counter()
        clf = MemorizingMLP(random_state=args.seed).fit(data.X_train, y)
        table[name] = {
            "seconds": f"{time.perf_counter() - start:.1f}",
            "epochs": clf.n_epochs_,
            "training rows right": f"{clf.train_accuracy_:.3%}",
            "test rows right": f"{clf.score(data.X_test, data.y_test):.2%}",
        }
    frame = pd.DataFrame(table).T.rename_axis("labels").reset_index()
    print(f"{data.title}, {len(data.y_train)} training rows\n")
    print(frame.to_string(index=False))
    print("\nTest rows have their true labels in both cases.")


if __name__ == "__main__":
    main()
