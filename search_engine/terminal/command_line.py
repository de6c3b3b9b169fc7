"""What can be typed after `python -m search_engine`, and what it stands for."""

import argparse
import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any, NoReturn

from search_engine.architectures.reading import Architecture
from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.catalogue.published import published_names, read_published
from search_engine.config.base import Config
from search_engine.config.controller_presets import PRESET_NAMES
from search_engine.config.data import DataConfig
from search_engine.config.language import LanguageTrainingConfig, TextDataConfig
from search_engine.config.layout import LayoutConfig, MacroLayoutConfig, NasBench201LayoutConfig, default_layout
from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.config.searches import AnySearchConfig, read_search_config
from search_engine.config.training import TrainingConfig
from search_engine.config.trainings import AnyTrainingConfig
from search_engine.data.named_images import FOLDER, named_images
from search_engine.data.named_text import named_text
from search_engine.data.own_set import describe_in
from search_engine.data.texts import TEXTS
from search_engine.errors import ArchitectureError, ConfigError, UserError
from search_engine.export.bundle_file import is_bundle, read_bundle
from search_engine.formats.dialects import DIALECTS, LONGEST_TEXT, read
from search_engine.presets import PRESETS
from search_engine.shared_presets import SHARED_PRESETS

DEFAULTS = {name: TrainingConfig.model_fields[name].default for name in ("recipe", "data")}
TEXT_DEFAULTS = {name: LanguageTrainingConfig.model_fields[name].default for name in ("layout", "recipe", "data")}
LAYOUTS = (LayoutConfig(normal_cells=6), MacroLayoutConfig(), NasBench201LayoutConfig())  # The flags in this order.
SPACES = ("nasnet", "enas-micro", "enas-macro", "enas-recurrent")
_SHORT = {"normal_cells": "cells"}  # Flags that are shorter than the setting's name.


def parser() -> argparse.ArgumentParser:
    top = _Parser(prog="python -m search_engine", description="Neural architecture search, in the terminal.")
    commands = top.add_subparsers(metavar="COMMAND", required=True)

    _command(commands, "catalogue", "list the published architectures")

    one = _command(commands, "describe", "count parameters and multiply-adds of a network")
    _architecture(one, nargs="?")
    _space(one)
    _layout(one)
    one.add_argument("--image-size", type=int, metavar="PX", help="height and width (32)")
    one.add_argument("--image-channels", type=int, metavar="C", help="3 for colour, 1 for grey (3)")
    one.add_argument("--classes", type=int, metavar="K", help="how many classes (10)")
    one.add_argument(
        "--concat", choices=("released", "strict"),
        help="what leaves a cell: the states that the architecture lists (released), or only those that no block reads",
    )  # fmt: skip
    one.add_argument("--hidden", type=int, metavar="H", help="of a recurrent cell: numbers in the state (850)")
    one.add_argument("--vocabulary", type=int, metavar="V", help="of a recurrent cell: words or characters (10,000)")

    one = _command(commands, "draw", "draw an architecture", prints_figures=False)
    _architecture(one)
    one.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.svg", help="where the picture goes")

    one = _command(commands, "convert", "write an architecture in another dialect", prints_figures=False)
    _architecture(one)
    names = [dialect.name for dialect in DIALECTS]
    one.add_argument("--to", choices=names, required=True, help="the dialect")
    one.add_argument("-o", "--out", type=Path, metavar="FILE", help="where the text goes (standard output)")

    one = _command(commands, "search", "search in this process; run again, it goes on")
    presets = ", ".join(preset.name for preset in PRESETS)
    shared = ", ".join(preset.name for preset in SHARED_PRESETS)
    one.add_argument("config", metavar="CONFIG", help=f"a file of JSON, or a preset: {presets}, {shared}")
    one.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of this search")
    _data_folder(one)

    one = _command(commands, "compare", "search by several strategies on the same budget; run again, it goes on")
    one.add_argument("config", metavar="CONFIG", help=f"a file of JSON, or a preset: {presets}")
    one.add_argument("--strategies", default="ppo,random", metavar="NAMES", help="with commas between (ppo,random)")
    one.add_argument("--seeds", type=int, default=3, metavar="N", help="runs of each, from CONFIG's seed on (3)")
    one.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of these runs")
    _data_folder(one)

    one = _command(commands, "train", "train a network for keeps; run again, it goes on")
    _architecture(one)
    texts = ", ".join(text.name for text in TEXTS)
    one.add_argument(
        "--data", required=True, metavar="NAME",
        help="the data set, or a folder or zip of images with a folder per class; "
        f"for a recurrent cell a text: {texts}, a file of yours, or a folder with three",
    )  # fmt: skip
    one.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of this training")
    _layout(one)
    _section(one, "recipe", DEFAULTS["recipe"])
    _section(one, "data", DEFAULTS["data"], image_size="their own", train_examples="all that are not held out")
    _text_settings(one)
    one.add_argument("--seed", default=1, help="what all random numbers come from (1)")
    one.add_argument("--threads", default=1, help="computing threads; another number rounds differently (1)")
    _data_folder(one)

    one = _command(commands, "evaluate", "score a trained network on test data")
    file = "network.safetensors"
    one.add_argument("network", type=Path, metavar="DIR_OR_FILE", help=f"a training's folder, its {file}, or a bundle")
    one.add_argument("--data", required=True, metavar="NAME", help="the data set, or a folder or zip of images")
    _data_folder(one)

    one = _command(commands, "export", "bundle a trained network into a zip that runs alone", prints_figures=False)
    one.add_argument("network", type=Path, metavar="DIR_OR_FILE", help=f"a training's folder, or its {file}")
    one.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.zip", help="where the bundle goes")
    return top


