"""What is known of each data set before a single image is read. No PyTorch, no files."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from search_engine.errors import ConfigError

EMBEDDED = "fashion-mnist-10k"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetDescription:
    """A data set of square images.

    image_size: native height and width, in pixels. sha256: of the file; where there are several, of their
    hexadecimal digests joined in order. bytes: of what is downloaded, 0 for the embedded set.
    """

    name: str
    title: str
    channels: int
    image_size: int
    classes: tuple[str, ...]
    train_examples: int
    test_examples: int
    origin: Literal["embedded", "local", "download", "own"]
    bytes: int
    licence: str
    sha256: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"classes": list(self.classes)}


_FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
_CIFAR_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

DESCRIPTIONS = (
    DatasetDescription(
        name=EMBEDDED,
        title="Fashion-MNIST, 10,000 images",
        channels=1,
        image_size=28,
        classes=_FASHION_CLASSES,
        train_examples=10_000,
        test_examples=2_000,
        origin="embedded",
        bytes=0,
        licence="MIT, Zalando SE",
        sha256="cb87e14a3dcfc7815401f7645fc5a967c03e71ceb5091fb5a6de6a70e2531276",
    ),
    DatasetDescription(
        name="fashion-mnist",
        title="Fashion-MNIST",
        channels=1,
        image_size=28,
        classes=_FASHION_CLASSES,
        train_examples=60_000,
        test_examples=10_000,
        origin="download",
        bytes=30_878_645,
        licence="MIT, Zalando SE",
        sha256="ba2e37a64f59ed31e1b1407ccf40ff95278a2d525d06ea8c38f7184d9b82b731",
    ),
    DatasetDescription(
        name="cifar-10",
        title="CIFAR-10",
        channels=3,
        image_size=32,
        classes=_CIFAR_CLASSES,
        train_examples=50_000,
        test_examples=10_000,
        origin="download",
        bytes=170_052_171,
        licence="none stated by its authors (Krizhevsky 2009)",
        sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    ),
)


def describe(name: str) -> DatasetDescription:
    """The description of a data set. Raises ConfigError at the field data.name where there is none."""
    for description in DESCRIPTIONS:
        if description.name == name:
            return description
    known = ", ".join(description.name for description in DESCRIPTIONS)
    raise ConfigError("data.name", f"is {name!r}; must be one of {known}.")
