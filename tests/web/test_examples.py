"""The notebook and the script of the docs: the notebook's cells draw, and the page shows the script as it is."""

import ast
import functools
import json
from typing import Any

import pytest

from tests.web.api_transport import ApiTransport
from tests.web.example_search import a_search
from webapp.accounts.models import User
from webapp.accounts.tokens import make_token
from webapp.client import cellwright
from webapp.docs.catalogue import DOCS

EXAMPLES = DOCS / "examples"
NOTEBOOK, SCRIPT = EXAMPLES / "look_at_a_search.ipynb", EXAMPLES / "search_and_bundle.py"
PICTURES = ("_repr_html_", "_repr_svg_", "_repr_mimebundle_")


def cells() -> list[str]:
    """The code of the notebook, cell by cell."""
    told = json.loads(NOTEBOOK.read_text())
    assert (told["nbformat"], told["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in told["cells"]}) == len(told["cells"])
    return ["".join(cell["source"]) for cell in told["cells"] if cell["cell_type"] == "code"]


def run(cell: str, names: dict[str, Any]) -> Any:
    """What the cell shows: the value of its last line."""
    tree = ast.parse(cell)
    last = tree.body.pop()
    assert isinstance(last, ast.Expr), "the last line of a cell shows something"
    exec(compile(tree, NOTEBOOK.name, "exec"), names)
    return eval(compile(ast.Expression(last.value), NOTEBOOK.name, "eval"), names)


@pytest.mark.django_db
def test_every_cell_of_the_notebook_runs_and_draws(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    a_search(owner, children=12)
    there = functools.partial(
        cellwright.Cellwright, "http://here", make_token(owner, "notebook"), transport=ApiTransport()
    )
    monkeypatch.setattr(cellwright, "Cellwright", there)
    names: dict[str, Any] = {}
    shown = [run(cell, names) for cell in cells()]
    assert [next((way for way in PICTURES if hasattr(each, way)), None) for each in shown[:-1]] == [
        "_repr_html_", "_repr_svg_", "_repr_html_", "_repr_html_", "_repr_html_", "_repr_svg_",
    ]  # fmt: skip
    assert shown[-1] > 10_000  # Parameters of NASNet-A.


def test_the_page_shows_the_script_as_it_is_and_it_has_ten_lines() -> None:
    lines = SCRIPT.read_text().splitlines()[2:]  # Behind what it says of itself.
    assert "```python\n" + "\n".join(lines) + "\n```" in (DOCS / "api.md").read_text()
    assert len([line for line in lines if line]) == 10