def _command(commands: Any, name: str, help: str, *, prints_figures: bool = True) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help, description=f"{help.capitalize()}.")
    parser.set_defaults(command=name)
    if prints_figures:
        parser.add_argument("--json", action="store_true", help="print figures as JSON")
    return parser


def _architecture(parser: argparse.ArgumentParser, **more: Any) -> None:
    parser.add_argument(
        "architecture", metavar="ARCH", **more,
        help="a name of the catalogue, a file in any dialect, a bundle, or - for standard input",
    )  # fmt: skip


def _space(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("in place of ARCH", "What a search has besides its children.")
    group.add_argument("--space", choices=SPACES, help="the space of the search")
    group.add_argument("--supernet", action="store_true", help="the network whose weights all architectures share")
    group.add_argument("--controller", action="store_true", help="what draws architectures")
    group.add_argument(
        "--preset", choices=PRESET_NAMES,
        help="as the paper prints it, as the released scripts build it, or as a search has it (default)",
    )  # fmt: skip


def _data_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-folder", type=Path, default=Path("var/data"), metavar="DIR", help="where downloads are kept (var/data)"
    )


def _layout(parser: argparse.ArgumentParser) -> None:
    """The flags of every kind of layout, each once; which of them belong to an architecture is its kind's choice."""
    known: set[str] = set()
    for layout in LAYOUTS:
        _section(parser, "layout", layout, known)
        known |= set(type(layout).model_fields)


def _text_settings(parser: argparse.ArgumentParser) -> None:
    """What a training on text has besides: only the defaults differ where both sorts have a setting."""
    alike = [
        name for name in type(TEXT_DEFAULTS["recipe"]).model_fields if name in type(DEFAULTS["recipe"]).model_fields
    ]
    group = parser.add_argument_group(
        "on text",
        "For recurrent cells. Of the settings above they share these, with other defaults: "
        + ", ".join(f"{flag_of(name)} ({getattr(TEXT_DEFAULTS['recipe'], name)})" for name in alike) + ".",
    )  # fmt: skip
    for section, defaults in TEXT_DEFAULTS.items():
        _section(group, section, defaults, {"own", *alike})


def _section(
    parser: argparse._ActionsContainer,
    section: str,
    defaults: Config,
    known: Collection[str] = (),
    **otherwise: str,
) -> None:
    """One flag per setting of a configuration; the configuration itself checks what was given.

    known: settings that have a flag already. otherwise: what stands for a setting that is not given, in words, where
    that is not its default.
    """
    for name, field in type(defaults).model_fields.items():
        if name in ("name", "kind") or name in known:
            continue
        flag = flag_of(name)
        default = otherwise.get(name, getattr(defaults, name))
        text = f"{field.description} ({default})".replace("%", "%%")
        if field.annotation is bool:
            parser.add_argument(flag, dest=f"{section}.{name}", action=argparse.BooleanOptionalAction, help=text)
        else:
            parser.add_argument(flag, dest=f"{section}.{name}", metavar="VALUE", help=text)


class _Parser(argparse.ArgumentParser):
    """Says a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (--help shows what can be given)\n")


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
        config = read_search_config(_read_json(name))
    except ValueError as error:
        raise UserError("CONFIG", f"{name} does not hold JSON: {error}.") from error
    return config if folder is None else _with_kept_data(config, folder)


def _with_kept_data(config: AnySearchConfig, folder: Path) -> AnySearchConfig:
    """The configuration with images or a text of the user's own under the name by which they are kept in a folder."""
    name, kept = config.data.name, {}
    if isinstance(config.data, TextDataConfig):
        kept = named_text(name, folder) if Path(name).exists() else {}
    elif name.startswith(FOLDER):
        kept = {"name": named_images(name, folder)}
    return config.model_copy(update={"data": config.data.model_copy(update=kept)})


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


def flag_of(setting: str) -> str:
    return "--" + _SHORT.get(setting, setting).replace("_", "-")


def _read_text(name: str) -> str:
    """What a file or standard input holds, as far as an architecture may be long, and one character more."""
    if name == "-":
        return sys.stdin.read(LONGEST_TEXT + 1)
    with Path(name).open(encoding="utf-8") as file:
        return file.read(LONGEST_TEXT + 1)


def _read_json(name: str) -> Any:
    return json.loads(sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8"))
