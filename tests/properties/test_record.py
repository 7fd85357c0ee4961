"""Any order of stages and ways back over the pure core: what it asks for is always told from what somebody else did."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from migrate.core.desired_state import DesiredState, desired_state
from migrate.core.facts import RuntimePlatform, StrategyItem
from migrate.core.observation import ContainerImage, Observation, drift
from migrate.core.others import undone_by_going_back
from migrate.core.stages import Position, Stage, may_apply, rollback_target
from migrate.errors import BlockedError
from tests.fakes import facts

COPY = facts.NEW.replace("web:2", "web:9")
OTHER = f"sha256:{'e' * 64}"
CAPACITIES = (
    (StrategyItem("FARGATE", weight=1, base=1), StrategyItem("FARGATE_SPOT", weight=3)),
    (StrategyItem("FARGATE_SPOT", weight=1),),
)
THEIRS = (StrategyItem("FARGATE", weight=2, base=5), StrategyItem("FARGATE_SPOT", weight=9))


class Records(RuleBasedStateMachine):
    """A record through all that apply and rollback make of it, beside the service that it asks for."""

    @initialize(launch_type=st.sampled_from(["FARGATE", None]))
    def begin(self, launch_type: str | None) -> None:
        self.settings = replace(facts.settings(), capacity=CAPACITIES[0])
        found = {"launch_type": None, "strategy": facts.FARGATE} if launch_type is None else {}
        self.record = facts.record(**found)
        self.at, self.names = Stage.ORIGINAL, set[str]()

    @rule(stage=st.sampled_from([stage for stage in Stage if stage > Stage.ORIGINAL]), proven=st.booleans())
    def apply(self, stage: Stage, *, proven: bool) -> None:
        before = self.record
        try:
            may_apply(self.record.position, stage)
        except BlockedError:
            assert stage > before.position.proven + 1 or before.position.entered not in {None, stage}
            return
        record = replace(self.record.entered(stage), adopted=True)
        if stage >= Stage.IMAGE:
            record = replace(record, shelved=True, published=True, index=facts.built())
        if stage >= Stage.ARCHITECTURE:
            record = replace(record, arm64_task_definition_arn=facts.NEW)
        if stage is Stage.CAPACITY:
            record = replace(record, applied_capacity=self.settings.capacity)
        self.record, self.at = (record.reached(stage, "D1") if proven else record), stage

    @rule(to=st.none() | st.sampled_from(Stage))
    def roll_back(self, to: Stage | None) -> None:
        try:
            target = rollback_target(self.record.position, to)
        except BlockedError:
            assert to is not None
            assert to > self.record.position.proven
            return
        if target < Stage.IMAGE:
            self.record = replace(self.record, published=False)
        self.record, self.at = self.record.reached(target, "D1"), target

    @rule()
    @precondition(lambda self: self.record.adopted)
    def the_original_is_deregistered(self) -> None:
        self.record = replace(self.record, replacement_task_definition_arn=COPY)

    @rule(which=st.sampled_from(CAPACITIES))
    @precondition(lambda self: self.at < Stage.CAPACITY)
    def another_target_is_set(self, which: tuple[StrategyItem, ...]) -> None:
        self.settings = replace(self.settings, capacity=which)

    def _asked_for(self) -> DesiredState:
        return desired_state(self.record, self.settings, self.at)

    def _seen(self) -> Observation:
        state, arm64 = self._asked_for(), self.at >= Stage.ARCHITECTURE
        arns = {"task-definition": facts.OLD, "task-definition-copy": COPY, "task-definition-arm64": facts.NEW}
        arn = arns[state.service.service.task_definition]
        service = facts.service(facts.deployment("D1", arn), launch_type=state.launch_type, strategy=state.strategy)
        image = facts.multi_platform() if self.at >= Stage.IMAGE else facts.single_platform()
        definition = facts.definition(arn=arn)
        if arm64:
            definition = replace(definition, runtime_platform=RuntimePlatform("ARM64", "LINUX"))
        return facts.observation(
            service=service, task_definition=definition, images=(ContainerImage("app", facts.IMAGE, image),)
        )

    @invariant()
    def what_we_brought_about_is_never_taken_for_somebody_elses(self) -> None:
        assert drift(self.record, self.settings, self._seen()) == ()
        assert undone_by_going_back(self.record, self.settings, self._seen()) == ()

    @invariant()
    def what_somebody_else_brought_about_is_never_taken_for_ours(self) -> None:
        seen = self._seen()
        moved = replace(facts.single_platform(), digest=OTHER)
        for theirs in (
            replace(
                seen,
                service=replace(seen.service, task_definition_arn=facts.FOREIGN),
                task_definition=facts.definition({"cpu": "4096"}, arn=facts.FOREIGN),
            ),
            replace(seen, service=replace(seen.service, launch_type=None, strategy=THEIRS)),
            replace(seen, images=(ContainerImage("app", facts.IMAGE, moved),)),
        ):
            assert drift(self.record, self.settings, theirs)
            assert undone_by_going_back(self.record, self.settings, theirs)

    @invariant()
    def what_was_once_made_stays_in_the_program(self) -> None:
        names = {item.logical_name for item in self._asked_for().service.task_definitions}
        gone = self.names - names
        assert gone <= {"task-definition"}, "a copy takes the place of the original alone"
        self.names |= names

    @invariant()
    def nothing_is_proven_above_what_is_applied(self) -> None:
        position = self.record.position
        assert position.proven <= self.at
        assert position == Position(self.at) or position.entered is self.at


TestRecords = Records.TestCase
TestRecords.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
