import io
import json
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import load

from search_engine.__main__ import main
from search_engine.architectures.recurrent import ACTIVATIONS, RecurrentArchitecture, RecurrentNode
from search_engine.catalogue.published import read_published
from search_engine.config.trainings import read_training_config
from search_engine.data.own_text import keep_own_text
from search_engine.data.token_streams import prepare_text
from search_engine.export.bundle import make_bundle
from search_engine.export.bundle_file import network_file_in, read_bundle
from search_engine.export.bundle_parts import printed_network
from search_engine.export.kept_file import read_kept_network
from search_engine.export.onnx_file import NoOnnx
from search_engine.export.recorded import recorded
from search_engine.export.recurrent_source import recurrent_source
from search_engine.networks.recurrent_network import RecurrentNetwork
from search_engine.terminal.training_folder import TrainingFolder
from search_engine.training.language_for_keeps import LanguageTraining
from tests.engine.test_export_bundle import empty_python, run  # noqa: F401

CELL = RecurrentArchitecture(
    (
        RecurrentNode(None, "tanh"),
        RecurrentNode(0, "relu"),
        RecurrentNode(0, "identity"),
        RecurrentNode(1, "sigmoid"),
    ),
    (2, 3),
).validated()
LINES = ("one two three four", "red green blue", "north east south west and north again")


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    """The folder of a training of one epoch on a text of one's own."""
    folder = tmp_path_factory.mktemp("texts")
    order = np.random.default_rng(1).integers(0, 3, 120)
    (folder / "mine.txt").write_text("\n".join(LINES[number] for number in order))
    value = {
        "name": "Three *lines*",
        "architecture": CELL.to_json(),
        "layout": {"hidden": 8},
        "recipe": {"epochs": 1, "batch_size": 4, "bptt": 7, "learning_rate": 5.0},
        "data": {"name": "own", "own": keep_own_text(folder / "mine.txt", folder)},
    }
    config = read_training_config(value)
    device = torch.device("cpu")
    data = prepare_text(config.data, folder=folder, device=device)
    kept = TrainingFolder(folder / "kept", LanguageTraining(config, data=data, device=device))
    for _ in kept.run():
        pass
    kept.close()
    return folder / "kept"


