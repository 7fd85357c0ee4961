"""What the runbook says of fleet.toml is what the program reads."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from migrate.config.fleet import load_fleet
from migrate.config.fleet_keys import FLEET_KEYS
from migrate.core.fleet.definition import Concurrency, StopRules
from tests.docs.markdown import RUNBOOKS, code_blocks

PATH = RUNBOOKS / "fleet.md"
_ROW = re.compile(r"^\| `(?P<key>[a-z]+\.[a-z_]+)` \| (?P<default>[^|]+) \|", re.MULTILINE)
ROWS = {row["key"]: row["default"].strip() for row in _ROW.finditer(PATH.read_text(encoding="utf-8"))}


def test_the_file_that_is_shown_loads_and_holds_every_table(tmp_path: Path) -> None:
    (text,) = code_blocks(PATH, "toml")
    (tmp_path / "fleet.toml").write_text(text, encoding="utf-8")
    document = load_fleet(tmp_path / "fleet.toml")
    web = document.settings(document.fleet.selections[1], "shop", "web")
    assert (web.image.container, web.gate.alarms) == ("web", ("web-5xx",))
    assert {key.table for key in FLEET_KEYS} <= set(tomllib.loads(text))


def test_every_key_is_told_and_no_other() -> None:
    assert set(ROWS) == {f"{key.table}.{key.name}" for key in FLEET_KEYS}


def test_defaults_that_are_told_are_those_of_the_program() -> None:
    told = {key: tomllib.loads(f"value = {text.strip('`')}")["value"] for key, text in ROWS.items() if "`" in text}
    assert told == {
        "stop.failure_limit": StopRules().failure_limit,
        "stop.hold_between_waves": StopRules().hold_between_waves,
        "concurrency.cluster": Concurrency().cluster,
        "concurrency.account": Concurrency().account,
    }
