from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from migrate.adapters.aws.calls import WRITES
from migrate.cli.app import cli
from migrate.config import load
from migrate.config.check_keys import CHECK_KEYS
from migrate.config.keys import KEYS, PRICE_KEYS
from migrate.config.template import render_settings
from migrate.core.settings import ImageSettings, ServiceOwner, ServiceSettings, Settings
from migrate.core.stages import Stage
from migrate.errors import ExitCode
from tests.docs.markdown import DOCUMENTS, ROOT, RUNBOOKS, code_blocks
from tests.docs.source import environment_variables

README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS = (RUNBOOKS / "settings.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| (?P<code>\d+) \| (?P<meaning>[^|]+) \|", re.MULTILINE)
_SETTING = re.compile(r"^\| `(?P<key>[a-z]+\.[A-Za-z_]+)` \| (?P<default>[^|]+) \|", re.MULTILINE)
_VARIABLE = re.compile(r"^\| `(?P<name>[A-Z_]+)`", re.MULTILINE)


def _in_help() -> dict[int, str]:
    text = " ".join(CliRunner().invoke(cli, ["--help"]).output.split())
    _, _, told = text.partition("Exit codes: ")
    return {int(code): meaning for code, meaning in re.findall(r"(\d+) ([^,.]+)[,.]", told)}


def _in_table(path: Path, heading: str) -> dict[int, str]:
    _, _, rest = path.read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    section, _, _ = rest.partition("\n## ")
    return {int(row["code"]): row["meaning"].strip() for row in _ROW.finditer(section)}


def test_help_tells_every_exit_code() -> None:
    assert set(_in_help()) == set(ExitCode)


@pytest.mark.parametrize(
    ("path", "heading"),
    [(ROOT / "README.md", "Exit codes"), (RUNBOOKS / "index.md", "By exit code")],
    ids=["README", "runbooks"],
)
def test_every_exit_code_has_the_same_meaning_as_in_help(path: Path, heading: str) -> None:
    assert _in_table(path, heading) == _in_help()


def test_the_readme_tells_every_stage() -> None:
    told = re.findall(r"^\| (\d) (\w+) \|", README, flags=re.MULTILINE)
    assert told == [(str(stage.value), stage.title) for stage in Stage if stage is not Stage.ORIGINAL]


def test_every_setting_is_told_once_and_no_other() -> None:
    told = [match["key"] for match in _SETTING.finditer(SETTINGS)]
    assert len(told) == len(set(told))
    assert set(told) == {f"{key.table}.{key.name}" for key in KEYS} | {"prices.REGION"}


def test_prices_are_told_with_all_their_keys() -> None:
    row = next(line for line in SETTINGS.splitlines() if line.startswith("| `prices.REGION`"))
    assert all(f"`{key.name}`" in row for key in PRICE_KEYS)


def test_defaults_that_are_told_are_those_of_the_program() -> None:
    blank = Settings(ServiceSettings(cluster="needed", name="needed"), ImageSettings(container="needed"))
    defaults = dict(_flat(tomllib.loads(render_settings(blank))))
    told = {match["key"]: match["default"].strip() for match in _SETTING.finditer(SETTINGS)}
    compared = {key: text.strip("`") for key, text in told.items() if text.startswith("`") and key in defaults}
    assert len(compared) >= 8
    assert {key: tomllib.loads(f"value = {text}")["value"] for key, text in compared.items()} == {
        key: defaults[key] for key in compared
    }


def _flat(settings: dict[str, dict[str, object]]) -> Iterator[tuple[str, object]]:
    for table, values in settings.items():
        yield from ((f"{table}.{name}", value) for name, value in values.items())


def test_settings_that_are_shown_load_and_checks_may_follow_them(tmp_path: Path) -> None:
    settings, checks, told = code_blocks(RUNBOOKS / "settings.md", "toml")
    path = tmp_path / "migrate.toml"
    for text, count in ((settings, 0), (f"{settings}\n{checks}\n{told}", 5)):
        path.write_text(text, encoding="utf-8")
        loaded = load(path)
        assert loaded.service == ServiceSettings(cluster="shop", name="web", region="ap-northeast-1")
        assert len(loaded.gate.checks) == count
        assert loaded.notifications.asked_for == bool(count)


def test_settings_in_the_readme_load(tmp_path: Path) -> None:
    path = tmp_path / "migrate.toml"
    owners = []
    for text in code_blocks(ROOT / "README.md", "toml"):
        path.write_text(text, encoding="utf-8")
        owners.append(load(path).service.owner)
    assert owners == [ServiceOwner.MIGRATE, ServiceOwner.EXTERNAL, ServiceOwner.PULUMI]


def test_every_variable_of_our_own_is_told_and_no_other() -> None:
    told = [row["name"] for row in _VARIABLE.finditer(SETTINGS)]
    assert len(told) == len(set(told))
    assert {name for name in told if name.startswith("MIGRATE_")} == environment_variables()


@pytest.mark.parametrize("kind", CHECK_KEYS)
def test_every_key_of_a_check_is_told(kind: str) -> None:
    row = next(line for line in SETTINGS.splitlines() if line.startswith(f"| `gate.{kind}`"))
    told = row + SETTINGS.split("Checks of your own are lists of tables.")[1].split("```")[0]
    assert [key.name for key in CHECK_KEYS[kind] if f"`{key.name}`" not in told] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=[path.name for path in DOCUMENTS])
def test_python_in_a_document_compiles(path: Path) -> None:
    for number, block in enumerate(code_blocks(path, "python")):
        compile(block, f"{path.name}, block {number}", "exec")


def test_every_write_of_ours_stands_under_permissions() -> None:
    permissions = README.split("## Permissions")[1].split("\n## ")[0]
    assert all(f"`{action}`" in permissions for action in WRITES)


def test_every_file_that_contributing_names_exists() -> None:
    named = re.findall(r"`([\w./]+(?:\.py|/|\.toml))`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert "core/stages.py" in named
    homes = (ROOT, ROOT / "migrate", ROOT / "migrate" / "adapters")
    assert [name for name in named if not any((home / name).exists() for home in homes)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=[path.name for path in DOCUMENTS])
def test_no_document_holds_a_path_of_one_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.~])/(work|root|tmp|home)/", text)
