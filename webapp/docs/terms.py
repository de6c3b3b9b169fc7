"""Every term that a page explains: what it means, and where the papers say it. docs/terms.md is made from this."""

from collections.abc import Mapping
from dataclasses import dataclass

ZOPH = "Zoph et al. 2018"  # arXiv:1707.07012
PHAM = "Pham et al. 2018"  # arXiv:1802.03268
OURS = "ours"  # A word of this program, which no paper defines.


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """name: as it stands in a sentence; text: one to three sentences; source: paper and section, or `OURS`."""

    name: str
    text: str
    source: str


def _term(name: str, text: str, source: str) -> Term:
    return Term(name=name, text=text, source=source)


TERMS: Mapping[str, Term] = {
    # --- What decides -------------------------------------------------------------------------------------------
    "controller": _term(
        "controller",
        "A small recurrent network (an LSTM) that proposes architectures: it makes one decision after another, and "
        "each reads the ones before it.",
        f"{ZOPH}, section 3 and appendix A.2; {PHAM}, section 2.1",
    ),
    "policy": _term(
        "policy",
        "How probable the controller finds each option of each decision. It starts almost uniform; learning moves it.",
        f"{ZOPH}, appendix A.2; {PHAM}, section 2.2",
    ),
    "decision": _term(
        "decision",
        "One choice among a few options, such as which operation stands in a block. An architecture is all of its "
        "decisions together.",
        f"{ZOPH}, section 3",
    ),
    "entropy": _term(
        "entropy",
        "How undecided the controller is, in nats: largest where all options are alike, 0 where one is certain. A "
        "small entropy term in what it learns from keeps it from settling early. A low entropy proves nothing.",
        f"{ZOPH}, appendix A.2; {PHAM}, section 3.2",
    ),
    "ppo": _term(
        "PPO",
        "Proximal policy optimisation: how the controller of NASNet learns. It makes well rewarded decisions more "
        "probable, several passes over each step, and no pass may move a probability far.",
        f"{ZOPH}, appendix A.2",
    ),
    "clip": _term(
        "clip",
        "How far PPO may move the probability of a decision in one step: with 0.2, gains beyond a fifth up or down "
        "count no more.",
        f"{ZOPH}, appendix A.2, names PPO without the figure; 0.2 is usual for PPO",
    ),
    "reinforce": _term(
        "REINFORCE",
        "The simplest policy gradient, by which the controller of ENAS learns: decisions become more probable in "
        "proportion to how far their reward lay above the baseline.",
        f"{PHAM}, section 2.2",
    ),
    "baseline": _term(
        "baseline",
        "A moving mean of past rewards. Only what lies above it is learned from as good, only what lies below as bad.",
        f"{ZOPH}, appendix A.2; {PHAM}, section 2.2",
    ),
    "temperature": _term(
        "temperature",
        "What the controller's scores are divided by before they become probabilities. Above 1 it draws more evenly.",
        f"{PHAM}, sections 3.1 and 3.2",
    ),
    "tanh-constant": _term(
        "tanh constant",
        "A bound on the controller's scores: they run through tanh and are multiplied by it, so that no option ever "
        "becomes certain.",
        f"{PHAM}, sections 3.1 and 3.2",
    ),
    # --- What is searched ---------------------------------------------------------------------------------------
    "cell": _term(
        "cell",
        "A small piece of a network with two inputs. Many copies of it, one behind the other, make the network; only "
        "the cell is searched.",
        f"{ZOPH}, section 3; {PHAM}, section 2.4",
    ),
    "normal-cell": _term(
        "normal cell",
        "A cell that keeps height and width. N of them stand in a row.",
        f"{ZOPH}, section 3; {PHAM}, section 2.4",
    ),
    "reduction-cell": _term(
        "reduction cell",
        "A cell that halves height and width; the filters double there. It is searched separately from the normal "
        "cell.",
        f"{ZOPH}, section 3; {PHAM}, section 2.4",
    ),
    "block": _term(
        "block",
        "Two inputs, an operation on each, and how the two results are combined: five decisions in NASNet. The paper's "
        "cells have five blocks.",
        f"{ZOPH}, section 3",
    ),
    "concatenation": _term(
        "concatenation",
        "Maps are put behind one another along the channels. A cell's output concatenates what no block of it reads.",
        f"{ZOPH}, section 3; {PHAM}, section 2.4",
    ),
    "filters": _term(
        "N and F",
        "The size of the network, apart from its cells: N normal cells stand in each of the three rows, and the first "
        "ones work with F filters (channels).",
        f"{ZOPH}, section 4; the letters N and P of 6 @ 768 are theirs, F is the filters before they double",
    ),
    "separable": _term(
        "separable convolution",
        "A convolution in two parts: each channel by itself, then a 1x1 convolution that mixes channels. It needs far "
        "fewer multiplications. In a cell it is applied twice.",
        f"{ZOPH}, appendix A.4",
    ),
    "skip": _term(
        "skip",
        "In the search for whole networks: whether a layer also reads the output of an earlier one. Each pair of "
        "layers is a decision of its own.",
        f"{PHAM}, section 2.3",
    ),
    "skip-penalty": _term(
        "KL of skips",
        "A penalty that pulls the controller's probability of skips towards a wanted one (0.4), measured as a "
        "Kullback-Leibler divergence.",
        f"{PHAM}, section 3.2",
    ),
    # --- How a search goes --------------------------------------------------------------------------------------
    "child": _term(
        "child",
        "One proposed architecture in one search, which is trained for a moment to get its reward.",
        f"{ZOPH}, sections 3 and A.3",
    ),
    "reward": _term(
        "reward",
        "What the controller learns from: how accurate the child is on held-out images. With cost limits the cost "
        "weighs in it too; on text it is a constant divided by the perplexity.",
        f"{ZOPH}, appendix A.2 and A.3; {PHAM}, section 2.2",
    ),
    "held-out": _term(
        "held-out",
        "Part of the training data that no child is trained on: rewards are measured there. The test part is another "
        "one, looked at once, when a training ends.",
        f"{ZOPH}, appendix A.1",
    ),
    "step": _term(
        "step",
        "One round of a search: a few children are drawn, trained, and the controller learns from them together. In "
        "the paper a step has 20 children.",
        f"{ZOPH}, appendix A.3",
    ),
    "lookahead": _term(
        "lookahead",
        "How many steps are drawn before the results of earlier ones are in, so that no worker waits. With 0 each step "
        "waits for the one before it.",
        OURS,
    ),
    "final-round": _term(
        "final round",
        "After the search the best children are trained again for longer, and the best of them is kept.",
        f"{ZOPH}, appendix A.3, there the best 250",
    ),
    "finalist": _term("finalist", "A child in the final round, by its rank from 1.", OURS),
    # --- Shared weights -----------------------------------------------------------------------------------------
    "shared-weights": _term(
        "shared weights",
        "One set of weights that all architectures of the search use, each its own part of it. So a proposal need not "
        "be trained to be scored.",
        f"{PHAM}, sections 2.1 and 2.2",
    ),
    "shared-epoch": _term(
        "shared epoch",
        "One pass over the training data that trains the shared weights, with a freshly drawn architecture for every "
        "minibatch.",
        f"{PHAM}, section 2.2",
    ),
    "controller-phase": _term(
        "controller phase",
        "Behind each shared epoch: the weights stay as they are, and the controller learns from the scores of what it "
        "draws.",
        f"{PHAM}, section 2.2",
    ),
    "round": _term(
        "round",
        "One update of the controller in a controller phase: a few architectures are drawn, scored and learned from.",
        f"{PHAM}, section 2.2; the word is ours",
    ),
    "score": _term(
        "score",
        "The reward that shared weights give an architecture on one minibatch of the validation part. It ranks; what a "
        "network reaches, only its own training tells.",
        f"{PHAM}, section 2.2; the word is ours",
    ),
    "candidate": _term(
        "candidate",
        "An architecture that is drawn from the final policy and scored, after the last epoch.",
        f"{PHAM}, section 2.2; the word is ours",
    ),
    "derive": _term(
        "derive",
        "To come from shared weights to one network: candidates are drawn and scored, and the best is trained from "
        "scratch.",
        f"{PHAM}, section 2.2",
    ),
    # --- What a result is worth ---------------------------------------------------------------------------------
    "random-search": _term(
        "random search",
        "Every decision is drawn evenly, and nothing is learned. What a controller is worth is what it finds beyond "
        "it.",
        f"{ZOPH}, section 4.4",
    ),
    "random-companion": _term(
        "random companion",
        "Random search beside a search, with the same settings, seed and budget. It tells learning from luck.",
        f"{OURS}; after the comparison of {ZOPH}, section 4.4",
    ),
    "band": _term(
        "band",
        "Where the best of as many random children would lie nineteen times in twenty, from all random children of "
        "equal settings. A search within it did no better than luck.",
        OURS,
    ),
    "honesty-meter": _term(
        "honesty meter",
        "A few candidates of different score are trained from scratch: do the shared scores order them as their own "
        "trainings do?",
        OURS,
    ),
    "rank-correlation": _term(
        "rank correlation",
        "How well two orders agree: 1 the same order, 0 no relation, -1 the reverse. With few networks its interval is "
        "wide.",
        OURS,
    ),
    "froze": _term(
        "froze",
        "The first step from which the most probable option of a decision stays the same and has at least 90 %. A "
        "later change of mind takes it back.",
        OURS,
    ),
    "mult-adds": _term(
        "mult-adds",
        "Multiplications with the addition that follows, for one image or one word: what running the network costs, "
        "whatever the machine.",
        f"{ZOPH}, table 2",
    ),
    # --- Training for keeps -------------------------------------------------------------------------------------
    "auxiliary-head": _term(
        "auxiliary head",
        "A second classifier in the middle of the network that helps its early layers to learn. It is left out "
        "afterwards.",
        f"{ZOPH}, appendix A.7",
    ),
    "drop-path": _term(
        "drop-path",
        "While training, whole paths of a cell are left out at random, more and more of them towards the end.",
        f"{ZOPH}, section 4 and appendix A.5",
    ),
    "cosine": _term(
        "cosine schedule",
        "The learning rate falls along half a cosine wave: slowly, then fast, then slowly. With restarts it does so "
        "several times.",
        f"{ZOPH}, appendix A.6; {PHAM}, section 3.2",
    ),
    "perplexity": _term(
        "perplexity",
        "How many words a network is torn between, on average, when it guesses the next one: lower is better. Only "
        "perplexities on the same text can be compared.",
        f"{PHAM}, section 3.1",
    ),
    "weight-tying": _term(
        "weight tying",
        "The same matrix turns words into vectors and vectors back into words.",
        f"{PHAM}, section 3.1",
    ),
    # --- How it runs --------------------------------------------------------------------------------------------
    "worker": _term("worker", "A process that trains and scores, one thing at a time, for all searches.", OURS),
    "lease": _term(
        "lease",
        "A worker owns a job for five seconds at a time and renews that while it works. If it falls silent, another "
        "takes the job over.",
        OURS,
    ),
    "draining": _term(
        "draining",
        "A worker that is drained takes nothing new, and hands on what it does at the end of its epoch. Nothing is "
        "lost.",
        OURS,
    ),
    "fingerprint": _term(
        "fingerprint",
        "A SHA-256 of everything that a search computed, in order. Two runs of the same settings have the same one, "
        "however often they were interrupted.",
        OURS,
    ),
    "event": _term(
        "event",
        "A numbered fact about a search or a training. All that a live page shows comes from them, so that it can be "
        "replayed.",
        OURS,
    ),
    "ban": _term(
        "ban",
        "From the next step on, the controller may not choose a banned option. A ban can be taken back.",
        OURS,
    ),
    "bundle": _term(
        "bundle",
        "A trained network as a zip that runs without this program: weights, a readable model file, ONNX and a README.",
        OURS,
    ),
}

