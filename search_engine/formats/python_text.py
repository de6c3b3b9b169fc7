"""Values written as Python or JSON, read as the expression they are and never run.

Only what a value needs is let through to Python's parser: names, whole numbers, plain strings, brackets. So no text
can be deep, long or odd enough to hurt it.
"""

import ast
import re

from search_engine.errors import ArchitectureError

_DEEPEST = 20
_TOKEN = re.compile(
    r"""(?P<skip>\s+|\#[^\n]*)
    |(?P<name>[A-Za-z_]\w{0,99}(?:\.[A-Za-z_]\w{0,99}){0,3}(?![\w.'"]))
    |(?P<number>\d{1,9}(?![\w.]))
    |(?P<string>'[^'\\\n]*'|"[^"\\\n]*")
    |(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<sign>[,=:])""",
    re.VERBOSE | re.ASCII,
)
_PAIRS = {")": "(", "]": "[", "}": "{"}


def expression(text: str) -> ast.expr:
    """The one expression that the text is, comments left out. Raises ArchitectureError at the line that is wrong."""
    kept = _checked(text)
    if not kept.strip():
        raise ArchitectureError("", "the text holds nothing but comments.")
    try:
        return ast.parse(kept, mode="eval").body
    except SyntaxError as error:
        raise ArchitectureError("", f"line {error.lineno or 1} is not written as Python or JSON are.") from error
    except (ValueError, MemoryError, RecursionError) as error:
        raise ArchitectureError("", "the text is nested too deeply.") from error


def value(node: ast.expr, field: str) -> object:
    """Strings, whole numbers, lists, tuples, dictionaries and range(...) as what they stand for.

    Raises ArchitectureError at the field.
    """
    match node:
        case ast.Constant(value=str() | int()) if not isinstance(node.value, bool):
            return node.value
        case ast.List(elts=elements):
            return [value(element, field) for element in elements]
        case ast.Tuple(elts=elements):
            return tuple(value(element, field) for element in elements)
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            found = [(value(key, field), value(one, field)) for key, one in pairs if key is not None]
            return _dictionary(found, field)
        case ast.Call(func=ast.Name(id="range"), args=arguments, keywords=[]):
            return _range([value(argument, field) for argument in arguments], field)
    raise ArchitectureError(field, f"line {node.lineno} holds something other than names, numbers and lists.")


def _dictionary(pairs: list[tuple[object, object]], field: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, one in pairs:
        if not isinstance(key, str):
            raise ArchitectureError(field, f"has the key {key!r}; keys must be names.")
        if key in found:
            raise ArchitectureError(key, "is given twice.")
        found[key] = one
    return found


def _range(bounds: list[object], field: str) -> list[int]:
    numbers = [bound for bound in bounds if type(bound) is int]
    if len(numbers) != len(bounds) or not 1 <= len(numbers) <= 3 or 0 in numbers[2:]:
        raise ArchitectureError(field, "has a range(...) that Python does not know.")
    found = range(*numbers)
    if len(found) > 100:
        raise ArchitectureError(field, f"has a range of {len(found)} numbers; no cell has as many states.")
    return list(found)


def _checked(text: str) -> str:
    """The text without comments, where it holds only what a value needs and every bracket is closed."""
    kept: list[str] = []
    opened: list[tuple[str, int]] = []
    at, line = 0, 1
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise _odd(text, at, line)
        piece = token.group()
        if token.lastgroup == "open":
            opened.append((piece, line))
            if len(opened) > _DEEPEST:
                raise ArchitectureError("", f"line {line} is nested too deeply.")
        elif token.lastgroup == "close" and (not opened or opened.pop()[0] != _PAIRS[piece]):
            raise ArchitectureError("", f"line {line} closes a {piece} that was not opened.")
        kept.append(" " if piece.startswith("#") else piece)
        line += piece.count("\n")
        at = token.end()
    if opened:
        raise ArchitectureError("", "the text ends inside the {} that line {} opens.".format(*opened[-1]))
    return "".join(kept).strip()


def _odd(text: str, at: int, line: int) -> ArchitectureError:
    """What is wrong where no token begins."""
    rest = text[at:]
    if rest[0] in "'\"" and "\n" not in rest:
        return ArchitectureError("", f"the text ends inside the name {rest[:40]!r} on line {line}.")
    word = rest[0] + rest[1:40].partition(" ")[0]
    return ArchitectureError("", f"line {line} holds {word!r}, which an architecture cannot hold.")
