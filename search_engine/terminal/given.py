"""What was given on the command line, read: architectures, configurations, and the settings that flags stand for."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from search_engine.architectures.reading import Architecture
from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.catalogue.published import published_names, read_published
from search_engine.config.base import Config
from search_engine.config.data import DataConfig
from search_engine.config.enas_search import EnasRecurrentSearchConfig
from search_engine.config.language import LanguageTrainingConfig
from search_engine.config.layout import default_layout
from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.config.searches import AnySearchConfig, read_search_config, search_model
from search_engine.config.training import TrainingConfig
from search_engine.config.trainings import AnyTrainingConfig
from search_engine.data.named_images import FOLDER, named_images
from search_engine.data.named_text import named_text
from search_engine.data.own_set import describe_in
from search_engine.errors import ArchitectureError, ConfigError, UserError
from search_engine.export.bundle_file import is_bundle, read_bundle
from search_engine.formats.dialects import LONGEST_TEXT, read
from search_engine.presets import PRESETS
from search_engine.shared_presets import SHARED_PRESETS
from search_engine.terminal.command_line import DEFAULTS, TEXT_DEFAULTS, flag_of


def read_architecture(name: str) -> Architecture:
    """The architecture of a catalogue name, a file in any dialect, or "-" for standard input.

    What was assumed in reading it goes to standard error. Raises ArchitectureError.
    """
    if name in published_names():
        return read_published(name).architecture
    if name != "-" and not Path(name).is_file():
        known = ", ".join(published_names())
        raise ArchitectureError("ARCH", f"{name!r} is neither a file nor in the catalogue, which has {known}.")
    if name != "-" and is_bundle(Path(name)):
        return read_bundle(Path(name)).architecture
    try:
        reading = read(_read_text(name))
    except UnicodeDecodeError as error:
        raise ArchitectureError("ARCH", f"{name} does not hold text.") from error
    except ArchitectureError as error:
        raise ArchitectureError(error.field or "ARCH", error.message) from error
    for remark in reading.remarks:
        print(remark, file=sys.stderr)
    return reading.architecture


def search_config(name: str, folder: Path | None = None) -> SearchConfig:
    """As any_search_config, for what works only where every child is trained by itself."""
    config = any_search_config(name, folder)
    if not isinstance(config, SearchConfig):
        raise UserError("CONFIG", f"is of method {config.method}; comparisons are of searches without shared weights.")
    return config


def any_search_config(name: str, folder: Path | None = None) -> AnySearchConfig:
    """The configuration of a preset or of a file. folder: where sets of own images are kept, which a file may name."""
    for preset in (*PRESETS, *SHARED_PRESETS):
        if preset.name == name:
            config: AnySearchConfig = preset.config
            return config
    if not Path(name).is_file():
        known = ", ".join(preset.name for preset in (*PRESETS, *SHARED_PRESETS))
        raise UserError("CONFIG", f"{name!r} is neither a file nor a preset, which are {known}.")
    try:
        value = _read_json(name)
        return read_search_config(value if folder is None else _with_kept_data(value, folder))
    except ValueError as error:
        raise UserError("CONFIG", f"{name} does not hold JSON: {error}.") from error


def _with_kept_data(value: Any, folder: Path) -> Any:
    """What a file holds, with images or a text of the user's own under the name by which they are kept in a folder.

    It is not checked yet: whoever reads it as a configuration says what is wrong.
    """
    data = value.get("data") if isinstance(value, dict) else None
    name = data.get("name") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(name, str):
        return value
    kept: dict[str, Any] = {}
    if search_model(value) is EnasRecurrentSearchConfig:
        kept = named_text(name, folder) if os.path.exists(name) else {}  # A name may be too long for Path.exists.
    elif name.startswith(FOLDER):
        kept = {"name": named_images(name, folder)}
    return value | {"data": data | kept}


def training_config(options: argparse.Namespace) -> AnyTrainingConfig:
    """What was given, over the defaults of a training. Raises UserError, at the flag that has no meaning for it too."""
    architecture = read_architecture(options.architecture)
    value = {
        "architecture": architecture.to_json(),
        "reproducibility": {"seed": options.seed, "threads": options.threads},
    }
    if isinstance(architecture, RecurrentArchitecture):
        texts: dict[str, Config] = TEXT_DEFAULTS
        sections = {name: _settings(options, name, defaults, architecture) for name, defaults in texts.items()}
        sections["data"] |= named_text(options.data, options.data_folder)
        return read_config(LanguageTrainingConfig, value | sections)
    value["layout"] = layout_settings(options, architecture)
    value["recipe"] = _settings(options, "recipe", DEFAULTS["recipe"], architecture)
    value["data"] = _image_settings(options, architecture)
    return read_config(TrainingConfig, value)


def _image_settings(options: argparse.Namespace, architecture: Architecture) -> dict[str, Any]:
    """Images at their own size, and all of them, unless said."""
    name = named_images(options.data, options.data_folder)
    described = describe_in(name, options.data_folder)
    data = _settings(options, "data", DEFAULTS["data"], architecture) | {"name": name}
    given = _given(options, "data")
    if "image_size" not in given:
        data["image_size"] = described.image_size
    if "held_out_examples" not in given:
        data["held_out_examples"] = max(10, min(data["held_out_examples"], described.train_examples // 5))
    if "train_examples" not in given:
        held_out = read_config(DataConfig, data).held_out_examples
        # At least as many as a configuration allows: too many held out are then refused where the data are split.
        data["train_examples"] = max(10, described.train_examples - held_out)
    return data


def _settings(
    options: argparse.Namespace, section: str, defaults: Config, architecture: Architecture
) -> dict[str, Any]:
    """The settings of one section: what was given as flags over the defaults; others' flags are refused."""
    merged, given = defaults.model_dump(), _given(options, section)
    for name in given:
        if name not in merged:
            refuse_flag(flag_of(name), architecture)
    return merged | given


def layout_settings(options: argparse.Namespace, architecture: Architecture) -> dict[str, Any]:
    """What was given over the layout of the architecture's kind; a flag that belongs to other kinds is refused."""
    return _settings(options, "layout", default_layout(architecture), architecture)


def refuse_flag(flag: str, architecture: Architecture) -> NoReturn:
    """Raises ConfigError: this kind of architecture has nothing that the flag sets."""
    raise ConfigError(flag, f"has no meaning for an architecture of kind {architecture.kind}.")


def _given(options: argparse.Namespace, section: str) -> dict[str, Any]:
    """The settings of a section that were given as flags."""
    flags = {name: value for name, value in vars(options).items() if name.startswith(f"{section}.")}
    return {name.removeprefix(f"{section}."): value for name, value in flags.items() if value is not None}


def _read_text(name: str) -> str:
    """What a file or standard input holds, as far as an architecture may be long, and one character more."""
    if name == "-":
        return sys.stdin.read(LONGEST_TEXT + 1)
    with Path(name).open(encoding="utf-8") as file:
        return file.read(LONGEST_TEXT + 1)


def _read_json(name: str) -> Any:
    return json.loads(sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8"))
