"""What the live page of a search with shared weights shows beside its state, and its pictures by epoch."""

import random
import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from search_engine.architectures.reading import architecture_from_json
from search_engine.config.enas_search import EnasRecurrentSearchConfig
from search_engine.config.searches import AnyEnasSearchConfig, read_enas_config
from search_engine.config.strategy import RandomConfig
from search_engine.data.texts import COMPARABLE
from search_engine.errors import ConfigError, UserError
from search_engine.spaces.build import build_space
from webapp.searches.companion import accompanied_by, companion_of, is_left_alone
from webapp.searches.costs.estimate import live_speeds
from webapp.searches.costs.shared_estimate import shared_cost
from webapp.searches.live_state import State
from webapp.searches.models import AskedScore, Event, Search
from webapp.searches.pages.architecture_parts import svg_of
from webapp.searches.pages.owned import owned
from webapp.searches.pages.settings_shown import started_with

# Which event of an epoch holds each picture, and where in it.
PICTURES = {
    "best": ("controller_phase_ended", "best"),
    "sampled": ("controller_phase_ended", "sampled"),
    "learned": ("shared_epoch_ended", None),
}
THUMBNAILS = {"enas-micro": "normal", "enas-macro": "whole", "enas-recurrent": "whole"}


def shared_shown(search: Search, config: AnyEnasSearchConfig, state: State) -> dict[str, Any]:
    """The context of its page in this state, beside the search."""
    facts = page_facts(str(search.pk), config, epoch_seconds=_epoch_seconds(config, state))
    return {
        "state": state,
        "page": facts | {"has_companion": companion_of(search) is not None},
        "config": config,
        "is_text": isinstance(config, EnasRecurrentSearchConfig),
        "accompanies": accompanied_by(search),
        "is_left_alone": is_left_alone(search),
        "honesty": honesty(config),
        "settings": started_with(type(config), search, search.config),
    }


def page_facts(search_id: str, config: AnyEnasSearchConfig, *, epoch_seconds: float | None) -> dict[str, Any]:
    """What scripts must know, and no event says. epoch_seconds: of the first, as it is estimated."""
    return {
        "kind": "search",
        "id": search_id,
        "method": config.method,
        "thumbnail": THUMBNAILS[config.method],
        "scale": config.phases.scale if isinstance(config, EnasRecurrentSearchConfig) else None,
        "epoch_seconds": epoch_seconds,
        "trained": config.deriving.train,
        "learns": config.strategy.kind != "random",
    }


def honesty(config: AnyEnasSearchConfig) -> str:
    """What scores under shared weights can show, and what they cannot."""
    is_text = isinstance(config, EnasRecurrentSearchConfig)
    measured = f"{config.phases.scale:g} over the perplexity" if is_text else "the accuracy"
    score = (
        f"A score is {measured} on one validation minibatch, under weights that every architecture shares: good enough "
        "to teach a controller, no measure of a network trained by itself."
    )
    if isinstance(config.strategy, RandomConfig):
        learning = "Nothing learns to choose here: scores rise because the shared weights learn."
    else:
        learning = "Scores also rise because the shared weights learn, whatever the controller does."
    return f"{score} {learning} {COMPARABLE}" if is_text else f"{score} {learning}"


@require_GET
def epoch_picture(request: HttpRequest, search_id: uuid.UUID, step: int, which: str) -> HttpResponse:
    """The architecture of an epoch that is shown as `which`; no child has it, so it is drawn from the event."""
    search = owned(Search, request, search_id)
    if which not in PICTURES:
        raise Http404
    kind, part = PICTURES[which]
    event = Event.objects.filter(stream_id=search.pk, kind=kind, payload__step=step).first()
    if event is None:
        raise Http404
    shown = event.payload if part is None else event.payload[part]
    return svg_of(architecture_from_json(shown["architecture"]), "both", whole="both")


@require_GET
def asked_picture(request: HttpRequest, search_id: uuid.UUID, score_id: uuid.UUID) -> HttpResponse:
    """An architecture whose score somebody asked for."""
    asked = AskedScore.objects.filter(search=owned(Search, request, search_id), pk=score_id).first()
    if asked is None:
        raise Http404
    return svg_of(architecture_from_json(asked.architecture), "both", whole="both")


@require_GET
def example_picture(request: HttpRequest, search_id: uuid.UUID) -> HttpResponse:
    """One architecture of the space, drawn uniformly, always the same: what is searched, before anything is found."""
    search = owned(Search, request, search_id)
    try:
        space = build_space(read_enas_config(search.config).space)
    except ConfigError as error:  # A search of another method.
        raise Http404 from error
    generator = random.Random(0)
    chosen = [generator.randrange(len(decision.options)) for decision in space.decisions]
    return svg_of(space.decode(chosen), "both", whole="both")


def _epoch_seconds(config: AnyEnasSearchConfig, state: State) -> float | None:
    """How long the first epoch should take with its controller phase; None where it is over, or nobody knows."""
    if state["shared"]["steps_told"] > 0 or state["ended_at"] is not None:
        return None
    try:
        return shared_cost(config, live_speeds()).epoch_seconds
    except UserError:  # The data is no longer there; the page still shows what happened.
        return None
