"""What is known of each data set before a single image is read. No PyTorch, no files."""

from dataclasses import asdict, dataclass
from string import ascii_lowercase
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
_CIFAR_100_NAMES = (
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel "
    "can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur "
    "dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion "
    "lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree "
    "pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea "
    "seal shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank "
    "telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm"
)
_CIFAR_100_CLASSES = tuple(name.replace("_", " ") for name in _CIFAR_100_NAMES.split())

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
    DatasetDescription(
        name="cifar-100",
        title="CIFAR-100",
        channels=3,
        image_size=32,
        classes=_CIFAR_100_CLASSES,
        train_examples=50_000,
        test_examples=10_000,
        origin="download",
        bytes=168_513_733,
        licence="none stated by its authors (Krizhevsky 2009)",
        sha256="58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
    ),
    DatasetDescription(
        name="mnist",
        title="MNIST",
        channels=1,
        image_size=28,
        classes=tuple("0123456789"),
        train_examples=60_000,
        test_examples=10_000,
        origin="download",
        bytes=11_594_722,
        licence="none stated by its authors (LeCun, Cortes and Burges)",
        sha256="1380708c276834e082dc47a936e95f5bca5ac9f0fdbab891b17ac77badd8b079",
    ),
    DatasetDescription(
        name="kmnist",
        title="Kuzushiji-MNIST",
        channels=1,
        image_size=28,
        classes=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        train_examples=60_000,
        test_examples=10_000,
        origin="download",
        bytes=21_240_888,
        licence="CC BY-SA 4.0, Center for Open Data in the Humanities",
        sha256="d31741c295898b186d3f580ef7997a0a768ebc68ea7f8de5df70d1c8ec9f7c4e",
    ),
    DatasetDescription(
        name="emnist-letters",
        title="EMNIST letters",
        channels=1,
        image_size=28,
        classes=tuple(ascii_lowercase),
        train_examples=124_800,
        test_examples=20_800,
        origin="download",
        bytes=561_753_746,
        licence="none stated by its authors (Cohen and others 2017)",
        sha256="fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
    ),
    DatasetDescription(
        name="svhn",
        title="SVHN, house numbers",
        channels=3,
        image_size=32,
        classes=tuple("0123456789"),
        train_examples=73_257,
        test_examples=26_032,
        origin="download",
        bytes=246_316_178,
        licence="for non-commercial use only (Netzer and others 2011)",
        sha256="d5b81aa20be2b585ed0b152601061ad23319c7bec2990273d150c52b510a2249",
    ),
)


def describe(name: str) -> DatasetDescription:
    """The description of a data set. Raises ConfigError at the field data.name where there is none."""
    for description in DESCRIPTIONS:
        if description.name == name:
            return description
    known = ", ".join(description.name for description in DESCRIPTIONS)
    raise ConfigError("data.name", f"is {name!r}; must be one of {known}.")


def too_few_images(train: int, held_out: int, description: DatasetDescription) -> ConfigError | None:
    """What is wrong at data.train_examples; None where the training part has enough images for both."""
    wanted, there = train + held_out, description.train_examples
    if wanted <= there:
        return None
    return ConfigError(
        "data.train_examples",
        f"is {train:,} and {held_out:,} more are held out, {wanted:,} together; the training part of "
        f"“{description.title}” has {there:,}.",
    )
