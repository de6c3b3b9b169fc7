import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from search_engine.__main__ import main
from search_engine.architectures.macro import MacroArchitecture, MacroLayer
from search_engine.architectures.nas_bench_201 import NasBench201Architecture
from search_engine.catalogue.published import read_published
from search_engine.config.reading import read_config
from search_engine.config.training import TrainingConfig
from search_engine.data.batches import prepare
from search_engine.errors import CheckpointError
from search_engine.export.bundle import make_bundle, preprocessing
from search_engine.export.bundle_file import MOST_ENTRIES, is_bundle, network_file_in, read_bundle, zipped
from search_engine.export.kept_file import read_kept_network
from search_engine.export.onnx_file import NoOnnx
from search_engine.formats.dialects import DIALECTS, write
from search_engine.terminal.training_folder import TrainingFolder
from search_engine.training.for_keeps import TrainingForKeeps

NASNET_A = read_published("nasnet-a").architecture
NOT_TRIED = NoOnnx("There is no ONNX file: this test wants none.")
CELL = ("nor_conv_3x3", "skip_connect", "avg_pool_3x3", "none", "nor_conv_1x1", "nor_conv_3x3")
KINDS = {
    # Pools that count padding: the exporter drops the divisor that PyTorch's own pools take, and says nothing.
    "cells": (
        NASNET_A,
        {"normal_cells": 1, "filters": 4, "average_counts_padding": True},
        {"drop_path": "time-and-depth", "auxiliary_weight": 0.4},
    ),
    "macro": (MacroArchitecture((MacroLayer("conv_3x3"), MacroLayer("max_pool_3x3", (0, 1)))), {"filters": 4}, {}),
    "nas_bench_201": (NasBench201Architecture(CELL), {"normal_cells": 1, "filters": 4}, {}),
}


def trained(folder, kind):
    """The folder of a training of one epoch."""
    architecture, layout, recipe = KINDS[kind]
    value = {
        "name": "Grey *clothes*",
        "architecture": architecture.to_json(),
        "layout": layout,
        "recipe": {"epochs": 1, "batch_size": 32, **recipe},
        "data": {"image_size": 28, "train_examples": 64, "held_out_examples": 50},
    }
    config = read_config(TrainingConfig, value)
    device = torch.device("cpu")
    data = prepare(config.data, seed=1, folder=folder, device=device)
    training = TrainingFolder(folder / kind, TrainingForKeeps(config, data=data, device=device))
    for _ in training.run():
        pass
    training.close()
    return folder / kind


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trainings")
    return {kind: trained(folder, kind) for kind in KINDS}


