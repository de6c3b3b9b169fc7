"""docs/terms.md, made from the terms; `python -m webapp.docs.glossary` writes it."""

from pathlib import Path

from webapp.docs.terms import OURS, TERMS

GLOSSARY = Path(__file__).resolve().parents[2] / "docs" / "terms.md"
_HEAD = """# Terms

What the words on the pages mean, and where the papers say it. On a page, a word with a dotted line explains itself when
it is pressed. Zoph et al. 2018 is [arXiv:1707.07012](https://arxiv.org/abs/1707.07012), Pham et al. 2018 is
[arXiv:1802.03268](https://arxiv.org/abs/1802.03268).
"""


def glossary() -> str:
    """All terms in the order of the alphabet, as Markdown. The heading of each is its key's anchor."""
    ordered = sorted(TERMS.items(), key=lambda each: each[1].name.lower())
    return _HEAD + "".join(
        f"\n## {term.name[0].upper()}{term.name[1:]}\n\n{term.text}\n\n*{source_in_words(term.source)}*\n"
        for _, term in ordered
    )


def source_in_words(source: str) -> str:
    if source == OURS:
        return "A word of Cellwright; no paper has it."
    return f"Source: {source}."


if __name__ == "__main__":
    GLOSSARY.write_text(glossary())
