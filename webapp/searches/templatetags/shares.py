"""Figures as people read them, in templates; the pages' scripts say the same by drawing/format.js."""

from django import template

NONE = "–"
_SIZES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))

register = template.Library()


@register.filter
def percent(share: float | None) -> str:
    """0.7153 is "71.53 %"."""
    return NONE if share is None else f"{share * 100:.2f} %"


@register.filter
def reward_beside_accuracy(reward: float | None, accuracy: float | None) -> str:
    """As percent where it is the accuracy; where cost weighs in it, it is no share: "0.7153, accuracy 70.20 %"."""
    return percent(reward) if reward is None or accuracy is None else f"{reward:.4f}, accuracy {percent(accuracy)}"


@register.filter
def perplexity(value: float | None) -> str:
    """72.8431 is "72.8"."""
    return NONE if value is None else f"{value:,.1f}"


@register.filter
def counted(value: float | None) -> str:
    """A count with a unit prefix and three figures: 1234567 is "1.23 M"."""
    if value is None:
        return NONE
    for size, prefix in _SIZES:
        if value >= size:
            return f"{value / size:#.3g} {prefix}".replace(". ", " ")
    return str(value)


@register.filter
def grouped(value: int | None) -> str:
    """1234567 is "1,234,567"."""
    return NONE if value is None else f"{value:,}"


@register.filter
def spaced(name: str) -> str:
    """The name of a layer or cell in words: "cell_0" is "cell 0", "nodes.1" is "nodes 1"."""
    return name.replace("_", " ").replace(".", " ")


@register.filter
def in_bytes(value: int | None) -> str:
    """1234567 is "1.23 MB"."""
    text = counted(value)
    return text if text == NONE else f"{text}B" if text[-1].isalpha() else f"{text} B"


@register.filter
def truncated_since(text: str) -> str:
    """The first part of Django's "2 days, 3 hours"; "less than a minute" for "0 minutes"."""
    first = text.split(",")[0]
    return "less than a minute" if first.startswith("0") else first


@register.filter
def roughly(seconds: float) -> str:
    """A length of time in its two largest units: 4530 is "1 h 15 min"."""
    minutes = int(seconds // 60)
    hours, days = minutes // 60, minutes // 1440
    if days:
        return f"{days} d {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min" if minutes else "less than 1 min"
