"""Of the parts that networks are printed with, those that one network needs."""

import ast
from collections.abc import Mapping, Sequence


def used_parts(parts: str, users: Sequence[str]) -> str:
    """A module's source without what neither `users`, pieces of source behind it, nor anything kept names."""
    tree = ast.parse(parts)
    defined = {name: node for node in tree.body for name in _names_of(node)}
    needed = _reached([ast.parse(user) for user in users], defined)
    kept = [node for node in tree.body if any(name in needed for name in _names_of(node))]
    imports = [_import(node, needed) for node in kept if isinstance(node, ast.Import | ast.ImportFrom)]
    lines = parts.splitlines()
    sections = "".join(_section(node, lines) for node in kept if _has_body(node))
    return "\n".join(imports) + "\n" + sections.rstrip()


def _names_of(node: ast.stmt) -> list[str]:
    match node:
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [alias.asname or alias.name for alias in names]
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=[target]):
            return [each.id for each in ast.walk(target) if isinstance(each, ast.Name)]
    raise AssertionError(f"a part of an unknown kind: {ast.dump(node)}")


def _reached(roots: Sequence[ast.AST], defined: Mapping[str, ast.stmt]) -> set[str]:
    """Names of parts that these trees use, and what those use in turn."""
    needed: set[str] = set()
    waiting = list(roots)
    while waiting:
        used = {node.id for node in ast.walk(waiting.pop()) if isinstance(node, ast.Name)}
        new = (used & defined.keys()) - needed
        needed |= new
        waiting += [defined[name] for name in new if _has_body(defined[name])]
    return needed


def _has_body(node: ast.stmt) -> bool:
    return not isinstance(node, ast.Import | ast.ImportFrom)


def _import(node: ast.Import | ast.ImportFrom, needed: set[str]) -> str:
    names = ", ".join(alias.name for alias in node.names if alias.name in needed)
    if isinstance(node, ast.Import):
        return f"import {names}"
    blank = "\n" if node.module == "collections" else ""  # The standard library first, then a blank line.
    return f"from {node.module} import {names}{blank}"


def _section(node: ast.stmt, lines: Sequence[str]) -> str:
    """A part as it is written, its comments with it, behind as many blank lines as its kind wants."""
    text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
    return ("\n" if isinstance(node, ast.Assign) else "\n\n") + text + "\n"
