"""The model card of a network that reads text."""

from collections.abc import Mapping

from search_engine.catalogue.published import published_names, read_published
from search_engine.code_version import code_version
from search_engine.export.card import HUB, NOT_LISTED, PICTURE, TORCH, code_block, plain, settings_table, table
from search_engine.recurrent_plan import recurrent_parameters
from search_engine.training.trained_language_network import TrainedLanguageNetwork

STEP = """import json

words = json.load(open("vocabulary.json"))
state = network.first_state(1)
for word in ["<eos>"]:  # What was read so far.
    logits, state = network.step(torch.tensor([words.index(word)]), state)
print(words[int(logits.argmax())])"""
ONNX = """import numpy, onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
state = numpy.zeros((1, HIDDEN), numpy.float32)
logits, state = session.run(None, {"token": numpy.array([0]), "state": state})  # One step, of any number of streams."""


def language_card(
    trained: TrainedLanguageNetwork, files: tuple[str, ...], opset: int | None, remark: str, refusals: Mapping[str, str]
) -> str:
    """files: the other files of the bundle. opset: of the ONNX file; None without one, and then remark says why.

    refusals: titles of the dialects that cannot hold the architecture, and why.
    """
    name = plain(trained.config.name) or "A trained network on text"
    refused = [f"Not as {title}: {sentence}" for title, sentence in refusals.items()]
    listed = "\n".join(f"- `{each}`" for each in files)
    recipe = [settings_table(part) for part in (trained.config.layout, trained.config.recipe)]
    recipe += [settings_table(trained.config.reproducibility), NOT_LISTED]
    sections = {
        "How good it is": _results(trained),
        "What it costs": _cost(trained),
        "How it is used": _use(trained, opset, remark),
        "Data": _data(trained),
        "How it was trained": "\n\n".join(recipe),
        "Files": "\n\n".join([listed, *([remark] if remark else []), *refused]),
    }
    told = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())
    return f"# {name}\n\n{about_text(trained)} Made by Cellwright {code_version()}.\n\n{PICTURE}\n\n{told}\n"


def about_text(trained: TrainedLanguageNetwork) -> str:
    """What a network is, in words that nobody typed: they stand in Python files too."""
    architecture = trained.architecture
    published = (read_published(name) for name in published_names())
    title = next((one.title for one in published if one.architecture == architecture), None)
    known = f"{title}: a recurrent cell" if title else "A recurrent cell"
    return (
        f"{known} of {len(architecture.nodes)} nodes for text, {trained.config.layout.hidden} hidden units, a "
        f"vocabulary of {len(trained.vocabulary):,}. Architecture {architecture.hash[:12]}."
    )


def _cost(trained: TrainedLanguageNetwork) -> str:
    """Every weight is met once for each token: the two counts are equal."""
    hidden, vocabulary = trained.config.layout.hidden, len(trained.vocabulary)
    count = f"{recurrent_parameters(trained.architecture, hidden=hidden, vocabulary=vocabulary):,}"
    return table("", "Count", {"Parameters": count, "Mult-adds of one token": count})


def _results(trained: TrainedLanguageNetwork) -> str:
    told = trained.metadata
    tokens = told.get("test_tokens")
    counted = "" if tokens is None else f", {tokens:,} tokens"
    rows = {
        "validation part": told.get("held_out_perplexity"),
        f"test part{counted}, looked at once after the last epoch": told.get("test_perplexity"),
        "test part, guessing by the frequency of each token alone": told.get("unigram_perplexity"),
    }
    shown = {name: "unknown" if value is None else f"{value:.2f}" for name, value in rows.items()}
    note = plain(trained.metadata["data"].get("note") or "")
    return "\n\n".join(filter(None, [table("Text", "Perplexity", shown), note]))


def _use(trained: TrainedLanguageNetwork, opset: int | None, remark: str) -> str:
    onnx = remark
    if opset is not None:
        hidden = str(trained.config.layout.hidden)
        onnx = f"One step with ONNX Runtime (opset {opset}):\n\n{code_block(ONNX.replace('HIDDEN', hidden))}"
    first = next((word for word in ("<eos>", *trained.vocabulary) if word in trained.vocabulary), "")
    step = STEP.replace('"<eos>"', repr(first))
    return (
        f"In the folder of these files, with PyTorch and safetensors:\n\n{code_block(TORCH)}\n\n"
        f"The token that follows, where `vocabulary.json` lists the tokens by their numbers:\n\n{code_block(step)}\n\n"
        f"From anywhere, by torch.hub:\n\n{code_block(HUB)}\n\n{onnx}\n\n"
        "`python check.py` repeats recorded outputs and fails where one differs. The tokens that it reads were drawn "
        "at random. Of the text itself the bundle holds the vocabulary, and nothing else."
    )


def _data(trained: TrainedLanguageNetwork) -> str:
    data = trained.metadata["data"]
    rows = {
        "Text": plain(data.get("title") or data["name"]),
        "Read by": data["level"],
        "SHA-256": f"`{data['sha256']}`",
        "Licence of the text": plain(data.get("licence") or "not stated"),
        "Training part": f"{data['train_tokens']:,} tokens",
        "Validation part": f"{data['valid_tokens']:,} tokens",
        "Test part": f"{data['test_tokens']:,} tokens",
        "Split": plain(data.get("split") or "not stated"),
    }
    return table("", "", rows)
