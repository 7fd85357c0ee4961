from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from migrate.config import load
from migrate.core.cost.prices import HourlyRates
from migrate.core.facts import StrategyItem
from migrate.core.settings import (
    ArchitectureMode,
    GateSettings,
    ImageMode,
    ImageSettings,
    OwnerLanguage,
    ServiceSettings,
    Settings,
)
from migrate.errors import ExitCode, SettingsError

SMALLEST = """\
[service]
cluster = "demo"
name = "web"

[image]
container = "app"
context = "app"
"""

FULL = """\
[service]
cluster = "demo"
name = "web"
region = "eu-central-1"

[image]
container = "app"
mode = "rebuild"
context = "services/web"
dockerfile = "services/web/Dockerfile"
target = "release"
builder = "remote"

[image.build_arguments]
VERSION = "1"
"strange name" = ""
[architecture]
mode = "canary"
canary_share = 10
[capacity]
step_soak = "45s"
strategy = [
    { provider = "FARGATE", base = 2 },  # for the nights
    { provider = "FARGATE_SPOT", weight = 1 },
]
steps = [10, 40]
[gate]
interval = "5s"
soak = "1m30s"
deadline = "1h"
failure_limit = 2
error_limit = 0
alarms = ["errors", "latency"]

[prices.eu-central-1]
x86_vcpu = 0.04656
x86_gb = 1
arm_vcpu = 0.03725
arm_gb = 0.00409
source = "our contract"
date = 2026-11-01
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "migrate.toml"
    path.write_bytes(text.encode())
    return path


def complaint(folder: Path, text: str) -> str:
    """Load a text that must be refused; return all that is told, without the folder."""
    with pytest.raises(SettingsError) as refusal:
        load(write(folder, text))
    assert refusal.value.exit_code is ExitCode.USAGE
    assert refusal.value.runbook == "errors#settings"
    assert refusal.value.then
    return f"{refusal.value.what}\n{refusal.value.why}".replace(f"{folder}/", "").strip()


def test_the_smallest_file_leaves_everything_else_to_the_defaults(tmp_path: Path) -> None:
    expected = Settings(ServiceSettings("demo", "web"), ImageSettings("app", context="app"))
    assert load(write(tmp_path, SMALLEST)) == expected


def test_every_key_reaches_the_settings(tmp_path: Path) -> None:
    assert load(write(tmp_path, FULL)) == Settings(
        service=ServiceSettings("demo", "web", "eu-central-1"),
        image=ImageSettings(
            container="app",
            mode=ImageMode.REBUILD,
            context="services/web",
            dockerfile="services/web/Dockerfile",
            target="release",
            builder="remote",
            build_arguments=(("VERSION", "1"), ("strange name", "")),
        ),
        architecture=ArchitectureMode.CANARY,
        canary_share=10,
        capacity=(StrategyItem("FARGATE", weight=0, base=2), StrategyItem("FARGATE_SPOT", weight=1)),
        gate=GateSettings(
            interval=timedelta(seconds=5),
            soak=timedelta(seconds=90),
            deadline=timedelta(hours=1),
            failure_limit=2,
            error_limit=0,
            alarms=("errors", "latency"),
        ),
        capacity_steps=(10, 40),
        step_soak=timedelta(seconds=45),
        prices=(
            HourlyRates(
                region="eu-central-1",
                x86_vcpu=Decimal("0.04656"),
                x86_gb=Decimal(1),
                arm_vcpu=Decimal("0.03725"),
                arm_gb=Decimal("0.00409"),
                source="our contract",
                date="2026-11-01",
            ),
        ),
    )


def test_windows_line_ends_are_read_as_well(tmp_path: Path) -> None:
    text = FULL.replace("\n", "\r\n")
    assert load(write(tmp_path, text)) == load(write(tmp_path, FULL))
    assert complaint(tmp_path, text.replace('"5s"', '"5"')).startswith("migrate.toml, line 28: gate.interval")


@pytest.mark.parametrize(
    ("found", "instead", "told"),
    [
        # Unknown keys, with the key that was most likely meant.
        ("\nsoak =", "\nsoack =", "line 29: gate.soack is not a known key; did you mean soak?"),
        ("[gate]", "[gates]", "line 27: gates is not a known key; did you mean gate?"),
        ("weight = 1", "wieght = 1", "line 24: capacity.strategy[1].wieght is not a known key; did you mean weight?"),
        ("x86_gb", "x86_gib", "line 37: prices.eu-central-1.x86_gib is not a known key; did you mean x86_gb?"),
        ("builder =", "alarms =", "line 12: image.alarms is not a known key here; it belongs in [gate]."),
        ("target =", "mode_x_y_z =", "line 11: image.mode_x_y_z is not a known key; expected one of container, mode,"),
        ("target =", "name =", "line 11: image.name is not a known key here; it belongs in [service]."),
        ("target =", "load =", "line 11: image.load is not offered: stage 1 makes an index of two platforms"),
        ("target =", "platforms =", "line 11: image.platforms is not offered: mode decides;"),
        # Keys that are missing: the line is that of their table.
        ('cluster = "demo"\n', "", "line 1: service.cluster is missing; expected a text that is not empty."),
        ('container = "app"\n', "", "line 6: image.container is missing; expected the name of a container"),
        ('provider = "FARGATE_SPOT", ', "", "line 24: capacity.strategy[1].provider is missing; expected FARGATE,"),
        ("arm_gb = 0.00409\n", "", "line 35: prices.eu-central-1.arm_gb is missing; expected a price per hour"),
        (
            'context = "services/web"\n',
            "",
            'line 6: image.context is missing; mode "rebuild" builds an image and needs',
        ),
        # Values of a wrong kind or out of range.
        ('cluster = "demo"', "cluster = 7", "line 2: service.cluster is 7; expected a text that is not empty."),
        ('cluster = "demo"', 'cluster = ""', 'line 2: service.cluster is ""; expected a text that is not empty.'),
        (
            '"eu-central-1"',
            "true",
            'line 4: service.region is true; expected the name of a region, such as "us-east-1".',
        ),
        ('"rebuild"', '"build"', 'line 8: image.mode is "build"; expected "extend", "rebuild" or "external".'),
        ('"canary"', "{ a = 1 }", 'line 18: architecture.mode is a table; expected "rolling", "canary" or "mixed".'),
        ('"canary"', '"blue"', 'line 18: architecture.mode is "blue"; expected "rolling", "canary" or "mixed".'),
        ("canary_share = 10", "canary_share = 0", "line 19: architecture.canary_share is 0; expected a whole number"),
        ("canary_share = 10", "canary_share = 101", "line 19: architecture.canary_share is 101; expected a whole"),
        ('VERSION = "1"', "VERSION = 1", "line 15: image.build_arguments.VERSION is not a text; expected a text."),
        (
            '"5s"',
            "5",
            'line 28: gate.interval is 5; expected a duration such as "15s", "10m", "1h" or "1h30m", more than 0.',
        ),
        ('"5s"', '"5 s"', 'line 28: gate.interval is "5 s"; expected a duration'),
        ('"5s"', '"0s"', 'line 28: gate.interval is "0s"; expected more than 0.'),
        ('"1h"', '"90s"', 'line 30: gate.deadline is "1m30s"; expected more than soak, which is "1m30s".'),
        ('"5s"', '"2h"', 'line 30: gate.deadline is "1h"; expected more than interval, which is "2h".'),
        (
            "failure_limit = 2",
            "failure_limit = -1",
            "line 31: gate.failure_limit is -1; expected a whole number, 0 or more.",
        ),
        (
            "error_limit = 0",
            "error_limit = 1.5",
            "line 32: gate.error_limit is 1.5; expected a whole number, 0 or more.",
        ),
        (
            "error_limit = 0",
            "error_limit = true",
            "line 32: gate.error_limit is true; expected a whole number, 0 or more.",
        ),
        (
            '["errors", "latency"]',
            '"errors"',
            'line 33: gate.alarms is "errors"; expected a list of names of CloudWatch alarms.',
        ),
        (
            '["errors", "latency"]',
            '["errors",\n""]',
            'line 34: gate.alarms[1] is ""; expected a list of names of CloudWatch',
        ),
        ("0.04656", "-0.1", "line 36: prices.eu-central-1.x86_vcpu is -0.1; expected a price per hour, 0 or more"),
        ("0.04656", "nan", "line 36: prices.eu-central-1.x86_vcpu is NaN; expected a price per hour, 0 or more"),
        ("0.04656", '"0.1"', 'line 36: prices.eu-central-1.x86_vcpu is "0.1"; expected a price per hour'),
        (
            "date = 2026-11-01",
            "date = 2026",
            "line 41: prices.eu-central-1.date is 2026; expected the date of the prices",
        ),
        # Tables and lists in each other's place.
        ("[gate]", "[[gate]]", "line 27: gate is a list; expected a table [gate] with interval, soak, deadline,"),
        (
            "[prices.eu-central-1]",
            "[prices]",
            "line 36: prices.x86_vcpu is 0.04656; expected a table [prices.x86_vcpu] with",
        ),
        # The strategy (facts F13).
        (
            "base = 2",
            "base = 100001",
            "line 23: capacity.strategy[0].base is 100001; expected a whole number from 0 to 100000.",
        ),
        (
            "weight = 1",
            "weight = 1001",
            "line 24: capacity.strategy[1].weight is 1001; expected a whole number from 0 to 1000.",
        ),
        ("weight = 1", "weight = 0", "line 22: capacity.strategy has no weight above 0; expected at least one"),
        (
            "weight = 1",
            "base = 1, weight = 1",
            "line 24: capacity.strategy[1].base is 1, but another item has a base too;",
        ),
        ("FARGATE_SPOT", "FARGATE", 'line 24: capacity.strategy[1].provider is "FARGATE" a second time; expected each'),
        (
            "FARGATE_SPOT",
            "graviton",
            'line 24: capacity.strategy[1].provider is "graviton" beside "FARGATE"; expected Fargate',
        ),
        (
            "FARGATE_SPOT",
            "Fargate-Spot",
            'line 24: capacity.strategy[1].provider is "Fargate-Spot"; expected "FARGATE",',
        ),
        (
            '{ provider = "FARGATE", base = 2 }',
            "3",
            "line 23: capacity.strategy[0] is 3; expected an item such as { provider",
        ),
        # The steps of stage 3.
        ("[10, 40]", "[40, 40]", "line 26: capacity.steps is [40, 40]; expected every step to be more than the one"),
        ("[10, 40]", "[0, 40]", "line 26: capacity.steps[0] is 0; expected a list of whole numbers from 1 to 99"),
        ("[10, 40]", "[10, 100]", "line 26: capacity.steps[1] is 100; expected a list of whole numbers from 1 to 99"),
        ("[10, 40]", "25", "line 26: capacity.steps is 25; expected a list of whole numbers from 1 to 99, rising."),
        ('"45s"', '"1h"', 'line 21: capacity.step_soak is "1h"; expected less than gate.deadline, which is "1h".'),
    ],
)
def test_a_mistake_is_told_with_line_key_found_and_expected(
    tmp_path: Path, found: str, instead: str, told: str
) -> None:
    assert FULL.count(found) >= 1
    assert f"migrate.toml, {told}" in complaint(tmp_path, FULL.replace(found, instead, 1))


@pytest.mark.parametrize(
    ("strategy", "told"),
    [
        ("[]", "line 9: capacity.strategy has 0 items; expected 1 to 20."),
        (
            "[" + ", ".join(f'{{ provider = "asg-{number}", weight = 1 }}' for number in range(21)) + "]",
            "line 9: capacity.strategy has 21 items; expected 1 to 20.",
        ),
        ('"FARGATE"', 'line 9: capacity.strategy is "FARGATE"; expected a list of 1 to 20 items such as'),
    ],
)
def test_a_strategy_of_a_wrong_size_or_kind(tmp_path: Path, strategy: str, told: str) -> None:
    text = f"{SMALLEST}[capacity]\nstrategy = {strategy}\n"
    assert f"migrate.toml, {told}" in complaint(tmp_path, text)


@pytest.mark.parametrize(
    "strategy",
    [
        '[{ provider = "graviton", weight = 1 }, { provider = "graviton-spot", weight = 3, base = 1 }]',
        '[{ provider = "FARGATE_SPOT", weight = 1000 }]',
        "[" + ", ".join(f'{{ provider = "asg-{number}", weight = 1 }}' for number in range(20)) + "]",
    ],
)
def test_strategies_that_ecs_takes_are_taken(tmp_path: Path, strategy: str) -> None:
    assert load(write(tmp_path, f"{SMALLEST}[capacity]\nstrategy = {strategy}\n")).capacity


def test_c37_a_base_on_a_provider_without_weight_is_taken(tmp_path: Path) -> None:
    strategy = '[{ provider = "FARGATE_SPOT", weight = 1 }, { provider = "FARGATE", weight = 0, base = 1 }]'
    loaded = load(write(tmp_path, f"{SMALLEST}[capacity]\nstrategy = {strategy}\n"))
    assert loaded.capacity == (StrategyItem("FARGATE_SPOT", 1), StrategyItem("FARGATE", 0, 1))


@pytest.mark.parametrize("steps", [(), (1,), (25, 50, 75, 99)])
def test_steps_may_stand_without_a_strategy(tmp_path: Path, steps: tuple[int, ...]) -> None:
    loaded = load(write(tmp_path, f"{SMALLEST}[capacity]\nsteps = {list(steps)}\n"))
    assert (loaded.capacity_steps, loaded.capacity) == (steps, load(write(tmp_path, SMALLEST)).capacity)


def test_a_missing_table_is_told_with_what_belongs_in_it(tmp_path: Path) -> None:
    told = complaint(tmp_path, SMALLEST.partition("[image]")[0])
    assert told == "migrate.toml, line 3: image is missing; expected a table [image] with container."


def test_an_empty_file_misses_both_tables(tmp_path: Path) -> None:
    assert complaint(tmp_path, "").splitlines() == [
        "migrate.toml, line 1: service is missing; expected a table [service] with cluster, name.",
        "migrate.toml, line 1: image is missing; expected a table [image] with container.",
    ]


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(tmp_path: Path) -> None:
    text = FULL.replace('"5s"', '"5"').replace("region", "regin").replace("base = 2", "base = -2")
    assert [line.partition(":")[0] for line in complaint(tmp_path, text).splitlines()] == [
        "migrate.toml, line 4",
        "migrate.toml, line 23",
        "migrate.toml, line 28",
    ]


@pytest.mark.parametrize("mode", ["extend", "rebuild"])
def test_a_mode_that_builds_needs_a_context(tmp_path: Path, mode: str) -> None:
    text = SMALLEST.replace('context = "app"', f'mode = "{mode}"')
    assert f'image.context is missing; mode "{mode}" builds' in complaint(tmp_path, text)


def test_mode_external_builds_nothing_and_needs_no_context(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, SMALLEST.replace('context = "app"', 'mode = "external"')))
    assert loaded.image.mode is ImageMode.EXTERNAL


OWNED = SMALLEST.replace('context = "app"', 'mode = "external"').replace(
    'name = "web"', 'name = "web"\nowner = "external"\nowner_tool = "cdk"\nowner_deadline = "20m"'
)


def test_a_service_may_be_left_to_its_owner(tmp_path: Path) -> None:
    service = load(write(tmp_path, OWNED)).service
    assert service.is_external
    assert (service.owner_tool, service.owner_deadline) == (OwnerLanguage.CDK, timedelta(minutes=20))


@pytest.mark.parametrize(
    ("found", "instead", "told"),
    [
        ('mode = "external"', 'context = "app"', 'image.mode is "extend"; expected "external" beside service.owner'),
        ("20m", "0s", 'service.owner_deadline is "0s"; expected more than 0'),
        ("cdk", "ansible", "service.owner_tool"),
        ('"external"\nowner_tool', '"somebody"\nowner_tool', "service.owner"),
    ],
)
def test_what_an_owner_cannot_do_is_refused(tmp_path: Path, found: str, instead: str, told: str) -> None:
    assert found in OWNED
    assert told in complaint(tmp_path, OWNED.replace(found, instead))


def test_no_twin_is_made_beside_a_service_of_others(tmp_path: Path) -> None:
    text = f'{OWNED}\n[architecture]\nmode = "canary"\n'
    assert 'architecture.mode is "canary"; expected "rolling" beside service.owner' in complaint(tmp_path, text)


def test_the_value_of_a_build_argument_is_never_repeated(tmp_path: Path) -> None:
    text = FULL.replace('VERSION = "1"', "VERSION = 20260711")
    assert "20260711" not in complaint(tmp_path, text)


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    told = complaint(tmp_path, FULL.replace('"canary"', f'"{"r" * 500}"'))
    assert "rrr..." in told
    assert len(told) < 200


@pytest.mark.parametrize(
    ("found", "instead", "told"),
    [
        ('"demo"', "demo", "migrate.toml, line 2, column 11: this is not TOML: Invalid value."),
        ("[image]\n", "[image]\n[service]\n", "migrate.toml, line 6, column 9: this is not TOML: Cannot declare"),
        ('context = "app"\n', 'context = "app', "migrate.toml, line 7: this is not TOML: Unterminated string."),
    ],
)
def test_what_is_not_toml_is_told_with_its_place(tmp_path: Path, found: str, instead: str, told: str) -> None:
    assert told in complaint(tmp_path, SMALLEST.replace(found, instead))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="There is no settings file") as refusal:
        load(tmp_path / "migrate.toml")
    assert "migrate init" in refusal.value.then


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read") as refusal:
        load(tmp_path)
    assert "directory" in refusal.value.why.lower()


def test_bytes_that_are_not_utf_8_are_told_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "migrate.toml"
    path.write_bytes(SMALLEST.encode() + b"# caf\xe9\n")
    with pytest.raises(SettingsError, match="line 8: found bytes that are not UTF-8"):
        load(path)


def test_c23_an_index_that_is_to_be_loaded_is_refused_with_what_docker_would_say(tmp_path: Path) -> None:
    told = complaint(tmp_path, FULL.replace('target = "release"', "load = true"))
    assert "docker exporter does not currently support exporting manifest lists" in told
