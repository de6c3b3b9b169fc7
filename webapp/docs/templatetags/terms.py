"""{% term "entropy" %}: the word as a button that explains it. base.html ends with {% term_cards %}, the explanations.

Buttons and cards are the platform's popovers: they open by click, touch or key, close with Escape, and need no script.
The cards stand at the end of the page, so that a word can be explained in a heading without changing what it says.
"""

from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from webapp.docs.glossary import source_in_words
from webapp.docs.terms import FIELD_TERMS, TERMS

register = template.Library()
_SHOWN = "_terms_shown"


@register.simple_tag(takes_context=True)
def term(context: template.Context, key: str, words: str = "") -> SafeString:
    """The button. words: what it says, where that is another form of the term's name."""
    found = TERMS.get(key)
    if found is None:
        raise template.TemplateSyntaxError(f"There is no term {key!r}.")
    _shown(context).setdefault(key, False)
    return format_html(
        '<button class="term" type="button" popovertarget="term-{}">{}</button>', key, words or found.name
    )


@register.simple_tag(takes_context=True)
def page_words(context: template.Context, keys: str) -> SafeString:
    """A row of terms that the scripts of this page use, each to be pressed."""
    buttons = format_html_join(" ", "<li>{}</li>", ((term(context, key),) for key in keys.split()))
    return format_html('<ul class="page-words small" aria-label="Words of this page">{}</ul>', buttons)


@register.simple_tag(takes_context=True)
def script_terms(context: template.Context, keys: str) -> str:
    """The cards of terms whose buttons the scripts of this page make, see js/elements/term.js."""
    for key in keys.split():
        term(context, key)
    return ""


@register.simple_tag(takes_context=True)
def field_term(context: template.Context, path: str) -> SafeString:
    """What a setting of a start form is about, where a term says it; else nothing."""
    key = FIELD_TERMS.get(path)
    return format_html(" More on {}.", term(context, key)) if key else mark_safe("")


@register.inclusion_tag("docs/cards.html", takes_context=True)
def term_cards(context: template.Context) -> dict[str, Any]:
    """What the terms before it mean, each once. A form that scripts may put into another page ends with its own."""
    cards = []
    for key, is_written in _shown(context).items():
        if not is_written:
            cards.append((key, TERMS[key], source_in_words(TERMS[key].source)))
            _shown(context)[key] = True
    return {"cards": cards, "may_read_on": context["request"].user.is_authenticated}


def _shown(context: template.Context) -> dict[str, bool]:
    """Terms of this page, and whether their cards are written: a page is one request, whatever it includes."""
    request = context["request"]
    if not hasattr(request, _SHOWN):
        setattr(request, _SHOWN, {})
    shown: dict[str, bool] = getattr(request, _SHOWN)
    return shown
