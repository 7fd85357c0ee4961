from __future__ import annotations

import json
from dataclasses import replace

import pytest

from migrate.core.desired_state import adoption, desired_state, index_on_shelf
from migrate.core.facts import StrategyItem
from migrate.core.owner.program_configuration import Configuration, image_configuration, named, service_configuration
from migrate.core.record import BuiltIndex, Record
from migrate.core.settings import ProgramSettings
from migrate.core.stages import Position, Stage
from tests.fakes.facts import settings
from tests.fakes.records import a_record, a_service

INDEX = BuiltIndex(f"sha256:{'b' * 64}", "application/vnd.oci.image.index.v1+json", ())
ORIGINAL = f"sha256:{'a' * 64}"
ON_FARGATE = [{"capacityProvider": "FARGATE", "base": 0, "weight": 1}]
ON_SPOT = [
    {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
    {"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": 3},
]


def on_strategy(record: Record) -> Record:
    """Return the record of a service that ran on a strategy from the start."""
    service = replace(a_service(), launch_type=None, strategy=(StrategyItem("FARGATE", weight=1),))
    return replace(record, baseline=replace(record.baseline, service=service))


def at(record: Record, stage: Stage) -> Configuration:
    return service_configuration(record, settings(), desired_state(record, settings(), stage).service)


def test_an_adoption_leaves_all_as_the_program_says() -> None:
    found = service_configuration(a_record(), settings(), adoption(a_record(), settings()).service)
    assert found == {"stage": "0", "architecture": None, "arm64Revision": None, "capacity": None, "deployment": None}


def test_each_stage_adds_its_own_key() -> None:
    begun = replace(on_strategy(a_record()), adopted=True)
    built = replace(begun, index=INDEX)
    assert at(begun, Stage.BASELINE) == {
        "stage": "0",
        "architecture": None,
        "arm64Revision": None,
        "capacity": None,
        "deployment": None,
    }
    one = {"stage": "1", "architecture": None, "arm64Revision": None, "capacity": None, "deployment": INDEX.digest}
    assert at(built, Stage.IMAGE) == one
    two = {**one, "stage": "2", "architecture": "ARM64", "arm64Revision": "true"}
    assert at(built, Stage.ARCHITECTURE) == two
    three = at(built, Stage.CAPACITY)
    assert (three["stage"], three["architecture"], json.loads(three["capacity"] or "")) == ("3", "ARM64", ON_SPOT)
    back = at(built, Stage.ORIGINAL)
    assert back == {"stage": "0", "architecture": None, "arm64Revision": None, "capacity": None, "deployment": ORIGINAL}


def test_a_launch_type_becomes_its_provider_at_stage_0_and_is_the_programs_own_again_at_the_original() -> None:
    record = replace(a_record(), adopted=True)
    assert json.loads(at(record, Stage.BASELINE)["capacity"] or "") == ON_FARGATE
    assert at(record, Stage.ORIGINAL)["capacity"] is None


def test_of_stages_that_are_alike_the_one_that_was_begun_is_told() -> None:
    record = replace(on_strategy(a_record()), adopted=True)
    assert at(record, Stage.BASELINE)["stage"] == "0"
    alike = replace(record, index=replace(INDEX, digest=ORIGINAL), position=Position(Stage.BASELINE, Stage.IMAGE))
    assert at(alike, Stage.IMAGE)["stage"] == "1"


@pytest.mark.parametrize(("stage", "told"), [(Stage.BASELINE, "original"), (Stage.IMAGE, "index")])
def test_the_image_is_told_by_what_the_tag_holds(stage: Stage, told: str) -> None:
    image = desired_state(a_record(), settings(), stage).image
    assert image_configuration(image) == {"image": told, "originalDigest": ORIGINAL}


def test_an_index_that_waits_for_its_proof_is_on_the_shelf() -> None:
    assert image_configuration(index_on_shelf(a_record(), settings()))["image"] == "shelved"


def test_a_team_may_have_names_of_its_own() -> None:
    program = ProgramSettings("infra", "dev", namespace="shop", keys=(("stage", "step"), ("capacity", "ecs:where")))
    found = named(program, {"stage": "1", "capacity": None, "architecture": "ARM64"})
    assert found == {"shop:step": "1", "ecs:where": None, "shop:architecture": "ARM64"}
