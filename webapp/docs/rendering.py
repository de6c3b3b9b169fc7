"""Markdown under docs/ -> HTML. Markup inside it is shown as text, never as markup: the parser's own rule."""

import re
import struct
from collections.abc import Sequence
from functools import cache
from urllib.parse import urlsplit

from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from markdown_it import MarkdownIt
from markdown_it.token import Token

from webapp.docs.catalogue import DOCS, IMAGES, TITLES
from webapp.docs.glossary import glossary

_PAGE = re.compile(r"([a-z-]+)\.md")
_IMAGE = re.compile(r"images/([a-z0-9-]+)\.png")


@cache
def page_html(name: str) -> SafeString:
    """The page's HTML. A link to another page of these leads there, a picture to the picture."""
    text = glossary() if name == "terms" else (DOCS / f"{name}.md").read_text()
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    _name_headings(tokens)
    for token in tokens:
        for child in token.children or []:
            _point(child)
    return mark_safe(parser.renderer.render(tokens, parser.options, {}))  # noqa: S308 - our own docs, no markup in them.


def _name_headings(tokens: Sequence[Token]) -> None:
    """Each heading gets an id made of its words, and may be linked to."""
    for opening, inside in zip(tokens, tokens[1:], strict=False):
        if opening.type == "heading_open":
            opening.attrSet("id", slugify(inside.content))


def _point(token: Token) -> None:
    if token.type == "link_open":
        token.attrSet("href", address_of(str(token.attrGet("href"))))
    if token.type == "image" and (found := _IMAGE.fullmatch(str(token.attrGet("src")))):
        token.attrSet("src", f"/docs/images/{found[1]}.png")
        for side, length in zip(("width", "height"), _size(found[1]), strict=True):
            token.attrSet(side, str(length))  # So that the text below does not jump when the picture comes.


def _size(name: str) -> tuple[int, int]:
    """Width and height of a PNG of the docs, in pixels, as its first chunk has them."""
    width, height = struct.unpack(">II", (IMAGES / f"{name}.png").read_bytes()[16:24])
    return width, height


def address_of(link: str) -> str:
    """Where a link of a file under docs/ leads in the program: to its page, where that is one, else as it stands."""
    parts = urlsplit(link)
    found = _PAGE.fullmatch(parts.path)
    if parts.scheme or found is None or found[1] not in TITLES:
        return link
    return f"/docs/{found[1]}" + (f"#{parts.fragment}" if parts.fragment else "")
