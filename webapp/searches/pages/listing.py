"""The first page's list: searches and trainings together, newest first."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from search_engine.config.trainings import reads_text
from webapp.searches.companion import beside_in_words
from webapp.searches.meter_trainings import metered_in_words
from webapp.searches.models import Stream
from webapp.searches.overview import searches_of, trainings_of
from webapp.searches.templatetags.shares import percent, perplexity, reward_beside_accuracy

LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line. done of total: children, finalists or epochs, named by `unit`; result: as people read it.

    beside: what belongs together with it, in words; "" for what stands alone.
    """

    id: str
    kind: str
    name: str
    url: str
    state: str
    reason: str
    done: int
    total: int
    unit: str
    result: str
    result_title: str
    created: datetime
    beside: str = ""


def entries_of(user: Any) -> list[Entry]:
    """At most `LONGEST` of each kind. Networks of an honesty meter stand on the page of their search alone."""
    searches = list(searches_of(user)[:LONGEST])
    beside, metered = beside_in_words(searches), metered_in_words(searches)
    entries = []
    for search in searches:
        words = (beside.get(search.pk, ""), metered.get(search.pk, ""))
        entries.append(_search_entry(search, ", ".join(word for word in words if word)))
    entries += [_training_entry(training) for training in trainings_of(user).filter(for_meter=False)[:LONGEST]]
    return sorted(entries, key=lambda entry: entry.created, reverse=True)


def _search_entry(search: Any, beside: str) -> Entry:
    if search.epochs:
        return _shared_entry(search, beside)
    is_final_round = search.finalists_done < search.finalists_chosen
    return _entry(
        search,
        url=f"/searches/{search.pk}",
        done=search.finalists_done if is_final_round else search.done,
        total=search.finalists_chosen if is_final_round else search.total,
        unit="finalists" if is_final_round else "children",
        result=reward_beside_accuracy(search.best_reward, search.best_accuracy),
        result_title="best reward",
        beside=beside,
    )


def _shared_entry(search: Any, beside: str) -> Entry:
    is_text = search.best_perplexity is not None
    return _entry(
        search,
        url=f"/searches/{search.pk}",
        done=search.steps_told,
        total=search.epochs,
        unit="epochs",
        result=perplexity(search.best_perplexity) if is_text else percent(search.best_reward),
        result_title="best score under shared weights" + (", lower is better" if is_text else ""),
        beside=beside,
    )


def _training_entry(training: Any) -> Entry:
    is_text = reads_text(training.config)
    return _entry(
        training,
        url=f"/trainings/{training.pk}",
        done=training.epochs_done,
        total=training.config["recipe"]["epochs"],
        unit="epochs",
        result=perplexity(training.test_perplexity) if is_text else percent(training.test_accuracy),
        result_title="test perplexity, lower is better" if is_text else "test accuracy",
    )


def _entry(stream: Stream, **figures: Any) -> Entry:
    return Entry(
        id=str(stream.pk),
        kind=stream.kind,
        name=stream.name or f"{stream.kind.capitalize()} without a name",
        state=stream.state,
        reason=stream.reason,
        created=datetime.fromtimestamp(stream.created, UTC),
        **figures,
    )
