"""Any order of applying, going back, failing, dying and other people's work keeps the promises of the design.

The workflows run over the scripted ECS world in virtual time. After every rule the promises are checked against the
world itself, not against what the tool says; at the end all trouble is over, and the original has to come back.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from migrate.core.desired_state import adoption, desired_capacity
from migrate.core.facts import Architecture, Strategy, StrategyItem
from migrate.core.record import Record
from migrate.core.settings import ArchitectureMode, ImageMode
from migrate.core.stages import Position, Stage
from migrate.core.task_definition import equivalent, with_architecture
from migrate.errors import AccessError, BlockedError, EngineError, ExitCode, InterruptedRunError, WorldChangedError
from tests.fakes.aws_simulation import Fate
from tests.fakes.aws_world import TAG, Reporting, World
from tests.fakes.clock import FakeClock
from tests.fakes.migration import SETTINGS, Operator
from tests.fakes.troubled_migration import Ended, Trouble

THROTTLED = AccessError("AWS throttled the call.", why="ThrottlingException: Rate exceeded", then="Wait a minute.")
EXPIRED = AccessError("The session has expired.", why="ExpiredTokenException", then="Sign in again.")
FAILED = EngineError("Pulumi could not do it.", why="error: update failed", then="Read the log.")
STOPPED = InterruptedRunError("The run was stopped while Pulumi was busy.", then="Again.")
CALLS = (
    "service",
    "tasks",
    "task_definition",
    "target_health",
    "alarms",
    "service_deployments",
    "put_guard_tag",
    "restore_tag",
    "stop_deployment",
    "force_deployment",
    "return_to_launch_type",
)
ENGINE = ("preview_image", "preview_service", "up_image", "up_service", "refresh", "set_aside")
CHOSEN = (
    (StrategyItem("FARGATE", weight=1, base=2), StrategyItem("FARGATE_SPOT", weight=1)),
    (StrategyItem("FARGATE_SPOT", weight=7),),
)
FREE_EXAMPLES = int(os.environ.get("MIGRATE_FREE_EXAMPLES", "0"))
"""The normal run is the same every time, so that it fails for a change alone; a free one looks for what is new."""
STAGES = st.sampled_from([Stage.BASELINE, Stage.IMAGE, Stage.ARCHITECTURE, Stage.CAPACITY])
DEATHS = st.none() | st.tuples(st.integers(1, 40), st.booleans())
BADLY = st.sampled_from([fate for fate in Fate if fate is not Fate.HEALTHY])
REFUSED = frozenset({ExitCode.BLOCKED, ExitCode.WORLD_CHANGED, ExitCode.LOCKED})


class Migrations(RuleBasedStateMachine):
    """One service; the rules are what may happen to it."""

    trouble: Trouble

    @initialize(
        launch_type=st.sampled_from(["FARGATE", None]),
        desired=st.sampled_from([1, 2, 4, 7]),
        reporting=st.builds(Reporting, st.booleans(), st.sampled_from(["child", "index", "nothing"]), st.booleans()),
        image=st.sampled_from(ImageMode),
        architecture=st.sampled_from(ArchitectureMode),
        build_minutes=st.sampled_from([0, 2]),
    )
    def begin(
        self,
        launch_type: str | None,
        desired: int,
        reporting: Reporting,
        image: ImageMode,
        architecture: ArchitectureMode,
        build_minutes: int,
    ) -> None:
        world = World.with_demo_service(FakeClock(), launch_type=launch_type, desired=desired)
        world.reporting = reporting
        chosen = replace(SETTINGS, image=replace(SETTINGS.image, mode=image), architecture=architecture)
        self.trouble = Trouble(Operator.of(world, chosen), desired)
        self.trouble.operator.stacks.build_time = timedelta(minutes=build_minutes)
        self.providers = set(world.cluster.capacity_providers)

    # What the operator does

    @rule(stage=STAGES, dies=DEATHS, resumed=st.booleans())
    def apply(self, stage: Stage, dies: tuple[int, bool] | None, *, resumed: bool) -> None:
        self._judge(self.trouble.run("apply", stage, dies, resumed=resumed))

    @rule()
    def apply_what_comes_next(self) -> None:
        record = self.trouble.record
        position = record.position if record else Position()
        stage = position.entered if position.entered is not None else min(position.proven + 1, Stage.CAPACITY)
        self._judge(self.trouble.run("apply", Stage(stage)))

    @rule(to=st.none() | st.sampled_from(Stage), dies=DEATHS, resumed=st.booleans())
    def roll_back(self, to: Stage | None, dies: tuple[int, bool] | None, *, resumed: bool) -> None:
        self._judge(self.trouble.run("rollback", to, dies, resumed=resumed))

    @rule(dies=DEATHS)
    @precondition(lambda self: self.trouble.others)
    def take_a_new_baseline(self, dies: tuple[int, bool] | None) -> None:
        self._judge(self.trouble.run("rebaseline", None, dies))

    # What fails

    @rule(fate=BADLY)
    def let_the_next_deployment_fail(self, fate: Fate) -> None:
        self.trouble.world.next_deployment(fate)

    @rule(call=st.sampled_from(CALLS + ENGINE), error=st.sampled_from([THROTTLED, EXPIRED]), times=st.integers(1, 6))
    def refuse_calls(self, call: str, error: AccessError, times: int) -> None:
        self.trouble.world.refuse(call, error, times=times)

    @rule(method=st.sampled_from(ENGINE[2:]), error=st.sampled_from([EXPIRED, FAILED, STOPPED]), before=st.booleans())
    def fail_in_the_engine(self, method: str, error: AccessError, *, before: bool) -> None:
        if before:
            self.trouble.world.refuse(method, error)
        else:
            self.trouble.operator.stacks.interrupt_after[method] = error

    @rule(state=st.sampled_from(["OK", "ALARM", "INSUFFICIENT_DATA"]), minutes=st.integers(0, 3))
    def let_an_alarm_ring(self, state: str, minutes: int) -> None:
        self.trouble.world.script_alarm("web-errors", state, after=timedelta(minutes=minutes))

    @rule(lacking=st.booleans())
    def let_spot_be_short(self, *, lacking: bool) -> None:
        self.trouble.world.demo.lacking = {"FARGATE_SPOT"} if lacking else set()

    @rule(seconds=st.integers(1, 300))
    def press_ctrl_c(self, seconds: int) -> None:
        self.trouble.world.clock.stop_after(timedelta(seconds=seconds))

    @rule(minutes=st.integers(1, 20))
    def wait(self, minutes: int) -> None:
        self.trouble.world.clock._stop_at = None
        self.trouble.world.pass_time(timedelta(minutes=minutes))

    # What others do, now or in the middle of the next run

    @rule(arm64=st.sampled_from([False, False, False, True]), version=st.integers(2, 9), seconds=st.integers(0, 200))
    def others_deploy(self, *, arm64: bool, version: int, seconds: int) -> None:
        self._soon(seconds, partial(self.trouble.deploy, arm64=arm64, version=version))

    @rule(number=st.integers(1, 5), seconds=st.integers(0, 200))
    def others_push(self, number: int, seconds: int) -> None:
        self._soon(seconds, partial(self.trouble.push, number))

    @rule(keeps_amd64=st.booleans(), seconds=st.sampled_from([0, 0, 60]))
    @precondition(lambda self: self.trouble.external)
    def ci_pushes_an_index(self, *, keeps_amd64: bool, seconds: int) -> None:
        self._soon(seconds, partial(self.trouble.push_index, keeps_amd64=keeps_amd64))

    @rule(strategy=st.sampled_from(CHOSEN), seconds=st.integers(0, 200))
    def others_choose_capacity(self, strategy: Strategy, seconds: int) -> None:
        self._soon(seconds, partial(self.trouble.choose_capacity, strategy))

    @rule(desired=st.sampled_from([0, 1, 2, 5, 9]), seconds=st.integers(0, 200))
    def auto_scaling(self, desired: int, seconds: int) -> None:
        self._soon(seconds, partial(self.trouble.scale, desired))

    @rule(arm64=st.booleans())
    def revision_is_deregistered(self, *, arm64: bool) -> None:
        record = self.trouble.record
        if record is not None:
            arn = record.arm64_task_definition_arn if arm64 else record.baseline.task_definition.arn
            self.trouble.deregister(str(arn))

    @rule(which=st.sampled_from(["original", "index", "arm64"]))
    def image_is_lost(self, which: str) -> None:
        record = self.trouble.record
        if record is None:
            return
        children = dict(record.index.children) if record.index else {}
        index = record.index.digest if record.index else None
        digest = {"original": record.baseline.image.digest, "index": index, "arm64": children.get("linux/arm64")}[which]
        if digest is not None:
            self.trouble.lose(digest)

    def _soon(self, seconds: int, act: partial[None]) -> None:
        if seconds < 20:
            act()
        else:
            self.trouble.world.clock.after(timedelta(seconds=seconds), act)

    # What has to hold

    def _judge(self, ended: Ended) -> None:
        note(f"{ended}")
        trouble, refusal, outcome = self.trouble, ended.refusal, ended.outcome
        if refusal is not None:
            assert refusal.exit_code in REFUSED | {ExitCode.INTERRUPTED}, repr(refusal)
            assert all(write.startswith("tag migrate-guard-") for write in ended.wrote), (refusal, ended.wrote)
        if outcome is None:
            return
        record = trouble.record
        assert record is not None
        if "nothing was changed" in outcome.text:
            assert not ended.wrote
            assert record.position.entered is None
            assert record.position.proven >= outcome.stage
        elif outcome.exit_code in {ExitCode.DONE, ExitCode.ROLLED_BACK}:
            assert record.position == Position(outcome.stage), outcome
            self._is_proven(outcome.stage)
        if outcome.exit_code is ExitCode.ROLLBACK_INCOMPLETE:
            assert trouble.world.demo.primary.task_definition_arn in outcome.text or "could not be read" in outcome.text
            assert record.position.entered is not None or record.position.proven > outcome.stage
        if outcome.exit_code is ExitCode.HELD:
            assert record.position.entered is outcome.stage

    def _is_proven(self, stage: Stage) -> None:
        """Check a stage that is called proven in the world itself."""
        trouble, record = self.trouble, self.trouble.operator.record
        demo = trouble.world.demo
        assert demo.primary.rollout_state == "COMPLETED"
        settings = trouble.operator.settings
        mixed = settings.architecture is ArchitectureMode.MIXED
        arm64 = (stage >= Stage.ARCHITECTURE and not mixed) or record.arm64_from_the_start
        assert trouble.world.architecture_of(demo.primary.task_definition_arn) is (
            Architecture.ARM64 if arm64 else Architecture.X86_64
        )
        _, strategy = desired_capacity(record, settings, stage)
        if stage is Stage.ORIGINAL and not record.adopted:
            # A new baseline was found on a strategy of ours, and stands on it until stage 0 has adopted it.
            strategy = adoption(record, settings).strategy
        assert set(demo.primary.strategy) == set(strategy)
        living = demo.living()
        assert all(task.deployment is demo.primary for task in living)
        assert demo.primary.fate is Fate.HEALTHY
        digest = trouble.world.digest_of_tag(TAG)
        if trouble.their_tag is None and not trouble.external:
            index = record.index.digest if record.index else None
            assert digest == (index if stage >= Stage.IMAGE else record.baseline.image.digest)

        twins = [service for service in trouble.world.services.values() if service is not demo]
        assert len(twins) == (stage >= Stage.ARCHITECTURE and mixed and not record.arm64_from_the_start)
        for twin in twins:
            assert (twin.primary.rollout_state, twin.primary.fate) == ("COMPLETED", Fate.HEALTHY)
            assert trouble.world.architecture_of(twin.primary.task_definition_arn) is Architecture.ARM64

    @invariant()
    def a_task_that_may_be_started_finds_its_image(self) -> None:
        trouble = self.trouble
        # What others pushed last is theirs, also where it happens to be the original once more.
        if trouble.world.digest_of_tag(TAG) == trouble.last_push or trouble.lost:
            return
        for deployment in (item for service in trouble.world.services.values() for item in service.deployments):
            if deployment.status == "PRIMARY" and deployment.rollout_state == "COMPLETED":
                architecture = trouble.world.architecture_of(deployment.task_definition_arn)
                digest = trouble.world.digest_of_tag(TAG)
                assert digest is not None
                if deployment.task_definition_arn not in trouble.theirs:
                    assert trouble.world.child_of(digest, architecture), f"no {architecture} behind the tag"

    @invariant()
    def the_original_is_guarded_before_the_tag_moves(self) -> None:
        trouble, record = self.trouble, self.trouble.record
        if record is None or record.baseline.image.digest in trouble.lost or not record.published:
            return
        image = record.baseline.image
        assert trouble.world.digest_of_tag(image.guard_tag) == image.digest
        assert trouble.world.shelf.manifests[image.guard_tag] == (image.media_type, image.manifest.encode())

    @invariant()
    def nothing_is_taken_away(self) -> None:
        world = self.trouble.world
        gone = {arn for arn, item in world.revisions.items() if item.status != "ACTIVE"}
        assert gone <= self.trouble.inactive
        assert set(world.cluster.capacity_providers) >= self.providers
        assert world.demo.desired == self.trouble.desired

    @invariant()
    def a_tag_of_the_teams_ci_is_not_moved(self) -> None:
        assert not self.trouble.external or f"tag {TAG}" not in self.trouble.world.writes

    @invariant()
    def no_stage_has_two_revisions(self) -> None:
        trouble, record = self.trouble, self.trouble.record
        if record is None:
            return
        original = record.baseline.task_definition.document
        arm64 = with_architecture(original, Architecture.ARM64)
        for content in (arm64, original):
            ours = [
                item
                for arn, item in trouble.world.revisions.items()
                if arn not in trouble.theirs and item.status == "ACTIVE" and equivalent(item.document, content)
            ]
            assert len(ours) <= 1, [item.arn for item in ours]

    @invariant()
    def what_others_did_stands(self) -> None:
        trouble = self.trouble
        trouble.forget_what_ecs_took_back()
        if trouble.runs_theirs is not None:
            assert trouble.world.demo.primary.task_definition_arn == trouble.runs_theirs
        if trouble.their_tag is not None and trouble.their_tag not in trouble.lost:
            assert trouble.world.digest_of_tag(TAG) == trouble.their_tag
        if trouble.their_capacity is not None:
            assert trouble.world.demo.primary.strategy == trouble.their_capacity

    def teardown(self) -> None:
        """End all trouble and go back: the original comes back, unless somebody else's change forbids it."""
        if not hasattr(self, "trouble"):
            return
        trouble = self.trouble
        trouble.calm()
        trouble.forget_what_ecs_took_back()
        ended = trouble.run("rollback", Stage.ORIGINAL)
        note(f"at the end: {ended}")
        record = trouble.record
        if ended.refusal is not None:
            now = trouble.world.demo.primary
            others = trouble.others or now.task_definition_arn in trouble.theirs or now.strategy in CHOSEN
            assert (
                record is None
                or (others and isinstance(ended.refusal, WorldChangedError))
                or (isinstance(ended.refusal, BlockedError) and self._is_lost(record, ended.refusal))
            ), repr(ended.refusal)
            return
        assert ended.outcome is not None
        if trouble.desired == 0 or trouble.others:
            return
        if trouble.lost and "nothing was changed" in ended.outcome.text:
            # Whoever is back at the original is on his own: what becomes of the image then is not this migration's.
            return
        assert ended.outcome.exit_code is ExitCode.DONE, ended.outcome
        assert record is not None
        primary, found = trouble.world.demo.primary, record.baseline.service
        assert primary.task_definition_arn in {
            record.baseline.task_definition.arn,
            record.replacement_task_definition_arn,
        }
        assert record.adopted is False or primary.strategy == found.strategy
        assert list(trouble.world.services) == [found.arn]
        assert trouble.external or trouble.world.shelf.manifests[TAG] == (
            record.baseline.image.media_type,
            record.baseline.image.manifest.encode(),
        )

    def _is_lost(self, record: Record, refusal: BlockedError) -> bool:
        """Tell whether what a refusal names is gone, and nothing that the tool could put back of itself."""
        trouble, image = self.trouble, record.baseline.image
        held = trouble.world.shelf.manifests
        gone = {digest for digest in trouble.lost if digest not in held} - {image.digest}
        tag = trouble.external and TAG not in held and str(image.reference) in refusal.what
        return tag or any(digest in refusal.what for digest in gone)


TestMigrations = pytest.mark.timeout(0 if FREE_EXAMPLES else 1200)(Migrations.TestCase)
TestMigrations.settings = settings(
    max_examples=FREE_EXAMPLES or 500,
    stateful_step_count=20,
    deadline=None,
    derandomize=not FREE_EXAMPLES,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
