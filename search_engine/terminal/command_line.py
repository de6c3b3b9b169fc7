"""What can be typed after `python -m search_engine`; given.py reads what was."""

import argparse
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, NoReturn

from search_engine.config.base import Config
from search_engine.config.controller_presets import PRESET_NAMES
from search_engine.config.language import LanguageTrainingConfig
from search_engine.config.layout import LayoutConfig, MacroLayoutConfig, NasBench201LayoutConfig
from search_engine.config.training import TrainingConfig
from search_engine.data.texts import TEXTS
from search_engine.formats.dialects import DIALECTS
from search_engine.presets import PRESETS
from search_engine.shared_presets import SHARED_PRESETS

DEFAULTS = {name: TrainingConfig.model_fields[name].default for name in ("recipe", "data")}
TEXT_DEFAULTS = {name: LanguageTrainingConfig.model_fields[name].default for name in ("layout", "recipe", "data")}
LAYOUTS = (LayoutConfig(normal_cells=6), MacroLayoutConfig(), NasBench201LayoutConfig())  # The flags in this order.
SPACES = ("nasnet", "enas-micro", "enas-macro", "enas-recurrent")
TABLE = "CELLWRIGHT_NASBENCH201"
NETWORK = "network.safetensors"  # In the folder of a training.
_SHORT = {"normal_cells": "cells"}  # Flags that are shorter than the setting's name.


def parser() -> argparse.ArgumentParser:
    top = _Parser(prog="python -m search_engine", description="Neural architecture search, in the terminal.")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    _command(commands, "catalogue", "list the published architectures")
    for add in (_describe, _draw, _convert, _search, _compare, _tabular, _train, _evaluate, _export):
        add(commands)
    return top


def _describe(commands: Any) -> None:
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


def _draw(commands: Any) -> None:
    one = _command(commands, "draw", "draw an architecture", prints_figures=False)
    _architecture(one)
    one.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.svg", help="where the picture goes")


def _convert(commands: Any) -> None:
    one = _command(commands, "convert", "write an architecture in another dialect", prints_figures=False)
    _architecture(one)
    names = [dialect.name for dialect in DIALECTS]
    one.add_argument("--to", choices=names, required=True, help="the dialect")
    one.add_argument("-o", "--out", type=Path, metavar="FILE", help="where the text goes (standard output)")


def _search(commands: Any) -> None:
    one = _command(commands, "search", "search in this process; run again, it goes on")
    presets = ", ".join(preset.name for preset in PRESETS)
    shared = ", ".join(preset.name for preset in SHARED_PRESETS)
    one.add_argument("config", metavar="CONFIG", help=f"a file of JSON, or a preset: {presets}, {shared}")
    one.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of this search")
    one.add_argument(
        "--changes", type=Path, metavar="FILE", help="what changes on the way, limits and bans, as the web gives it"
    )
    _data_folder(one)


def _compare(commands: Any) -> None:
    presets = ", ".join(preset.name for preset in PRESETS)
    one = _command(commands, "compare", "search by several strategies on the same budget; run again, it goes on")
    one.add_argument("config", metavar="CONFIG", help=f"a file of JSON, or a preset: {presets}")
    one.add_argument("--strategies", default="ppo,random", metavar="NAMES", help="with commas between (ppo,random)")
    one.add_argument("--seeds", type=int, default=3, metavar="N", help="runs of each, from CONFIG's seed on (3)")
    one.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of these runs")
    _data_folder(one)


def _tabular(commands: Any) -> None:
    one = _command(commands, "tabular", "compare strategies on a table of trained networks, in seconds")
    one.add_argument(
        "table", nargs="?", type=Path, default=os.environ.get(TABLE), metavar="TABLE.csv",
        help=f"cells of NAS-Bench-201 with the columns arch, val12 and test200 (what {TABLE} names)",
    )  # fmt: skip
    one.add_argument("--strategies", default="ppo-replay,random", metavar="NAMES",
                     help="with commas between (ppo-replay,random)")  # fmt: skip
    one.add_argument("--seeds", type=int, default=20, metavar="N", help="searches of each, with seeds from 1 on (20)")
    one.add_argument("--evaluations", type=int, default=500, metavar="N", help="networks proposed in each (500)")


def _train(commands: Any) -> None:
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


def _evaluate(commands: Any) -> None:
    one = _command(commands, "evaluate", "score a trained network on test data")
    one.add_argument(
        "network", type=Path, metavar="DIR_OR_FILE", help=f"a training's folder, its {NETWORK}, or a bundle"
    )
    one.add_argument("--data", required=True, metavar="NAME", help="the data set, or a folder or zip of images")
    _data_folder(one)


def _export(commands: Any) -> None:
    one = _command(commands, "export", "bundle a trained network into a zip that runs alone", prints_figures=False)
    one.add_argument("network", type=Path, metavar="DIR_OR_FILE", help=f"a training's folder, or its {NETWORK}")
    one.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.zip", help="where the bundle goes")


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


def flag_of(setting: str) -> str:
    return "--" + _SHORT.get(setting, setting).replace("_", "-")