@pytest.fixture(scope="module")
def bundle(trainings, tmp_path_factory):
    """The path of a bundle with its ONNX file, as the terminal writes it."""
    path = tmp_path_factory.mktemp("bundle") / "bundle.zip"
    assert main(["export", str(trainings["cells"]), "-o", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def unpacked(bundle):
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(bundle.parent / "unpacked")
    return bundle.parent / "unpacked"


@pytest.fixture(scope="module")
def empty_python(tmp_path_factory):
    """A Python whose packages are torch, what torch needs, and safetensors."""
    folder = tmp_path_factory.mktemp("empty")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=120)
    packages = next(folder.glob("lib/python*/site-packages"))
    for name in needed_by("torch") | {"safetensors"}:
        for path in {Path(file.parts[0]) for file in metadata.files(name) or () if file.parts[0] != ".."}:
            if path.name != "__pycache__" and not (packages / path).exists():
                (packages / path).symlink_to(metadata.distribution(name).locate_file(path))
    return folder / "bin" / "python"


def needed_by(name):
    """The installed packages that a package needs, and itself, without extras."""
    found, waiting = set(), [name]
    while waiting:
        one = waiting.pop()
        if one in found:
            continue
        try:
            needs = metadata.requires(one) or ()
        except metadata.PackageNotFoundError:
            continue  # Of another system.
        found.add(one)
        waiting += [re.match(r"[\w.-]+", need)[0] for need in needs if "extra ==" not in need]
    return found


def run(python, folder, *arguments):
    environment = {"PATH": os.defpath, "HOME": str(folder)}
    command = [python, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_check_repeats_the_outputs_where_nothing_but_torch_and_safetensors_is(unpacked, empty_python):
    for absent in ("search_engine", "webapp", "numpy", "django", "onnx", "torchvision"):
        found = run(empty_python, unpacked, "-c", f"import {absent}")
        assert f"No module named '{absent}'" in found.stderr
    checked = run(empty_python, unpacked, "check.py")
    assert (checked.returncode, checked.stdout.splitlines()[-1]) == (0, "The recorded outputs are repeated."), checked


def test_the_check_fails_where_a_weight_is_another(unpacked, empty_python, tmp_path):
    changed = tmp_path / "changed"
    shutil.copytree(unpacked, changed)
    tensors = load((changed / "weights.safetensors").read_bytes())
    tensors["head.linear.bias"][0] += 0.1
    (changed / "weights.safetensors").write_bytes(save(tensors))
    checked = run(empty_python, changed, "check.py")
    assert (checked.returncode, checked.stdout.splitlines()[-1]) == (1, "The outputs DIFFER from those recorded.")


def test_torch_hub_loads_the_network_without_this_program(unpacked, empty_python):
    program = (
        "import torch; from safetensors.torch import load_file; recorded = load_file('check.safetensors')\n"
        "import runpy; shown = runpy.run_path('hubconf.py')\n"
        "assert [name for name in shown if callable(shown[name]) and name[0] != '_'] == ['network']\n"
        "for pretrained in (True, False):\n"
        "    found = torch.hub.load('.', 'network', source='local', pretrained=pretrained)(recorded['inputs'])\n"
        "    print(torch.allclose(found, recorded['logits'], atol=1e-4))"
    )
    loaded = run(empty_python, unpacked, "-c", program)
    assert loaded.stdout.splitlines() == ["True", "False"], loaded.stderr


def test_onnx_gives_what_torch_gives_whatever_the_batch_size(unpacked):
    import onnxruntime

    recorded = load((unpacked / "check.safetensors").read_bytes())
    session = onnxruntime.InferenceSession(unpacked / "model.onnx", providers=["CPUExecutionProvider"])
    for size in (1, 3, 8):
        (logits,) = session.run(["logits"], {"images": recorded["inputs"][:size].numpy()})
        assert np.abs(logits - recorded["logits"][:size].numpy()).max() < 1e-4
    (opset,) = [each.version for each in onnx_model(unpacked).opset_import if each.domain == ""]
    assert f"(opset {opset})" in (unpacked / "README.md").read_text()


def onnx_model(folder):
    import onnx

    return onnx.load(folder / "model.onnx")


def test_nothing_in_the_bundle_names_a_place_on_this_machine(unpacked):
    here = str(Path(__file__).parents[2]).encode()
    texts = {path: path.read_bytes() for path in unpacked.rglob("*") if path.is_file()}
    assert [path for path, text in texts.items() if here in text or b"site-packages" in text] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_auxiliary_head_stays_behind_and_every_name_is_that_of_the_plan(trainings, kind):
    network = read_kept_network(trainings[kind])
    with zipfile.ZipFile(io.BytesIO(without_onnx(network).content)) as archive:
        weights = load(archive.read("weights.safetensors"))
    assert set(weights) == set(network.plan.parameter_shapes()) | set(network.plan.buffer_shapes())
    assert not [name for name in weights if name.startswith("auxiliary")]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_network_repeats_its_outputs(trainings, kind, tmp_path):
    with zipfile.ZipFile(io.BytesIO(without_onnx(read_kept_network(trainings[kind])).content)) as archive:
        archive.extractall(tmp_path)
    checked = run(sys.executable, tmp_path, "check.py")
    assert checked.returncode == 0, checked


def without_onnx(network):
    return make_bundle(network, write_onnx=lambda *_: NOT_TRIED)


def test_equal_networks_give_equal_bytes(trainings):
    first, second = (without_onnx(read_kept_network(trainings["macro"])) for _ in range(2))
    assert first.content == second.content


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_of_the_training_comes_back_out_of_the_bundle_byte_for_byte(trainings, kind, tmp_path):
    network = trainings[kind] / "network.safetensors"
    (tmp_path / "bundle.zip").write_bytes(without_onnx(read_kept_network(network)).content)
    assert network_file_in(tmp_path / "bundle.zip") == network.read_bytes()


def test_a_bundle_of_a_bundle_does_not_claim_to_know_the_file_of_a_training(bundle, tmp_path):
    (tmp_path / "bundle.zip").write_bytes(without_onnx(read_kept_network(bundle)).content)
    with pytest.raises(CheckpointError, match="does not tell what the file said"):
        network_file_in(tmp_path / "bundle.zip")


def test_a_bundle_without_onnx_says_why(trainings):
    bundle = without_onnx(read_kept_network(trainings["macro"]))
    with zipfile.ZipFile(io.BytesIO(bundle.content)) as archive:
        assert "model.onnx" not in archive.namelist()
        card = archive.read("README.md").decode()
    assert bundle.remark == NOT_TRIED.sentence and card.count(NOT_TRIED.sentence) == 2


def test_the_card_tells_held_out_and_test_apart_and_where_the_data_are_from(unpacked, trainings):
    card = (unpacked / "README.md").read_text()
    result = json.loads((trainings["cells"] / "result.json").read_text())
    assert f"| held-out part, 50 images of the training part | {result['held_out_accuracy']:.4f} |" in card
    assert f"images, looked at once after the last epoch | {result['test_accuracy']:.4f} |" in card
    assert f"| Parameters | {result['parameters']:,} |" in card
    assert "| Optimizer | sgd |" in card
    assert not [title for title in ("RMSProp", "Cutout", "Stem filters") if title in card]
    assert "What is not listed was off." in card and "Batch norm adds 1e-05 to a variance" in card
    assert "MIT, Zalando SE" in card and "# Grey \\*clothes\\*" in card and "Ankle boot" in card


def test_preprocessing_tells_how_an_image_becomes_an_input(unpacked, trainings):
    told = json.loads((unpacked / "preprocessing.json").read_text())
    assert told == preprocessing(read_kept_network(trainings["cells"]))
    assert (told["colour"], told["width"], len(told["scale"]), told["classes"][0]) == ("grey", 28, 1, "T-shirt/top")


@pytest.mark.parametrize("kind", KINDS)
def test_the_architecture_is_there_in_every_dialect_that_can_hold_it(trainings, kind):
    with zipfile.ZipFile(io.BytesIO(without_onnx(read_kept_network(trainings[kind])).content)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist() if name.startswith("architecture/")}
        card = archive.read("README.md").decode()
    held = 0
    for dialect in DIALECTS:
        text = write(KINDS[kind][0], dialect.name)
        if isinstance(text, str):
            assert files.pop(f"architecture/{dialect.filename}") == text
            held += 1
        else:
            assert f"Not as {dialect.title}: {text.sentence}" in card
    assert held >= 1 and not files


def test_the_cells_are_drawn(unpacked):
    assert {path.name for path in (unpacked / "pictures").iterdir()} == {"whole.svg", "normal.svg", "reduction.svg"}


def test_a_bundle_scores_as_the_training_did_and_opens_as_its_architecture(bundle, trainings, tmp_path, capsys):
    assert main(["evaluate", str(bundle), "--data", "fashion-mnist-10k", "--json"]) == 0
    scored = json.loads(capsys.readouterr().out)
    result = json.loads((trainings["cells"] / "result.json").read_text())
    assert scored == {name: result[name] for name in ("test_accuracy", "test_examples")}
    assert main(["draw", str(bundle), "-o", str(tmp_path / "drawn.svg")]) == 0
    assert read_bundle(bundle).architecture == NASNET_A and is_bundle(bundle)


def repacked(bundle, tmp_path, change):
    """The bundle with its files changed by a function."""
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    (tmp_path / "changed.zip").write_bytes(zipped(files))
    return tmp_path / "changed.zip"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda files: files.pop("weights.safetensors"), "has 0 files weights.safetensors"),
        (lambda files: files.update({f"{n}": b"" for n in range(MOST_ENTRIES)}), "a bundle has at most"),
        (lambda files: files.update({"weights.safetensors": b"x" * 9}), "is no bundle"),
        (lambda files: files.update({"weights.safetensors": save({"a": torch.zeros(1)})}), "is no bundle"),
        (lambda files: files.update({"weights.safetensors": files["weights.safetensors"][:-4]}), "is damaged"),
    ],
)
def test_what_is_no_bundle_is_refused_with_a_sentence(bundle, tmp_path, change, sentence, capsys):
    path = repacked(bundle, tmp_path, change)
    assert main(["evaluate", str(path), "--data", "fashion-mnist-10k"]) == 2
    assert sentence in capsys.readouterr().err


