"""What is known of each data set before any of its files is read.

File names, checksums, addresses and class names are those of torchvision; a test
compares them. Its downloads bound neither size nor time, and it unpacks archives.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

IDX_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


@dataclass(frozen=True)
class Source:
    """The files of a data set and what they must hold.

    `folder` is relative to the data home; `md5` maps the name of each file in it to
    the checksum of that file. It is downloaded from one of the `mirrors`, or else
    with all others in the `archive` of this name and checksum.
    """

    title: str
    folder: str
    mirrors: tuple[str, ...]
    md5: Mapping[str, str]
    target_names: tuple[str, ...]
    description: str
    image_shape: tuple[int, ...] = (28, 28)
    n_train: int = 60_000
    n_test: int = 10_000
    archive: tuple[str, str] | None = None

    @property
    def most_bytes(self) -> int:
        """What no file of the data set exceeds: all images and labels."""
        n_bytes = 1 + math.prod(self.image_shape)
        return (self.n_train + self.n_test) * n_bytes + 2**20


def _idx_md5(*checksums: str) -> dict[str, str]:
    return dict(zip(IDX_FILES, checksums, strict=True))


MNIST = Source(
    title="MNIST",
    folder="MNIST/raw",
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    ),
    md5=_idx_md5(
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    target_names=tuple("0123456789"),
    description="""\
MNIST: handwritten digits.

Gray images of 28 x 28 pixels in ten classes, 60,000 to train on and 10,000 to test
on, in the split that their authors published. Pixels are divided by 255.

Source: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning
applied to document recognition", Proceedings of the IEEE 86(11), 1998.
""",
)

FASHION_MNIST = Source(
    title="Fashion-MNIST",
    folder="FashionMNIST/raw",
    mirrors=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
    md5=_idx_md5(
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
    target_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    description="""\
Fashion-MNIST: articles of clothing.

Gray product pictures of 28 x 28 pixels in ten classes, 60,000 to train on and 10,000
to test on, in the split that their authors published. Pixels are divided by 255.

Source: H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a novel image dataset for
benchmarking machine learning algorithms", arXiv 1708.07747, 2017.
""",
)

KMNIST = Source(
    title="Kuzushiji-MNIST",
    folder="KMNIST/raw",
    mirrors=("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
    md5=_idx_md5(
        "bdb82020997e1d708af4cf47b453dcf7",
        "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7",
        "7320c461ea6c1c855c0b718fb2a4b134",
    ),
    target_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    description="""\
Kuzushiji-MNIST: cursive Japanese characters.

Gray images of 28 x 28 pixels, cut from old books, of one hiragana for each of ten
classes, 60,000 to train on and 10,000 to test on, in the split that their authors
published. Pixels are divided by 255.

Source: T. Clanuwat, M. Bober-Irizar, A. Kitamoto, A. Lamb, K. Yamamoto and D. Ha,
"Deep learning for classical Japanese literature", arXiv 1812.01718, 2018.
""",
)

CIFAR10 = Source(
    title="CIFAR-10",
    folder="cifar-10-batches-py",
    mirrors=("https://www.cs.toronto.edu/~kriz/",),
    archive=("cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a"),
    md5={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
        "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
    },
    target_names=(
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ),
    image_shape=(32, 32, 3),
    n_train=50_000,
    description="""\
CIFAR-10: photographs of animals and vehicles.

Color images of 32 x 32 pixels in ten classes, 50,000 to train on and 10,000 to test
on, in the split that their author published. A row holds an image line by line, the
red, green and blue of a pixel side by side. Pixels are divided by 255.

Source: A. Krizhevsky, "Learning multiple layers of features from tiny images",
technical report, University of Toronto, 2009.
""",
)

# Keys are the names that load_dataset takes.
SOURCES: dict[str, Source] = {
    "mnist": MNIST,
    "fashion-mnist": FASHION_MNIST,
    "kmnist": KMNIST,
    "cifar10": CIFAR10,
}

DIGITS_DESCRIPTION = """\
Digits: small handwritten digits.

Gray images of 8 x 8 pixels in ten classes, 1,797 in all, which come with scikit-learn
and need no file. They have no official split; a fixed one is made, stratified by
class: 80 % (1,437 images) to train on and 20 % (360) to test on, by
`train_test_split(test_size=0.2, stratify=y, random_state=0)`. Pixels are divided
by 16.

Source: `sklearn.datasets.load_digits`, after E. Alpaydin and C. Kaynak, "Optical
recognition of handwritten digits", UCI machine learning repository, 1998.
"""