FIELD_TERMS: Mapping[str, str] = {  # The path of a setting in a start form -> the term that it is about.
    "strategy.clip": "clip",
    "strategy.entropy_weight": "entropy",
    "strategy.entropy_bonus": "entropy",
    "strategy.baseline_decay": "baseline",
    "strategy.step_size": "step",
    "strategy.lookahead": "lookahead",
    "strategy.hidden_size": "controller",
    "controller.temperature": "temperature",
    "controller.tanh_constant": "tanh-constant",
    "controller.skip_penalty": "skip-penalty",
    "controller.skip_weight": "skip-penalty",
    "budget.children": "child",
    "data.held_out_examples": "held-out",
    "data.held_out_share": "held-out",
    "space.blocks": "block",
    "space.combinations": "concatenation",
    "child.normal_cells": "normal-cell",
    "child.filters": "filters",
    "layout.normal_cells": "normal-cell",
    "layout.filters": "filters",
    "supernet.filters": "filters",
    "derived.filters": "filters",
    "finals.children": "final-round",
    "shared.epochs": "shared-epoch",
    "phases.rounds": "round",
    "phases.score_batch": "score",
    "deriving.candidates": "candidate",
    "deriving.train": "derive",
    "bounds.mult_adds": "mult-adds",
    "recipe.auxiliary_weight": "auxiliary-head",
    "recipe.drop_path_keep": "drop-path",
    "recipe.schedule": "cosine",
}
