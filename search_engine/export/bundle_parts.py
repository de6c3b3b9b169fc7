"""What every bundle is made of, whatever its network reads."""

import json
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from search_engine import checkpoints
from search_engine.architectures.reading import Architecture
from search_engine.drawing.svg import architecture_svg, pictures
from search_engine.errors import CheckpointError
from search_engine.formats.base import CannotHold
from search_engine.formats.dialects import DIALECTS, write
from search_engine.training.trained_language_network import TrainedLanguageNetwork
from search_engine.training.trained_network import TrainedNetwork


def printed_network(source: str, tensors: Mapping[str, Tensor]) -> nn.Module:
    """The network that a printed file makes, with these weights, as it is used after training."""
    names: dict[str, Any] = {"__name__": "model"}
    exec(compile(source, "model.py", "exec"), names)  # noqa: S102 - our own words; nothing in them comes from a user.
    network: nn.Module = names["Network"]()
    try:
        network.load_state_dict(dict(tensors))
    except RuntimeError as error:
        raise CheckpointError("", "the weights belong to another network.") from error
    return network.eval()


def kept_note(trained: TrainedNetwork | TrainedLanguageNetwork) -> str:
    """What the file of the training says besides its tensors; "" where the network does not come out of one."""
    if "progress" not in trained.metadata:
        return ""
    return checkpoints.note_of(trained.tensors, trained.metadata)


def architecture_files(architecture: Architecture) -> dict[str, bytes]:
    """In every dialect that can hold it, and drawn."""
    files = {"pictures/whole.svg": architecture_svg(architecture).encode()}
    for name, picture in pictures(architecture).items():
        files[f"pictures/{name}.svg"] = picture.svg.encode()
    for dialect in DIALECTS:
        text = write(architecture, dialect.name)
        if not isinstance(text, CannotHold):
            files[f"architecture/{dialect.filename}"] = text.encode()
    return files


def refusals(architecture: Architecture) -> dict[str, str]:
    """The dialects that cannot hold it: their titles, and why."""
    texts = {dialect.title: write(architecture, dialect.name) for dialect in DIALECTS}
    return {title: text.sentence for title, text in texts.items() if isinstance(text, CannotHold)}


def json_bytes(value: Any) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"
