"""The files of a bundle whose network reads text: they run alone, one token at a time or a whole sequence."""

import textwrap
from importlib import resources

import torch

from search_engine.code_version import code_version
from search_engine.export.bundle_file import KEPT, WEIGHTS, in_one_order, weights_metadata
from search_engine.export.bundle_parts import architecture_files, json_bytes, kept_note, printed_network, refusals
from search_engine.export.language_card import about_text, language_card
from search_engine.export.onnx_file import NoOnnx, OnnxFile, WriteOnnx
from search_engine.export.printed_parts import LINE
from search_engine.export.recurrent_source import recurrent_source
from search_engine.training.trained_language_network import TrainedLanguageNetwork

STEPS, STREAMS = 8, 2  # Of the stretch of text whose outputs are recorded.
RESULTS = ("held_out_perplexity", "test_perplexity", "test_tokens", "unigram_perplexity")


def language_files(trained: TrainedLanguageNetwork, write_onnx: WriteOnnx) -> tuple[dict[str, bytes], str]:
    """(files by their names, why there is no ONNX file or ""). Raises CheckpointError for weights that do not fit."""
    hidden = trained.config.layout.hidden
    source = recurrent_source(
        trained.architecture,
        vocabulary=len(trained.vocabulary),
        hidden=hidden,
        about=textwrap.fill(about_text(trained), LINE),
    )
    onnx = write_onnx(printed_network(source, trained.tensors), (hidden,))
    remark = onnx.sentence if isinstance(onnx, NoOnnx) else ""
    files = {
        "model.py": source.encode(),
        **_programs(),
        **architecture_files(trained.architecture),
        **_tensors(trained),
    }
    if isinstance(onnx, OnnxFile):
        files["model.onnx"] = onnx.content
    files["vocabulary.json"] = json_bytes(list(trained.vocabulary))
    files["config.json"] = json_bytes(trained.config.model_dump(mode="json"))
    opset = onnx.opset if isinstance(onnx, OnnxFile) else None
    card = language_card(trained, tuple(sorted(files)), opset, remark, refusals(trained.architecture))
    return files | {"README.md": card.encode()}, remark


def _programs() -> dict[str, bytes]:
    parts = resources.files("search_engine.export")
    names = {"check.py": "check_text.py.txt", "hubconf.py": "hubconf.py.txt"}
    return {name: parts.joinpath(source).read_bytes() for name, source in names.items()}


def _tensors(trained: TrainedLanguageNetwork) -> dict[str, bytes]:
    """The weights, and outputs that were computed by the network as it was trained, not by the printed file."""
    from safetensors.torch import save

    noted = weights_metadata(
        {
            "architecture": trained.architecture.to_json(),
            "layout": trained.config.layout.model_dump(mode="json"),
            "vocabulary": list(trained.vocabulary),
            "config": trained.config.model_dump(mode="json"),
            "data": trained.metadata["data"],
            "results": {name: trained.metadata[name] for name in RESULTS if name in trained.metadata},
            "hash": trained.architecture.hash,
            "code_version": code_version(),
            KEPT: kept_note(trained),
        }
    )
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in trained.tensors.items()}
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(len(trained.vocabulary), (STEPS, STREAMS), generator=generator)
    network = trained.network().eval()
    with torch.no_grad():
        outputs, _ = network(tokens, network.first_state(STREAMS))
        logits = network.logits(outputs)
    return {
        WEIGHTS: in_one_order(save(weights, noted)),
        "check.safetensors": in_one_order(save({"inputs": tokens, "logits": logits.contiguous()})),
    }
