"""What must not stand in the source: markup made of text by scripts, scripts in markup, and code made of data."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "frontend/static/js").rglob("*.js"))
TEMPLATES = sorted((ROOT / "frontend/templates").rglob("*.html"))
SOURCES = sorted(path for folder in ("webapp", "search_engine") for path in (ROOT / folder).rglob("*.py"))

NO_SCRIPT_MAY = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|createContextualFragment|document\.write|srcdoc"
    r"|\beval\s*\(|new\s+Function|Function\s*\(\s*[\"'`]|set(?:Timeout|Interval)\s*\(\s*[\"'`]|javascript:"
    r"|setAttribute\(\s*[\"'`](?:on|style)|import\s*\(\s*[^\"'`\s]"
)

# Parsed markup runs no script by itself; what is put into a page of it is listed with its reason.
PARSES_MARKUP = {
    "elements/architecture-import.js": "the SVG that the server drew",
    "elements/editor-picture.js": "the SVG that the server drew",
    "elements/cell-picture.js": "the SVG that the server drew",
    "elements/method-choice.js": "the start form on another page of ours, which Django escaped",
}

# Where text becomes markup without being escaped, and why that is right.
SAFE_TEMPLATES = {
    "architectures/pieces.html": "drawn by search_engine.drawing, which escapes what it writes",
    "architectures/edit.html": "drawn by search_engine.drawing, which escapes what it writes",
}
SAFE_PYTHON = {
    "webapp/docs/templatetags/terms.py": 'mark_safe("") and format_html with our own words',
    "webapp/docs/rendering.py": "what markdown-it renders of our own docs, with markup in them kept as text",
}

# Code out of data, and what reads more than data. Each exception says why no user's text gets there.
NO_PYTHON_MAY = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "pickle.load", "pickle.loads", "pickle.dumps",
    "marshal.load", "marshal.loads", "shelve.open", "torch.load", "torch.save", "joblib.load", "yaml.load",
    "importlib.import_module", "ctypes.CDLL", "tarfile.open", "shutil.unpack_archive",
}  # fmt: skip
ALLOWED_PYTHON = {
    ("search_engine/export/bundle_parts.py", "exec"): "the module that we have just written, before it is packed",
    ("search_engine/export/bundle_parts.py", "compile"): "the same",
    ("search_engine/data/image_files.py", "tarfile.open"): "CIFAR-10 as its authors sent it, of known SHA-256",
    ("search_engine/data/confinement.py", "ctypes.CDLL"): "the C library, to confine the check of uploads",
    ("webapp/parent_death.py", "ctypes.CDLL"): "the C library, so that no process outlives its parent",
}


def test_no_script_makes_markup_or_code_of_text() -> None:
    assert len(SCRIPTS) > 100
    found = [f"{path.name}: {line}" for path in SCRIPTS for line in path.read_text().splitlines()
             if NO_SCRIPT_MAY.search(line)]  # fmt: skip
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "box.innerHTML = name;", "a.outerHTML=b", 'x.insertAdjacentHTML("beforeend", y)', "document.write(x)",
        "eval(x)", "new Function(x)",
        'setTimeout("run()", 1)', 'a.setAttribute("onclick", x)', 'a.href = "javascript:x"',
        "frame.srcdoc = x", "import(address)",
    ],
)  # fmt: skip
def test_the_search_finds_what_it_is_for(line: str) -> None:
    assert NO_SCRIPT_MAY.search(line)


def test_what_parses_markup_is_listed() -> None:
    folder = ROOT / "frontend/static/js"
    found = {str(path.relative_to(folder)) for path in SCRIPTS if "DOMParser" in path.read_text()}
    assert found == set(PARSES_MARKUP)


class Inline(HTMLParser):
    """Collects what the content policy would refuse, and addresses of other sites' files."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        is_script = tag == "script" and "src" not in names and names.get("type") != "application/json"
        if tag in ("style", "iframe", "object", "embed", "base") or is_script:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                self.found.append(f"<{tag} {name}>")
            if name in ("src", "href", "action") and (value or "").lower().startswith(("javascript:", "//")):
                self.found.append(f"<{tag} {name}={value}>")
            if name == "src" and (value or "").startswith("http"):
                self.found.append(f"<{tag} src={value}>")


def test_no_template_holds_a_script_or_a_style() -> None:
    assert len(TEMPLATES) > 50
    assert [f"{path.name}: {each}" for path in TEMPLATES for each in inline(path.read_text())] == []
    assert inline('<a onclick="x">') and inline("<script>x</script>") and inline('<p style="x">')


def inline(template: str) -> list[str]:
    parser = Inline()
    # Tags of Django may stand inside attributes, where they would confuse the parser.
    parser.feed(re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", "", template, flags=re.DOTALL))
    return parser.found


def test_what_is_not_escaped_is_listed_with_its_reason() -> None:
    unescaped = re.compile(r"\|\s*safe(?:seq)?\b|autoescape\s+off")
    folder = ROOT / "frontend/templates"
    found = {str(path.relative_to(folder)) for path in TEMPLATES if unescaped.search(path.read_text())}
    assert found == set(SAFE_TEMPLATES)
    marks = re.compile(r"\bmark_safe\b|\bformat_html\b|\bSafeString\(")
    found = {str(path.relative_to(ROOT)) for path in SOURCES if marks.search(path.read_text())}
    assert found == set(SAFE_PYTHON)


def calls(tree: ast.AST) -> Iterator[str]:
    """Dotted names of everything that is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def test_no_python_makes_code_of_data() -> None:
    assert len(SOURCES) > 300
    found = set()
    for path in SOURCES:
        tree = ast.parse(path.read_text())
        found |= {(str(path.relative_to(ROOT)), name) for name in calls(tree) if name in NO_PYTHON_MAY}
        for node in ast.walk(tree):
            is_shell = isinstance(node, ast.keyword) and node.arg == "shell"
            assert not is_shell, f"{path} starts a shell"
    assert found == set(ALLOWED_PYTHON)


def test_what_opens_a_connection_outward_is_listed() -> None:
    """Nothing is imported by address, and webhooks go past every private address (threat T14)."""
    opens = re.compile(r"urlopen|http\.client|HTTPConnection|requests\.|httpx|urlretrieve|aiohttp")
    found = {str(path.relative_to(ROOT)) for path in SOURCES if opens.search(path.read_text())}
    allowed = {
        "search_engine/data/downloads.py",  # Fixed addresses of known data sets, each file with its SHA-256.
        "webapp/notices/webhook.py",  # To public addresses alone, looked at when the line is open: test_notices.py.
        "webapp/supervisor/parts.py",  # Asks our own web process whether it is ready.
    }
    # The client runs on the user's own machine, and its commands in a process of their own.
    clients = {each for each in found if each.startswith(("webapp/client/", "webapp/searches/management/"))}
    assert found - clients == allowed


def test_the_page_on_security_names_every_threat_once_and_tests_that_are_there() -> None:
    page = (ROOT / "docs/security.md").read_text()
    threats = re.findall(r"^\| T(\d+) \|", page, flags=re.MULTILINE)
    assert sorted(map(int, threats)) == list(range(1, 26))
    named = set(re.findall(r"`(test_\w+\.py)`", page))
    assert len(named) > 15
    assert named <= {path.name for path in (ROOT / "tests").rglob("test_*.py")}
