"""What the source says of itself: every public thing has a docstring, and it names the errors that leave it.

Errors are followed through the functions of one module, for whoever calls them cannot see those; what a call of another
module raises, stands there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from migrate import errors
from tests.docs.markdown import ROOT

ERRORS = frozenset(name for name, value in vars(errors).items() if isinstance(value, type) and name.endswith("Error"))
MODULES = sorted(
    [
        *ROOT.glob("migrate/core/**/*.py"),
        *ROOT.glob("migrate/adapters/**/*.py"),
        *ROOT.glob("migrate/*port*.py"),
        ROOT / "migrate" / "errors.py",
    ]
)


@dataclass(frozen=True, slots=True)
class Public:
    """Something that other modules may use; ``told`` are its docstring, its class's and its module's."""

    name: str
    node: ast.AST
    told: tuple[str, ...]


def public_in(tree: ast.Module) -> Iterator[Public]:
    module = ast.get_docstring(tree) or ""
    yield Public("the module", tree, (module,))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            told = ast.get_docstring(node) or ""
            yield Public(node.name, node, (told, module))
            members = node.body if isinstance(node, ast.ClassDef) else []
            for member in members:
                if isinstance(member, ast.FunctionDef) and not member.name.startswith("_"):
                    own = ast.get_docstring(member) or ""
                    yield Public(f"{node.name}.{member.name}", member, (own, told, module))


def raised_by(
    function: ast.FunctionDef, others: dict[str, ast.FunctionDef], seen: frozenset[str] = frozenset()
) -> set[str]:
    """Return the errors of ours that a function raises by name, itself or through functions of its module."""
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
            found |= {node.exc.func.id} & ERRORS
        called = called_name(node) if isinstance(node, ast.Call) else ""
        if called in others and called not in seen:
            found |= raised_by(others[called], others, seen | {called})
    return found


def called_name(call: ast.Call) -> str:
    """Return the name of a function of the module, or of a method of the same object; empty for everything else."""
    match call.func:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
    return ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "migrate")))
def test_what_is_public_is_documented_with_the_errors_that_leave_it(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for item in public_in(tree):
        assert item.told[0], f"{item.name} has no docstring"
        if isinstance(item.node, ast.FunctionDef):
            unsaid = {name for name in raised_by(item.node, functions) if name not in " ".join(item.told)}
            assert not unsaid, f"{item.name} does not say that it raises {', '.join(sorted(unsaid))}"