@pytest.fixture(scope="module")
def bundle(training, tmp_path_factory):
    path = tmp_path_factory.mktemp("bundle") / "bundle.zip"
    assert main(["export", str(training), "-o", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def unpacked(bundle):
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(bundle.parent / "unpacked")
    return bundle.parent / "unpacked"


def test_the_check_repeats_the_outputs_without_this_program_and_fails_for_other_weights(unpacked, empty_python):  # noqa: F811
    assert "No module named" in run(empty_python, unpacked, "-c", "import search_engine").stderr
    checked = run(empty_python, unpacked, "check.py")
    assert (checked.returncode, checked.stdout.splitlines()[-1]) == (0, "The recorded outputs are repeated."), checked
    program = "import model; model.VOCABULARY; import check, torch; model.Network.cell = lambda self, word, state: word"
    assert run(empty_python, unpacked, "-c", f"{program}; raise SystemExit(check.main())").returncode == 1


def test_one_step_in_onnx_gives_what_torch_gives_for_any_number_of_streams(unpacked, training):
    import onnxruntime

    network = read_kept_network(training).network()
    session = onnxruntime.InferenceSession(unpacked / "model.onnx", providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_inputs()] == ["token", "state"]
    for streams in (1, 2, 5):
        tokens = torch.arange(streams * 3).reshape(3, streams) % 5
        state = np.zeros((streams, 8), np.float32)
        found = []
        for token in tokens:
            logits, state = session.run(["logits", "next_state"], {"token": token.numpy(), "state": state})
            found.append(logits)
        with torch.no_grad():
            outputs, last = network(tokens, network.first_state(streams))
            wanted = network.logits(outputs)
        assert np.abs(np.stack(found) - wanted.numpy()).max() < 1e-5 and np.abs(state - last.numpy()).max() < 1e-5


def test_torch_hub_loads_it_and_a_sequence_is_its_steps(unpacked, empty_python):  # noqa: F811
    program = (
        "import torch; from safetensors.torch import load_file; recorded = load_file('check.safetensors')\n"
        "network = torch.hub.load('.', 'network', source='local')\n"
        "logits, state = network(recorded['inputs']); print(torch.allclose(logits, recorded['logits'], atol=1e-5))\n"
        "one, after = network.step(recorded['inputs'][0], network.first_state(2))\n"
        "print(torch.equal(one, logits[0]), torch.equal(network(recorded['inputs'][1:], after)[1], state))"
    )
    loaded = run(empty_python, unpacked, "-c", program)
    assert loaded.stdout.split() == ["True", "True", "True"], loaded.stderr


CELLS = [
    CELL,
    RecurrentArchitecture((RecurrentNode(None, "relu"),), (0,)).validated(),
    RecurrentArchitecture(
        (RecurrentNode(None, "tanh"), *(RecurrentNode(0, name) for name in ACTIVATIONS)), (1, 2, 3, 4)
    ).validated(),
    *(read_published(name).architecture for name in ("darts-v2-rnn", "enas-recurrent-paper")),
]


@pytest.mark.parametrize("cell", CELLS, ids=range(len(CELLS)))
def test_the_printed_network_computes_what_the_trained_one_does(cell):
    network = RecurrentNetwork(
        cell, vocabulary=11, hidden=6, generator=torch.Generator().manual_seed(1), initial_range=1
    )
    source = recurrent_source(cell, vocabulary=11, hidden=6, about="A cell.")
    printed = printed_network(source, network.state_dict())
    tokens = torch.arange(12).reshape(4, 3) % 11
    with torch.no_grad():
        outputs, state = network(tokens, network.first_state(3))
        logits, last = printed(tokens)
        assert torch.allclose(logits, network.logits(outputs), atol=1e-5) and torch.allclose(last, state, atol=1e-5)
    assert ("def identity(" in source) == any(node.activation == "identity" for node in cell.nodes)
    assert "..." not in source


def test_the_card_tells_the_test_perplexity_beside_that_of_guessing(unpacked, training):
    result = json.loads((training / "result.json").read_text())
    told = read_kept_network(training).metadata
    card = (unpacked / "README.md").read_text()
    assert f"looked at once after the last epoch | {result['test_perplexity']:.2f} |" in card
    assert f"guessing by the frequency of each token alone | {told['unigram_perplexity']:.2f} |" in card
    assert "# Three \\*lines\\*" in card and "vocabulary.json" in card and "8 hidden units" in card


def test_the_vocabulary_lists_the_tokens_by_their_numbers(unpacked, training):
    words = json.loads((unpacked / "vocabulary.json").read_text())
    assert tuple(words) == read_kept_network(training).vocabulary and words[:2] == ["<unk>", "<eos>"]


def test_a_bundle_of_a_text_is_read_back_with_its_figures_and_weights(bundle, training):
    told, result = recorded(read_bundle(bundle)), json.loads((training / "result.json").read_text())
    assert (told.measure, told.test, told.guessing is not None) == ("perplexity", result["test_perplexity"], True)
    assert "Guessing by frequency has" in " ".join(told.sentences())
    again, first = read_kept_network(bundle), read_kept_network(training)
    assert all(torch.equal(again.tensors[name], tensor) for name, tensor in first.tensors.items())
    assert again.vocabulary == first.vocabulary and again.architecture == CELL


def test_the_file_of_the_training_comes_back_out_of_the_bundle_byte_for_byte(bundle, training):
    assert network_file_in(bundle) == (training / "network.safetensors").read_bytes()


def test_equal_networks_give_equal_bytes_and_a_bundle_without_onnx_says_why(training):
    why = NoOnnx("There is no ONNX file: this test wants none.")
    first, second = (make_bundle(read_kept_network(training), write_onnx=lambda *_: why) for _ in range(2))
    assert first.content == second.content and first.remark == why.sentence
    with zipfile.ZipFile(io.BytesIO(first.content)) as archive:
        assert "model.onnx" not in archive.namelist() and why.sentence in archive.read("README.md").decode()
        assert set(load(archive.read("weights.safetensors"))) == set(read_kept_network(training).tensors)
