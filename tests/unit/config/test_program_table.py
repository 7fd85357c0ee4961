from __future__ import annotations

from pathlib import Path

import pytest

from migrate.config import absolute, load, render_settings
from migrate.core.settings import ProgramSettings
from migrate.errors import SettingsError

SETTINGS = """\
[service]
cluster = "shop"
name = "web"
owner = "pulumi"
[program]
directory = "infra"
stack = "acme/shop/production"
[image]
container = "web"
context = "app"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "migrate.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_program_is_named_by_folder_and_stack(tmp_path: Path) -> None:
    found = load(write(tmp_path, SETTINGS))
    assert found.service.is_program
    assert found.program == ProgramSettings("infra", "acme/shop/production")
    placed = absolute(found, tmp_path).program
    assert placed is not None
    assert placed.directory == str(tmp_path / "infra")


def test_its_keys_may_have_other_names_and_a_file_of_ours_says_the_same(tmp_path: Path) -> None:
    more = 'image = true\nnamespace = "shop"\nkeys = { architecture = "cpu", originalDigest = "other:digest" }\n'
    found = load(write(tmp_path, SETTINGS.replace("[image]", f"{more}[image]")))
    keys = (("architecture", "cpu"), ("originalDigest", "other:digest"))
    assert found.program == ProgramSettings("infra", "acme/shop/production", True, "shop", keys)
    assert load(write(tmp_path, render_settings(found))) == found


@pytest.mark.parametrize(
    ("found", "instead", "told"),
    [
        ('[program]\ndirectory = "infra"\nstack = "acme/shop/production"\n', "", "program is missing"),
        ('owner = "pulumi"', 'owner = "migrate"', 'program stands beside service.owner = "migrate"'),
        ('directory = "infra"\n', "", "program.directory is missing"),
        ("[image]", "image = true\n[image]\nmode = 'external'", 'image.mode is "external" beside program.image'),
        ("[image]", "keys = { architektur = 'cpu' }\n[image]", "program.keys"),
        ("[image]", "[architecture]\nmode = 'canary'\n[image]", 'architecture.mode is "canary"; expected "rolling"'),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, found: str, instead: str, told: str) -> None:
    assert found in SETTINGS
    with pytest.raises(SettingsError) as refused:
        load(write(tmp_path, SETTINGS.replace(found, instead)))
    assert told in str(refused.value)
