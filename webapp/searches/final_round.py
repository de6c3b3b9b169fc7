"""The final round of a search as rows: who is in it, what became of them, and which one is kept.

Functions expect the stream's lock to be held and return the event that belongs to what they wrote, as planner's do.
"""

from search_engine import schedule
from search_engine.config.search import SearchConfig
from search_engine.events import FinalistFinished, FinalistsChosen, ResultKept
from search_engine.final_round import best_finalist, finalist_shown, result_kept
from webapp.searches import artifacts
from webapp.searches.models import Child, Finalist, Search

LABEL, FILENAME = "Result", "result.safetensors"  # Of the kept network, for download.


def known(search: Search, config: SearchConfig) -> schedule.KnownFinals | None:
    """What `schedule` needs to know of it; None where the search has no final round."""
    if not config.finals.children:
        return None
    if not search.finals:
        return schedule.KnownFinals()
    decided = Finalist.objects.filter(search=search).order_by("rank").values_list("is_final", flat=True)
    return schedule.KnownFinals(tuple(decided), is_kept=search.finals == Search.Finals.KEPT)


def choose(search: Search, config: SearchConfig) -> FinalistsChosen:
    """Give the best children a place in the final round."""
    measured = Child.objects.filter(search=search, is_final=True, reward__isnull=False, reason="", twin_step=None)
    rows = measured.values_list("reward", "step", "slot", "hash", "accuracy")
    best = schedule.best_children((schedule.MeasuredChild(*row) for row in rows.iterator()), config.finals.children)
    shown = []
    for rank, chosen in enumerate(best, 1):
        child = Child.objects.get(search=search, step=chosen.step, slot=chosen.slot)
        Finalist.objects.create(search=search, rank=rank, child=child)
        shown.append(finalist_shown(rank, chosen, child.architecture))
    _move(search, Search.Finals.CHOSEN)
    return FinalistsChosen(finalists=tuple(shown))


def decide(search: Search, verdict: FinalistFinished) -> None:
    """Write the verdict on a finalist, once; of the networks only the best one's file is kept."""
    written = Finalist.objects.filter(search=search, rank=verdict.rank, is_final=False).update(
        is_final=True,
        accuracy=verdict.accuracy,
        reason=verdict.reason or "",
        parameters=verdict.parameters or None,  # No network has none: 0 stands for "nobody came to count them".
        mult_adds=verdict.mult_adds or None,
        seconds=verdict.seconds,
        checkpoint=verdict.checkpoint or "",
    )
    assert written == 1, f"finalist {verdict.rank} of search {search.pk} has its verdict already"
    best = best_finalist(_verdicts(search))
    others = Finalist.objects.filter(search=search).exclude(rank=best.rank if best else 0)
    others.exclude(checkpoint="").update(checkpoint="")


def keep(search: Search) -> ResultKept:
    """The end of the final round: the best network is the search's result, for download."""
    places = Finalist.objects.filter(search=search).order_by("rank").values_list("child__step", "child__slot")
    result = result_kept(search.fingerprint, list(places), _verdicts(search))
    if result.checkpoint:
        artifacts.offer(search, LABEL, result.checkpoint, FILENAME)
    search.fingerprint = result.fingerprint
    Search.objects.filter(pk=search.pk).update(fingerprint=result.fingerprint)
    _move(search, Search.Finals.KEPT)
    return result


def _verdicts(search: Search) -> list[FinalistFinished]:
    rows = Finalist.objects.filter(search=search, is_final=True).order_by("rank")
    return [
        FinalistFinished(
            rank=row.rank,
            accuracy=row.accuracy,
            reason=row.reason or None,
            parameters=row.parameters or 0,
            mult_adds=row.mult_adds or 0,
            seconds=row.seconds or 0.0,
            checkpoint=row.checkpoint or None,
        )
        for row in rows
    ]


def _move(search: Search, stage: Search.Finals) -> None:
    search.finals = stage
    Search.objects.filter(pk=search.pk).update(finals=stage)
