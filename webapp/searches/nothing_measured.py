"""What is said of a search that came to its end without a single child whose reward was measured."""

from collections import Counter

from webapp.searches.models import Child, Search


def why_nothing_was_measured(search: Search) -> str:
    """A sentence with the commonest reason; "" where any child was measured, or there is none."""
    children = Child.objects.filter(search=search, is_final=True)
    if not children.exists() or children.filter(reward__isnull=False, reason="").exists():
        return ""
    reasons = Counter(children.values_list("reason", flat=True))
    (commonest, times), number = reasons.most_common(1)[0], sum(reasons.values())
    which = "the reason each time" if times == number else f"the commonest reason, of {times} of {number} children"
    return f"No child could be measured; {which}: {commonest.rstrip('.')}."
