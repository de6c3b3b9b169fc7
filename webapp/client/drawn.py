"""What a notebook shows of a search or a training."""

from collections.abc import Sequence
from html import escape


def table(title: str, address: str, rows: Sequence[tuple[str, str]]) -> str:
    """HTML of a small table under a linked title. Every text is escaped: names come from people."""
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f'<p><a href="{escape(address)}"><b>{escape(title)}</b></a></p><table>{cells}</table>'
