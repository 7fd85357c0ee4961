from __future__ import annotations

from dataclasses import replace

import pytest

from migrate.core.desired_state import desired_capacity, desired_state, index_on_shelf, shelf_tag
from migrate.core.documents import fields
from migrate.core.facts import Architecture, StrategyItem
from migrate.core.image.index import ImageReference
from migrate.core.record import Record
from migrate.core.settings import ImageMode, Settings
from migrate.core.stages import Stage
from tests.fakes.facts import FARGATE, INDEX_DIGEST, NEW, ORIGINAL_DIGEST, built, record, settings
from tests.fakes.records import CLUSTER_ARN, SERVICE_ARN

SETTINGS = settings()
ADOPTED = record(adopted=True)
BUILT = record(adopted=True, shelved=True, index=built())
ALL = list(Stage)
FORWARD = [stage for stage in Stage if stage is not Stage.ORIGINAL]


def in_mode(mode: ImageMode) -> Settings:
    return replace(SETTINGS, image=replace(SETTINGS.image, mode=mode))


@pytest.mark.parametrize("stage", ALL)
def test_exactly_one_of_launch_type_and_strategy_is_set(stage: Stage) -> None:
    for found in (record(), record(launch_type=None, strategy=FARGATE)):
        launch_type, strategy = desired_capacity(found, SETTINGS, stage)
        assert (launch_type is None) is bool(strategy)


def test_c37_a_launch_type_becomes_the_provider_of_its_name_at_the_baseline_and_stays_it() -> None:
    seen = [desired_capacity(record(), SETTINGS, stage) for stage in Stage]
    assert seen == [("FARGATE", ()), (None, FARGATE), (None, FARGATE), (None, FARGATE), (None, SETTINGS.capacity)]


def test_a_strategy_that_the_service_has_stays_until_the_last_stage() -> None:
    own = (StrategyItem("FARGATE", weight=2, base=1), StrategyItem("FARGATE_SPOT", weight=1))
    found = record(launch_type=None, strategy=own)
    seen = [desired_capacity(found, SETTINGS, stage)[1] for stage in Stage]
    assert seen == [own, own, own, own, SETTINGS.capacity]


@pytest.mark.parametrize("stage", ALL)
def test_tasks_are_arm64_from_stage_2_on_and_not_before(stage: Stage) -> None:
    state = desired_state(ADOPTED, SETTINGS, stage)
    moved = stage >= Stage.ARCHITECTURE
    assert state.architecture is (Architecture.ARM64 if moved else Architecture.X86_64)
    assert state.service.service.task_definition == ("task-definition-arm64" if moved else "task-definition")


@pytest.mark.parametrize("stage", ALL)
def test_the_service_names_a_task_definition_that_is_in_the_program(stage: Stage) -> None:
    lost = replace(BUILT, replacement_task_definition_arn="")
    for found in (record(), ADOPTED, BUILT, lost, replace(BUILT, arm64_task_definition_arn=NEW)):
        state = desired_state(found, SETTINGS, stage).service
        names = [item.logical_name for item in state.task_definitions]
        assert state.service.task_definition in names
        assert len(set(names)) == len(names)


def test_the_original_revision_is_imported_never_registered_again() -> None:
    for stage in FORWARD:
        first = desired_state(ADOPTED, SETTINGS, stage).service.task_definitions[0]
        assert (first.import_arn, first.document) == (
            ADOPTED.baseline.task_definition.arn,
            ADOPTED.baseline.task_definition.document,
        )


def test_an_adoption_holds_nothing_that_an_import_may_not_carry() -> None:
    state = desired_state(record(), SETTINGS, Stage.ORIGINAL).service
    assert state.adopt
    assert [item.keep for item in state.task_definitions] == [False]
    assert (state.service.force_new_deployment, state.service.triggers) == (False, ())
    assert (state.service.launch_type, state.service.strategy) == ("FARGATE", ())


def test_c32_once_adopted_every_revision_is_kept() -> None:
    for stage in FORWARD:
        assert all(item.keep for item in desired_state(ADOPTED, SETTINGS, stage).service.task_definitions)


def test_c32_a_copy_of_the_original_replaces_one_that_is_inactive() -> None:
    state = desired_state(replace(BUILT, replacement_task_definition_arn=""), SETTINGS, Stage.IMAGE).service
    copy = state.task_definitions[0]
    assert state.service.task_definition == copy.logical_name == "task-definition-copy"
    assert copy.import_arn is None
    assert copy.document == BUILT.baseline.task_definition.document


def test_the_arm64_revision_stays_in_the_program_after_a_rollback() -> None:
    found = replace(BUILT, arm64_task_definition_arn=NEW)
    names = [item.logical_name for item in desired_state(found, SETTINGS, Stage.BASELINE).service.task_definitions]
    assert names == ["task-definition", "task-definition-arm64"]
    fresh = [item.logical_name for item in desired_state(BUILT, SETTINGS, Stage.BASELINE).service.task_definitions]
    assert fresh == ["task-definition"]


