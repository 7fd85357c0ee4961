"""What every StackDeployer must do; run over the scripted world and over the real engine in the sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.adapters.pulumi.workspace import StackKind
from migrate.core.desired_state import ImageStackInputs, ServiceStackInputs, adoption, desired_state, index_on_shelf
from migrate.core.facts import Service
from migrate.core.record import BuiltIndex, Record
from migrate.core.stack.pending import only_unread
from migrate.core.stack.preview import SERVICE, Act, Preview, StackOutcome, violations
from migrate.core.stages import Stage
from migrate.core.twin import TWIN, Twin, twin_name
from migrate.errors import AccessError, EngineError, LockedError, NotFoundError, UnsafePreviewError
from migrate.sandbox.sandbox import Sandbox
from tests.contracts.stack_scenes import SPOT, EngineScene, FakeScene, Scene, sandbox_for

REAL = pytest.param("engine", marks=pytest.mark.e2e)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    yield from sandbox_for(tmp_path_factory.mktemp("sandbox"))


@pytest.fixture(params=["fake", REAL])
def scene(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    if request.param == "fake":
        return FakeScene()
    sandbox: Sandbox = request.getfixturevalue("sandbox")
    for name, value in sandbox.settings().items():
        monkeypatch.setenv(name, value)
    return EngineScene(sandbox, tmp_path)


def _service(scene: Scene) -> Service:
    return scene.services.service(scene.settings.service.cluster, scene.settings.service.name)


def _deployment(scene: Scene) -> str:
    """Return the id of the PRIMARY deployment: how far it has come may change while nobody does anything."""
    primary = _service(scene).primary
    assert primary is not None
    return primary.id


def _inputs(scene: Scene, record: Record, stage: Stage) -> ServiceStackInputs:
    return desired_state(record, scene.settings, stage).service


def _up(scene: Scene, inputs: ServiceStackInputs, act: Act) -> StackOutcome:
    assert violations(scene.stacks.preview_service(inputs), act) == ()
    return scene.stacks.up_service(inputs)


def _adopted(scene: Scene) -> Record:
    _up(scene, _inputs(scene, scene.record, Stage.ORIGINAL), Act.ADOPT)
    return replace(scene.record, adopted=True)


def _at_baseline(scene: Scene) -> Record:
    record = _adopted(scene)
    _up(scene, _inputs(scene, record, Stage.BASELINE), Act.BASELINE)
    return record


def _operations(preview: Preview | StackOutcome) -> set[str]:
    resources = Preview(preview.stack, preview.resources).changes
    return {change.operation for change in resources}


def test_an_adoption_imports_and_changes_nothing(scene: Scene) -> None:
    before = _deployment(scene)
    inputs = _inputs(scene, scene.record, Stage.ORIGINAL)
    preview = scene.stacks.preview_service(inputs)
    assert violations(preview, Act.ADOPT) == ()
    assert _operations(preview) == {"import"}
    scene.stacks.up_service(inputs)
    assert scene.stacks.preview_service(replace(inputs, adopt=False)).changes == ()
    assert _deployment(scene) == before


def test_c37_a_launch_type_goes_to_its_provider_in_place_and_comes_back_outside_the_engine(scene: Scene) -> None:
    record = _at_baseline(scene)
    assert [item.provider for item in _service(scene).strategy] == ["FARGATE"]
    baseline = _inputs(scene, record, Stage.BASELINE)
    assert scene.stacks.preview_service(baseline).changes == ()
    before = _deployment(scene)
    unforced = replace(baseline.service, strategy=SPOT, force_new_deployment=False, triggers=())
    with pytest.raises(EngineError, match="could not preview") as refused:
        scene.stacks.preview_service(replace(baseline, service=unforced))
    assert "force_new_deployment should be true" in refused.value.why
    original = _inputs(scene, record, Stage.ORIGINAL)
    with pytest.raises(UnsafePreviewError):
        scene.stacks.preview_service(replace(original, service=replace(original.service, force_new_deployment=True)))
    assert _deployment(scene) == before
    scene.safety.return_to_launch_type(_service(scene))
    scene.stacks.refresh()
    _up(scene, original, Act.ORIGINAL)
    assert (_service(scene).launch_type, _service(scene).strategy) == ("FARGATE", ())
    assert scene.stacks.preview_service(original).changes == ()


def _shelved(scene: Scene) -> tuple[ImageStackInputs, Record, str]:
    shelf = index_on_shelf(replace(scene.record, shelved=True), scene.settings)
    assert violations(scene.stacks.preview_image(shelf), Act.SHELVE_INDEX) == ()
    digest = scene.stacks.up_image(shelf).output("index_digest") or ""
    assert digest == scene.digest(shelf.shelf_tag)
    index = BuiltIndex(digest, "application/vnd.oci.image.index.v1+json", ())
    return shelf, replace(scene.record, shelved=True, index=index), digest


def test_the_index_is_shelved_published_and_put_back_without_a_replacement(scene: Scene) -> None:
    lookup = scene.stacks.up_image(desired_state(scene.record, scene.settings, Stage.BASELINE).image)
    assert lookup.output("index_digest") is None
    assert (lookup.output("repository_url") or "").endswith(scene.record.baseline.image.repository)
    original = scene.record.baseline.image.digest
    tag = scene.record.baseline.image.reference.tag or ""
    shelf, record, digest = _shelved(scene)
    assert scene.digest(tag) == original
    settled = scene.stacks.preview_image(shelf).settled
    assert settled is not None
    assert settled.output("index_digest") == digest
    published = desired_state(record, scene.settings, Stage.IMAGE).image
    back = desired_state(record, scene.settings, Stage.BASELINE).image
    for _ in range(2):
        assert violations(scene.stacks.preview_image(published), Act.PUBLISH_INDEX) == ()
        scene.stacks.up_image(published)
        assert scene.digest(tag) == digest
        assert scene.stacks.preview_image(published).changes == ()
        preview = scene.stacks.preview_image(back)
        assert violations(preview, Act.PUBLISH_INDEX) == ()
        assert [change.name for change in preview.changes] == ["published"]
        scene.stacks.up_image(back)
        # Pulumi takes its hand off the tag and pushes nothing: the safety action puts the manifest back, byte for byte.
        assert scene.digest(tag) == digest
        scene.safety.restore_tag(scene.record.baseline.image)
        assert scene.digest(tag) == original
    assert scene.digest(shelf.shelf_tag) == digest


def test_what_is_built_stays_built_until_it_is_asked_for_again(scene: Scene) -> None:
    shelf, record, digest = _shelved(scene)
    scene.change_context()
    settled = desired_state(record, scene.settings, Stage.IMAGE).image
    assert [change.name for change in scene.stacks.preview_image(settled).changes] == ["published"]
    preview = scene.stacks.preview_image(shelf)
    assert violations(preview, Act.SHELVE_INDEX) == ()
    assert {change.name for change in preview.changes} == {"image", "index"}
    scene.stacks.up_image(settled)
    assert scene.digest(settled.tag) == digest


def test_c32_a_new_revision_leaves_the_old_one_active_and_so_does_the_way_back(scene: Scene) -> None:
    _, record, _ = _shelved(scene)
    scene.stacks.up_image(desired_state(record, scene.settings, Stage.IMAGE).image)
    record = replace(_at_baseline(scene), shelved=True, index=record.index)
    outcome = _up(scene, _inputs(scene, record, Stage.ARCHITECTURE), Act.SERVICE)
    arns = json.loads(outcome.output("task_definition_arns") or "{}")
    assert _service(scene).task_definition_arn == arns["task-definition-arm64"]
    record = replace(record, arm64_task_definition_arn=arns["task-definition-arm64"])
    assert scene.stacks.preview_service(_inputs(scene, record, Stage.ARCHITECTURE)).changes == ()
    _up(scene, _inputs(scene, record, Stage.CAPACITY), Act.SERVICE)
    assert {item.provider for item in _service(scene).strategy} == {"FARGATE", "FARGATE_SPOT"}
    _up(scene, _inputs(scene, record, Stage.IMAGE), Act.SERVICE)
    assert _service(scene).task_definition_arn == arns["task-definition"]
    assert {scene.services.task_definition(arn).status for arn in arns.values()} == {"ACTIVE"}


def test_c43_a_refresh_shows_that_somebody_else_has_deployed(scene: Scene) -> None:
    _adopted(scene)
    scene.deploy_another_revision()
    scene.stacks.refresh()
    inputs = replace(_inputs(scene, scene.record, Stage.ORIGINAL), adopt=False)
    (change,) = scene.stacks.preview_service(inputs).changes
    assert (change.name, change.operation, change.properties) == ("service", "update", ("taskDefinition",))


def test_a_refresh_of_nothing_is_nothing(scene: Scene) -> None:
    scene.stacks.refresh()


def test_c43_stacks_that_are_set_aside_leave_room_for_a_new_adoption(scene: Scene) -> None:
    _, record, digest = _shelved(scene)
    record = replace(_at_baseline(scene), shelved=True, index=record.index)
    before, strategy = _deployment(scene), _service(scene).strategy
    for _ in range(2):
        scene.stacks.set_aside("until-20261125T120000", image=True)
    found = replace(record.baseline, cluster=scene.services.cluster(record.baseline.service.cluster_arn))
    again = replace(record, baseline=found, adopted=False, shelved=False, index=None, found_capacity=strategy)
    inputs = adoption(again, scene.settings).service
    preview = scene.stacks.preview_service(inputs)
    assert violations(preview, Act.ADOPT) == ()
    assert _operations(preview) == {"import"}
    scene.stacks.up_service(inputs)
    assert scene.stacks.preview_service(replace(inputs, adopt=False)).changes == ()
    assert _deployment(scene) == before
    assert (scene.digest(index_on_shelf(record, scene.settings).shelf_tag), _shelved(scene)[2]) == (digest, digest)


def test_c43_the_image_stack_may_stay_where_only_the_service_changed_hands(scene: Scene) -> None:
    shelf, record, _ = _shelved(scene)
    _at_baseline(scene)
    scene.stacks.set_aside("until-20261125T120000", image=False)
    assert scene.stacks.preview_image(desired_state(record, scene.settings, Stage.BASELINE).image).changes == ()
    assert scene.digest(shelf.shelf_tag) is not None


@pytest.fixture
def engine_scene(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EngineScene:
    """Give a scene on the real engine alone: state and registry are looked at from outside."""
    sandbox: Sandbox = request.getfixturevalue("sandbox")
    for name, value in sandbox.settings().items():
        monkeypatch.setenv(name, value)
    return EngineScene(sandbox, tmp_path)


def _published(scene: Scene) -> tuple[ImageStackInputs, str]:
    _, record, digest = _shelved(scene)
    inputs = desired_state(record, scene.settings, Stage.IMAGE).image
    scene.stacks.up_image(inputs)
    return inputs, digest


@pytest.mark.e2e
@pytest.mark.parametrize("gone", [False, True], ids=["all there", "index expired already"])
def test_c30_destroying_an_image_stack_takes_nothing_from_the_registry(engine_scene: EngineScene, gone: bool) -> None:
    inputs, digest = _published(engine_scene)
    original = engine_scene.record.baseline.image.digest
    if gone:
        # What is missing already is no error for the user either: nothing is asked of the registry at all.
        engine_scene.expire(digest)
    engine_scene.image_stack().destroy(color="never")
    assert engine_scene.state() == []
    assert engine_scene.holds(original)
    assert engine_scene.holds(digest) is not gone
    if not gone:
        assert (engine_scene.digest(inputs.shelf_tag), engine_scene.digest(inputs.tag)) == (digest, digest)


@pytest.mark.e2e
def test_c30_of_two_stacks_that_hold_one_tag_one_may_be_destroyed(engine_scene: EngineScene) -> None:
    inputs, digest = _published(engine_scene)
    engine_scene.stacks.set_aside("until-20261125T120000", image=True)
    _, record, again = _shelved(engine_scene)
    engine_scene.stacks.up_image(desired_state(record, engine_scene.settings, Stage.IMAGE).image)
    assert again == digest, "the same content under the same tag, in two stacks"
    engine_scene.image_stack("until-20261125T120000").destroy(color="never")
    assert (engine_scene.digest(inputs.shelf_tag), engine_scene.digest(inputs.tag)) == (digest, digest)


@pytest.mark.e2e
def test_c28_a_refresh_that_would_drop_an_image_stops_and_leaves_the_state(engine_scene: EngineScene) -> None:
    _, digest = _published(engine_scene)
    engine_scene.expire(digest)
    before = engine_scene.state()
    with pytest.raises(UnsafePreviewError) as refused:
        engine_scene.deployer._refresh(StackKind.IMAGE)
    assert "would drop" in refused.value.what
    assert "index" in refused.value.what
    assert refused.value.runbook == "errors#refresh-drops"
    assert engine_scene.state() == before


def _goes_back(scene: Scene, record: Record) -> None:
    """Go the way back of every rollback: what is in the world first, then what is wanted."""
    scene.stacks.refresh()
    _up(scene, _inputs(scene, record, Stage.BASELINE), Act.SERVICE)
    assert [item.provider for item in _service(scene).strategy] == ["FARGATE"]


def _on_spot(scene: Scene) -> Record:
    record = replace(_at_baseline(scene), index=BuiltIndex(scene.record.baseline.image.digest, "", ()))
    _up(scene, _spot(_inputs(scene, record, Stage.BASELINE)), Act.SERVICE)
    assert len(_service(scene).strategy) == 2
    return record


def _spot(inputs: ServiceStackInputs) -> ServiceStackInputs:
    return replace(inputs, service=replace(inputs.service, strategy=SPOT))


def test_c41_a_stack_that_somebody_else_has_locked_is_left_to_them_and_then_gone_on_with(scene: Scene) -> None:
    record = _on_spot(scene)
    before = _deployment(scene)
    with scene.lock_by_others() as holder:
        for write in (scene.stacks.refresh, lambda: scene.stacks.up_service(_inputs(scene, record, Stage.BASELINE))):
            with pytest.raises(LockedError) as refused:
                write()
            assert holder in refused.value.why
            assert refused.value.runbook == "errors#stack-locked"
        assert scene.stacks.preview_service(_inputs(scene, record, Stage.BASELINE)).changes != ()
    assert _deployment(scene) == before
    _goes_back(scene, record)


def test_c41_a_lock_that_a_dead_process_of_ours_has_left_does_not_stand_in_the_way_back(scene: Scene) -> None:
    record = _on_spot(scene)
    scene.leave_a_dead_lock()
    _goes_back(scene, record)


@pytest.mark.parametrize("operation", ["updating", "creating"])
def test_c41_an_operation_whose_end_nobody_knows_does_not_stand_in_the_way_back(scene: Scene, operation: str) -> None:
    record = _on_spot(scene)
    scene.leave_unfinished(operation)
    _goes_back(scene, record)


def test_credentials_that_have_expired_change_nothing_and_are_named(scene: Scene) -> None:
    record = _on_spot(scene)
    inputs, before = _inputs(scene, record, Stage.BASELINE), _deployment(scene)
    with scene.expire_credentials():
        for asked in (scene.stacks.refresh, lambda: scene.stacks.up_service(inputs)):
            with pytest.raises(AccessError) as refused:
                asked()
            assert "expired" in str(refused.value).lower()
    assert _deployment(scene) == before
    _goes_back(scene, record)


def test_a_twin_is_made_of_the_inputs_and_is_the_one_service_that_goes_again(scene: Scene) -> None:
    record = _at_baseline(scene)
    main = _deployment(scene)
    twin = Twin(twin_name(scene.settings.service.name), 1)
    there = _inputs(scene, replace(record, twin=twin), Stage.ARCHITECTURE)
    preview = scene.stacks.preview_service(there)
    assert violations(preview, Act.SERVICE) == (f"{TWIN} ({SERVICE}): this step must not create it",)
    assert violations(preview, Act.SERVICE, "create") == ()
    outcome = scene.stacks.up_service(there)
    arn = outcome.output("twin_arn") or ""
    made = scene.services.service(scene.settings.service.cluster, arn)
    assert (made.name, made.desired_count, made.target_group_arns) == (twin.name, 1, _service(scene).target_group_arns)
    assert made.strategy == _service(scene).strategy
    assert scene.stacks.preview_service(there).changes == ()
    definitions = json.loads(outcome.output("task_definition_arns") or "{}")
    kept = replace(record, arm64_task_definition_arn=definitions["task-definition-arm64"])
    gone = _inputs(scene, kept, Stage.BASELINE)
    leaving = scene.stacks.preview_service(gone)
    assert violations(leaving, Act.SERVICE) == (f"{TWIN} ({SERVICE}): this step must not delete it",)
    assert violations(leaving, Act.SERVICE, "delete") == ()
    scene.stacks.up_service(gone)
    with pytest.raises(NotFoundError):
        scene.services.service(scene.settings.service.cluster, arn)
    assert _deployment(scene) == main, "the service itself was not touched"


def test_a_revision_that_a_killed_up_has_registered_is_not_registered_again(scene: Scene) -> None:
    record = _at_baseline(scene)
    assert scene.stacks.pending() == ()
    inputs = _inputs(scene, record, Stage.ARCHITECTURE)
    scene.killed_in_up(inputs)
    family = record.baseline.task_definition.family
    (left,) = scene.stacks.pending()
    assert (left.stack, left.operation, left.name) == ("service", "creating", "task-definition-arm64")
    scene.stacks.settle({left.urn: scene.services.task_definition(family).arn})
    assert scene.stacks.pending() == ()
    preview = scene.stacks.preview_service(inputs)
    assert "task-definition-arm64" not in {item.name for item in preview.changes}


def test_a_deployment_that_a_killed_up_has_forced_is_not_forced_again(scene: Scene) -> None:
    record = _at_baseline(scene)
    inputs = _inputs(scene, replace(record, index=BuiltIndex("sha256:1", "", ())), Stage.IMAGE)
    before = _deployment(scene)
    scene.killed_in_up(inputs)
    forced = _deployment(scene)
    assert forced != before
    scene.stacks.refresh()
    assert only_unread(scene.stacks.preview_service(inputs)), "AWS does not tell why it was forced"
    scene.stacks.acknowledge(inputs)
    assert scene.stacks.preview_service(inputs).settled is not None
    assert _deployment(scene) == forced


def test_what_a_killed_up_has_not_made_is_made_by_the_next(scene: Scene) -> None:
    record = _at_baseline(scene)
    inputs = _inputs(scene, record, Stage.ARCHITECTURE)
    scene.killed_in_up(inputs)
    scene.stacks.settle({})
    assert scene.stacks.pending() == ()
    preview = scene.stacks.preview_service(inputs)
    assert ("create", "task-definition-arm64") in {(item.operation, item.name) for item in preview.changes}


def test_a_twin_that_the_engine_was_killed_over_is_imported_and_goes_like_any_other(scene: Scene) -> None:
    record = _at_baseline(scene)
    twin = Twin(twin_name(scene.settings.service.name), 1)
    there = _inputs(scene, replace(record, twin=twin), Stage.ARCHITECTURE)
    definitions = json.loads(scene.stacks.up_service(there).output("task_definition_arns") or "{}")
    assert there.twin is not None
    found = replace(there, twin=replace(there.twin, adopt=True))
    known = scene.stacks.preview_service(found)
    assert violations(known, Act.SERVICE, "import") != (), "one that the state knows would be replaced"
    scene.lose_twin()
    scene.stacks.refresh()
    preview = scene.stacks.preview_service(found)
    assert violations(preview, Act.SERVICE, "create") != ()
    assert violations(preview, Act.SERVICE, "import") == ()
    assert _operations(preview) == {"import"}
    arn = scene.stacks.up_service(found).output("twin_arn") or ""
    assert scene.services.service(scene.settings.service.cluster, arn).name == twin.name
    assert violations(scene.stacks.preview_service(there), Act.SERVICE, "create") == ()
    scene.stacks.up_service(there)
    assert scene.stacks.preview_service(there).changes == ()
    kept = replace(record, arm64_task_definition_arn=definitions["task-definition-arm64"])
    gone = _inputs(scene, kept, Stage.BASELINE)
    assert violations(scene.stacks.preview_service(gone), Act.SERVICE, "delete") == ()
    scene.stacks.up_service(gone)
    with pytest.raises(NotFoundError):
        scene.services.service(scene.settings.service.cluster, arn)
