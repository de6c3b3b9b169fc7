"""What pydantic finds wrong with a configuration, in the sentences of this program."""

from typing import Any

_UNIONS = frozenset({"strategy", "layout"})  # Behind the name of a union, pydantic's path has the kind that was chosen.
_SHOWN = 60  # Characters of a wrong value that a sentence repeats.
_LIMITS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than", "multiple_of": "a multiple of"}
_COUNTS = {
    "string_too_long": "at most", "string_too_short": "at least", "too_long": "at most", "too_short": "at least",
}  # fmt: skip
_PLAIN = {
    "missing": "is missing.",
    "union_tag_not_found": "is missing.",
    "extra_forbidden": "is not a setting of this program.",
    "invalid_key": "is not a setting of this program.",
}
_KINDS = {
    "int_type": "a whole number", "int_parsing": "a whole number", "int_from_float": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "float_type": "a number", "float_parsing": "a number", "finite_number": "a finite number",
    "bool_type": "true or false", "bool_parsing": "true or false",
    "string_type": "text", "string_unicode": "text of valid characters",
    "tuple_type": "a list", "list_type": "a list", "dict_type": "an object", "model_type": "an object",
    "model_attributes_type": "an object",
}  # fmt: skip


def place_and_sentence(detail: Any) -> tuple[str, str]:
    """(dotted path of the field, one sentence) of an entry of ValidationError.errors()."""
    place = detail["loc"]
    # Where a part is the last, it is a field: the recurrent layout has no union, and so no kind in its path.
    is_kind = [0 < i < len(place) - 1 and place[i - 1] in _UNIONS for i in range(len(place))]
    field = ".".join(str(part) for part, skipped in zip(place, is_kind, strict=True) if not skipped)
    kind, context, given = detail["type"], detail.get("ctx", {}), detail.get("input")
    if kind == "value_error":
        error = context["error"]
        return getattr(error, "field", field), str(error)
    if kind.startswith("union_tag"):
        field, given = f"{field}.kind", given.get("kind")
    return field, _sentence(kind, context, given) or f"{detail['msg']}."


def _sentence(kind: str, context: Any, given: Any) -> str | None:
    """None where pydantic has a kind of error that our fields cannot meet."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind in _COUNTS:
        count = f"{len(given)} characters" if kind.startswith("string") else f"{len(given)} chosen"
        return f"has {count}; must have {_COUNTS[kind]} {context.get('min_length') or context['max_length']}."
    if kind == "literal_error":
        return f"is {_shown(given)}; must be {context['expected']}."
    if kind == "union_tag_invalid":
        return f"is {_shown(given)}; must be {context['expected_tags'].replace(', ', ' or ')}."
    if kind in _KINDS:
        return f"is {_shown(given)}; must be {_KINDS[kind]}."
    for limit, words in _LIMITS.items():
        if limit in context:
            return f"is {_shown(given)}; must be {words} {str(context[limit]).removesuffix('.0')}."
    return None


def _shown(given: Any) -> str:
    text = "empty" if given is None or given == "" else repr(given)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