def test_c33_stage_2_changes_nothing_but_the_platform() -> None:
    state = desired_state(BUILT, SETTINGS, Stage.ARCHITECTURE).service
    original, arm64 = (fields(item.document) for item in state.task_definitions)
    assert arm64.pop("runtimePlatform") == {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
    original.pop("runtimePlatform", None)
    assert arm64 == original


def test_c39_a_deployment_is_triggered_by_the_digest_and_by_nothing_that_changes_by_itself() -> None:
    triggers = [desired_state(BUILT, SETTINGS, stage).service.service.triggers for stage in FORWARD]
    assert triggers == [(("image-digest", ORIGINAL_DIGEST),), *[(("image-digest", INDEX_DIGEST),)] * 3]
    assert all(desired_state(BUILT, SETTINGS, stage).service.service.force_new_deployment for stage in FORWARD)


def test_a_service_on_a_strategy_is_not_forced_at_the_baseline() -> None:
    found = record(adopted=True, launch_type=None, strategy=FARGATE)
    assert not desired_state(found, SETTINGS, Stage.BASELINE).service.service.force_new_deployment
    assert desired_state(found, SETTINGS, Stage.IMAGE).service.service.force_new_deployment


def test_c34_the_service_is_named_by_arns_everywhere() -> None:
    inputs = desired_state(record(), SETTINGS, Stage.ORIGINAL).service
    assert (inputs.service.cluster_arn, inputs.service.arn) == (CLUSTER_ARN, SERVICE_ARN)
    assert str(inputs.task_definitions[0].import_arn).startswith("arn:aws:ecs:")


def test_c26_the_repository_is_named_by_a_plain_string_and_the_tag_is_known() -> None:
    for stage in ALL:
        inputs = desired_state(BUILT, SETTINGS, stage).image
        assert (inputs.repository, inputs.service_tag) == ("web", "tag1")
        assert inputs.tag in {"tag1", shelf_tag("tag1")}


def test_the_service_tag_points_at_the_index_from_stage_1_on() -> None:
    published = [desired_state(BUILT, SETTINGS, stage).image.published for stage in Stage]
    assert published == [False, False, True, True, True]


def test_what_was_built_stays_on_the_shelf_after_a_rollback() -> None:
    back = desired_state(BUILT, SETTINGS, Stage.ORIGINAL).image
    assert (back.present, back.tag, back.frozen) == (True, "migrate-index-tag1", True)
    never = desired_state(ADOPTED, SETTINGS, Stage.BASELINE).image
    assert (never.present, never.frozen) == (False, False)


def test_a_new_build_begins_on_the_shelf_and_is_not_frozen() -> None:
    shelf = index_on_shelf(BUILT, SETTINGS)
    assert (shelf.present, shelf.published, shelf.frozen) == (True, False, False)


def test_an_external_image_is_never_built() -> None:
    external = in_mode(ImageMode.EXTERNAL)
    assert not any(desired_state(BUILT, external, stage).image.present for stage in Stage)
    assert not index_on_shelf(ADOPTED, external).present


def test_a_tag_of_ours_is_never_too_long_for_ecr() -> None:
    assert len(shelf_tag("t" * 128)) == 128
    assert shelf_tag("tag1") == "migrate-index-tag1"


def test_the_shelf_tag_is_never_the_services_own_tag() -> None:
    image = ADOPTED.baseline.image
    for tag in ("t", "t" * 128, "migrate-index-t", "migrate-index-" + "t" * 114):
        reference = ImageReference(image.reference.registry, "web", tag=tag)
        named = replace(ADOPTED, baseline=replace(ADOPTED.baseline, image=replace(image, reference=reference)))
        inputs = desired_state(named, SETTINGS, Stage.IMAGE).image
        assert inputs.shelf_tag != inputs.tag


def cluster_of(found: Record, stage: Stage, providers: tuple[str, ...] = ("FARGATE",)) -> tuple[str, ...] | None:
    cluster = replace(found.baseline.cluster, capacity_providers=providers)
    known = replace(found, baseline=replace(found.baseline, cluster=cluster))
    inputs = desired_state(known, SETTINGS, stage).service.cluster
    return None if inputs is None else inputs.capacity_providers


def test_c37_a_missing_provider_is_associated_beside_those_that_are_there() -> None:
    assert cluster_of(record(), Stage.ORIGINAL) == ("FARGATE",)
    assert cluster_of(record(), Stage.BASELINE) == ("FARGATE", "FARGATE_SPOT")
    assert cluster_of(record(), Stage.BASELINE, ("mine",)) == ("mine", "FARGATE", "FARGATE_SPOT")


def test_providers_stay_associated_on_the_way_back() -> None:
    assert [cluster_of(ADOPTED, stage) for stage in Stage] == [("FARGATE", "FARGATE_SPOT")] * 5


def test_a_cluster_that_lacks_nothing_is_left_alone() -> None:
    assert cluster_of(record(), Stage.BASELINE, ("FARGATE", "FARGATE_SPOT")) is None