def test_a_zip_that_is_cut_or_altered_is_refused(bundle, tmp_path):
    content = bytearray(bundle.read_bytes())
    with zipfile.ZipFile(bundle) as archive:
        content[archive.getinfo("weights.safetensors").header_offset + 1000] ^= 255
    for number, text in enumerate((content, content[: len(content) // 2], b"PK")):
        (tmp_path / f"{number}.zip").write_bytes(text)
        with pytest.raises(CheckpointError):
            read_bundle(tmp_path / f"{number}.zip")


def test_weights_of_another_network_are_refused(bundle, tmp_path):
    def change(files):
        content = files["weights.safetensors"]
        length = int.from_bytes(content[:8], "little")
        noted = json.loads(content[8 : 8 + length])["__metadata__"]
        tensors = load(content)
        tensors["head.linear.weight"] = torch.zeros(10, 3)
        files["weights.safetensors"] = save(tensors, noted)

    path = repacked(bundle, tmp_path, change)
    with pytest.raises(CheckpointError, match="belong to another network"):
        read_kept_network(path)


def test_the_detector_in_the_bundle_takes_its_weights_and_is_small(unpacked):
    program = (
        "import sys, torch; from safetensors.torch import load_file; from detection import detector\n"
        "weights = load_file('weights.safetensors')\n"
        "model = detector(2, weights, 8, min_size=64, max_size=64).eval()\n"
        "body = dict(model.backbone.body.named_parameters())\n"
        "assert body and all(torch.equal(body[name], weights[name]) for name in body)\n"
        "with torch.no_grad():\n"
        "    print(sorted(model([torch.rand(1, 64, 64)])[0]))\n"
        "assert 'search_engine' not in sys.modules"
    )
    found = run(sys.executable, unpacked, "-c", program)
    assert found.stdout.strip() == "['boxes', 'labels', 'scores']", found.stderr
    assert (unpacked / "detection.py").stat().st_size < 50_000
    assert "from detection import detector" in (unpacked / "README.md").read_text()
