"""The configuration file of a team's stack, Pulumi.<stack>.yaml: a few keys set in it, every other byte as it was.

Pulumi's own ``config set`` writes the whole file anew. Here a line is put in, replaced or taken out, and the result is
read back: where it would say anything else than that, the file is left alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from migrate.core.owner.program_configuration import Configuration
from migrate.errors import NotFoundError, SettingsError

_HEAD = re.compile(r"^config:\s*(#.*)?$")
_INDENT = "  "


def stack_file(directory: Path, stack: str) -> Path:
    """Return where the configuration of a stack stands, written or not (Pulumi.yaml, stackConfigDir).

    Raises NotFoundError where the folder holds no Pulumi project, SettingsError where its Pulumi.yaml is no YAML.
    """
    project = next((path for name in ("yaml", "yml") if (path := directory / f"Pulumi.{name}").exists()), None)
    if project is None:
        raise NotFoundError(
            f"There is no Pulumi program in {directory}.",
            why="It holds no Pulumi.yaml.",
            then="Correct program.directory in migrate.toml; it is relative to that file.",
            runbook="owner#program",
        )
    folder = _read(project.read_text(encoding="utf-8"), project).get("stackConfigDir") or "."
    # The last part alone names the file: a stack may be written organization/project/stack.
    return directory / str(folder) / f"Pulumi.{stack.rpartition('/')[2]}.yaml"


def with_configuration(text: str, values: Configuration, path: Path) -> str:
    """Return the text of a stack's file with ``values`` set; those that are None are not in it.

    Raises SettingsError where the file is written in a way in which that cannot be done line by line.
    """
    before = _configuration(text, path)
    changed = _edited(text, {name: value for name, value in values.items() if before.get(name) != value})
    wanted = {name: value for name, value in before.items() if name not in values}
    wanted |= {name: value for name, value in values.items() if value is not None}
    if _configuration(changed, path) != wanted:
        raise SettingsError(
            f"{path.name} is written in a way that this tool does not change.",
            why="Its keys are set line by line, so that everything else stays byte for byte as it is.",
            then="Write its `config:` as a block with one key a line, indented alike; nothing was changed.",
            runbook="owner#program",
        )
    return changed


def _edited(text: str, values: Configuration) -> str:
    if not values:
        return text
    lines = text.splitlines(keepends=True)
    head = next((number for number, line in enumerate(lines) if _HEAD.match(line.rstrip("\n"))), None)
    if head is None:
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        head = len(lines)
        lines.append("config:\n")
    end = _end(lines, head)
    block = lines[head + 1 : end]
    indent = next((line[: len(line) - len(line.lstrip())] for line in block if _says_something(line)), _INDENT)
    for key, value in values.items():
        place = next((number for number, line in enumerate(block) if _is(line, indent, key)), None)
        entry = [] if value is None else [f"{indent}{key}: {json.dumps(value)}\n"]
        if place is not None:
            block[place : place + 1] = entry
        elif entry:
            block += entry
    if not any(_says_something(line) for line in block):
        return "".join([*lines[:head], *block, *lines[end:]])
    return "".join([*lines[: head + 1], *block, *lines[end:]])


def _end(lines: list[str], head: int) -> int:
    """Return where the block ends: behind its last entry, before blank lines and comments that follow it."""
    end = head + 1
    for number in range(head + 1, len(lines)):
        if _says_something(lines[number]):
            if not lines[number].startswith((" ", "\t")):
                break
            end = number + 1
    if not lines[end - 1].endswith("\n"):
        lines[end - 1] += "\n"
    return end


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _is(line: str, indent: str, key: str) -> bool:
    return re.match(rf"{re.escape(indent)}(['\"]?){re.escape(key)}\1\s*:(\s|$)", line) is not None


def _configuration(text: str, path: Path) -> Mapping[str, Any]:
    found = _read(text, path).get("config") or {}
    return found if isinstance(found, dict) else {}


def _read(text: str, path: Path) -> Mapping[str, Any]:
    try:
        found = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise SettingsError(
            f"{path.name} is no YAML.", why=str(error), then="Mend it; nothing was changed.", runbook="owner#program"
        ) from error
    return found if isinstance(found, dict) else {}
