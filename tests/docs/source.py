"""What the source says to an operator: runbook anchors, finding codes, and commands to run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.docs.markdown import ROOT

_ANCHOR = re.compile(r"[a-z0-9-]+#[a-z0-9-]+")
_COMMAND = re.compile(r"`migrate (?P<arguments>[^`]+)`")
_EXAMPLE = re.compile(r"^ +migrate (?P<arguments>.+)$", re.MULTILINE)
_MADE_BY = frozenset({"finding", "Finding", "ImageProblem"})
_WITH_TABLES = frozenset({"build", "image"})
"""The packages of the core whose codes stand in tables."""
OF_ITS_OWN_PROCESSES = ("MIGRATE_FRONT_", "MIGRATE_SANDBOX_MARK", "MIGRATE_CONTAINERS")
"""How the variables begin that no operator sets: the sandbox's to its processes, and the tests' to the set-up."""
_HOLE = "\0"
"""Stands where an f-string puts in a value."""


@cache
def _strings() -> tuple[tuple[Path, str], ...]:
    """Return every text of the package but docstrings, holes in it for what is filled in at run time."""
    found = []
    for path in sorted([*ROOT.glob("migrate/**/*.py"), *ROOT.glob("stacks/**/*.py")]):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documented = _docstrings(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
                found.append((path, node.value))
            elif isinstance(node, ast.JoinedStr):
                parts = (item.value if isinstance(item, ast.Constant) else _HOLE for item in node.values)
                found.append((path, "".join(map(str, parts))))
    return tuple(found)


def _docstrings(tree: ast.AST) -> dict[int, str]:
    """Return the docstrings of a module by the identity of their nodes."""
    found = {}
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                found[id(value)] = value.value
    return found


def help_examples() -> set[str]:
    """Return the arguments of the examples in the help texts of the command line."""
    texts = [
        text
        for path in sorted(ROOT.glob("migrate/cli/*.py"))
        for text in _docstrings(ast.parse(path.read_text(encoding="utf-8"))).values()
    ]
    return {match["arguments"] for text in texts for match in _EXAMPLE.finditer(text)}


def runbook_anchors() -> set[str]:
    return {text for _, text in _strings() if _ANCHOR.fullmatch(text)}


def finding_codes() -> set[str]:
    """Return the codes given to findings and image problems, also those that stand in tables of the core."""
    made = set(_made())
    families = "|".join(sorted({code.partition(".")[0] for code in made}))
    shape = re.compile(rf"(?:{families})\.[a-z0-9]+(?:-[a-z0-9]+)*")
    told = {text for path, text in _strings() if path.parent.parent.name == "core" and path.parent.name in _WITH_TABLES}
    return made | {text for text in told if shape.fullmatch(text)}


def _made() -> Iterator[str]:
    for path in sorted(ROOT.glob("migrate/core/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in _MADE_BY
                and node.args
            ):
                code = node.args[0]
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    yield code.value


def commands_told() -> set[str]:
    """Return the arguments of every `migrate ...` in backquotes; one that is a hole altogether tells nothing."""
    told = {" ".join(match["arguments"].split()) for _, text in _strings() for match in _COMMAND.finditer(text)}
    return {arguments for arguments in told if not arguments.startswith(_HOLE)}


def fillings(arguments: str) -> list[str]:
    """Return what a command with holes may look like at run time."""
    return [arguments.replace(_HOLE, value) for value in ("1", "image")]


def environment_variables() -> set[str]:
    """Return the variables of our own that the package names, but for those between its own processes."""
    texts = {text for _, text in _strings() if re.fullmatch(r"MIGRATE_[A-Z_]+[A-Z]", text)}
    return {text for text in texts if not text.startswith(OF_ITS_OWN_PROCESSES)}
