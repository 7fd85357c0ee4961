"""A migration that everything happens to: other people, failures, lost things, and a process that dies.

Beside the scripted world it keeps what a person standing by would know: who did what, and what was there before.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from migrate.core.documents import document, fields
from migrate.core.evidence import Run
from migrate.core.facts import Strategy
from migrate.core.outcome import RunOutcome
from migrate.core.record import Record
from migrate.core.settings import ImageMode
from migrate.core.stages import Stage
from migrate.errors import AccessError, MigrateError
from migrate.workflows.apply import apply_stage, rebaseline
from migrate.workflows.rollback import roll_back
from tests.fakes.aws_simulation import Fate
from tests.fakes.aws_world import TAG, World
from tests.fakes.image_content import AMD64_ELF, ARM64_ELF, Entry, digest_of
from tests.fakes.migration import Operator
from tests.fakes.mortal_steps import Died, MortalSteps


@dataclass(frozen=True)
class Ended:
    """How a run ended: with an outcome, with a refusal, by Ctrl-C, or by the death of its process."""

    outcome: RunOutcome | None = None
    refusal: MigrateError | None = None
    wrote: tuple[str, ...] = ()


@dataclass
class Trouble:
    """The operator and the others; ``theirs`` are the revisions of others, ``runs_theirs`` the one they deployed last.

    ``their_tag`` is what they pushed to the service's tag, ``their_capacity`` the strategy that they chose; each is
    None again once a new baseline has taken it over.
    """

    operator: Operator
    desired: int = 4
    theirs: set[str] = field(default_factory=set)
    runs_theirs: str | None = None
    their_tag: str | None = None
    their_capacity: Strategy | None = None
    inactive: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    pushes: int = 0
    last_push: str | None = None

    @property
    def world(self) -> World:
        return self.operator.world

    @property
    def record(self) -> Record | None:
        return self.operator.store.record(next(iter(self.world.services)))

    @property
    def external(self) -> bool:
        """Whether the service's tag is the team's alone."""
        return self.operator.settings.image.mode is ImageMode.EXTERNAL

    @property
    def others(self) -> bool:
        """Whether something stands that somebody else has done since the baseline."""
        return self.runs_theirs is not None or self.their_tag is not None or self.their_capacity is not None

    def run(
        self, verb: str, stage: Stage | None, dies: tuple[int, bool] | None = None, *, resumed: bool = False
    ) -> Ended:
        """Let the tool apply, roll back or take a new baseline, and return how it ended.

        ``dies`` kills the process before or after a step; ``resumed`` lets another process take the run up.
        """
        before = len(self.world.writes)
        steps = MortalSteps(*dies) if dies else MortalSteps()
        run = self.operator.run(verb, -1 if stage is None else stage)
        ended = self._once(run, stage, steps)
        if ended is None and resumed:
            ended = self._once(run, stage, steps.restarted())
        self.world.settle()
        if self.record is not None:
            self._taken_over(self.record)
        return replace(ended or Ended(), wrote=tuple(self.world.writes[before:]))

    def _once(self, run: Run, stage: Stage | None, steps: MortalSteps) -> Ended | None:
        """Return None where the process died or was interrupted between two steps."""
        runtime = self.operator.runtime
        workflows: dict[str, Callable[[], RunOutcome]] = {
            "apply": lambda: apply_stage(runtime, steps, run),
            "rebaseline": lambda: rebaseline(runtime, steps, run),
            "rollback": lambda: roll_back(runtime, steps, run, stage),
        }
        try:
            return Ended(outcome=workflows[run.verb]())
        except MigrateError as error:
            return Ended(refusal=error)
        except (KeyboardInterrupt, Died):
            return None

    def _taken_over(self, record: Record) -> None:
        self.runs_theirs = None if record.baseline.task_definition.arn == self.runs_theirs else self.runs_theirs
        proven = record.index.digest if self.external and record.index is not None else None
        # From stage 1 on, the original behind the tag is somebody's doing as any other push.
        original = None if record.published else record.baseline.image.digest
        self.their_tag = None if self.their_tag in {original, proven} else self.their_tag
        known = (record.baseline.service.strategy, record.found_capacity)
        self.their_capacity = None if self.their_capacity in known else self.their_capacity

    def deploy(self, *, arm64: bool, version: int) -> None:
        """Let the team's pipeline deploy another version of the app."""
        current = self.world.revisions[self.world.demo.primary.task_definition_arn]
        content: dict[str, Any] = {**fields(current.document)}
        content["containerDefinitions"] = [
            {**item, "environment": [{"name": "VERSION", "value": str(version)}]}
            for item in content["containerDefinitions"]
        ]
        content["runtimePlatform"] = {
            "cpuArchitecture": "ARM64" if arm64 else "X86_64",
            "operatingSystemFamily": "LINUX",
        }
        arn = self.world.register(document(content)).arn
        self.theirs.add(arn)
        self.world._fates.clear()
        self.world.apply_update(task_definition=arn, force=True)
        self.runs_theirs = arn

    def push(self, number: int) -> None:
        """Let the team's pipeline push another amd64 image to the service's tag.

        Nothing of theirs stands there where that is what the tag held, or the original again that it is to hold.
        """
        before = self.world.digest_of_tag(TAG)
        self.pushes += 1
        self.world.shelf.image(
            "linux/amd64", Entry("app", AMD64_ELF), Entry("etc/version", f"{number}".encode()), tag=TAG
        )
        self.last_push = self.world.digest_of_tag(TAG)
        record = self.record
        if record is not None and not record.published and self.last_push == record.baseline.image.digest:
            self.their_tag = None
        elif self.last_push != before:
            self.their_tag = self.last_push

    def push_index(self, *, keeps_amd64: bool) -> None:
        """Let the team's CI push a multi-platform index to the service's tag (image mode external)."""
        shelf = self.world.shelf
        held = shelf.manifests.get(TAG)
        kept = held is not None and keeps_amd64 and "manifests" not in json.loads(held[1])
        self.pushes += 1
        amd64 = shelf.image("linux/amd64", Entry("app", AMD64_ELF), Entry("etc/built", f"{self.pushes}".encode()))
        if held is not None and kept:
            amd64 = {**amd64, "mediaType": held[0], "digest": digest_of(held[1]), "size": len(held[1])}
        shelf.index(amd64, shelf.image("linux/arm64", Entry("app", ARM64_ELF)), tag=TAG)
        self.their_tag = self.last_push = self.world.digest_of_tag(TAG)

    def choose_capacity(self, strategy: Strategy) -> None:
        """Let somebody choose another strategy for the service."""
        self.world._fates.clear()
        with suppress(AccessError):
            self.world.apply_update(strategy=strategy, force=True)
            self.their_capacity = strategy

    def forget_what_ecs_took_back(self) -> None:
        """Drop a deployment or a choice of others that failed of itself, and that ECS, not the tool, has undone."""
        for item in self.world.demo.history:
            if item.rollout_state != "FAILED" or item.rollout_reason == "Service deployment was stopped.":
                continue
            if item.task_definition_arn == self.runs_theirs:
                now = self.world.demo.primary.task_definition_arn
                known = self.record is not None and self.record.baseline.task_definition.arn == now
                self.runs_theirs = now if now in self.theirs and not known else None
            if item.strategy == self.their_capacity:
                self.their_capacity = None

    def scale(self, desired: int) -> None:
        self.world.scale(desired)
        self.desired = desired

    def deregister(self, arn: str) -> None:
        if arn in self.world.revisions:
            self.world.deregister(arn)
            self.inactive.add(arn)

    def lose(self, digest: str) -> None:
        """Let a lifecycle policy, or somebody, take an image away with all its tags (case C20)."""
        manifests = self.world.shelf.manifests
        for name in [name for name, (_, body) in manifests.items() if digest_of(body) == digest]:
            del manifests[name]
        self.lost.add(digest)

    def calm(self) -> None:
        """Let all trouble end: nothing fails any more, credentials are fresh, and what is under way comes to an end."""
        self.world._refusals.clear()
        self.world._fates.clear()
        self.world.clock._due.clear()
        self.world.clock._stop_at = None
        self.world.demo.lacking.clear()
        self.world.exec_format_digests.clear()
        self.operator.stacks.interrupt_after.clear()
        self.operator.stacks.build_error = ""
        for service in self.world.services.values():
            for item in service.deployments:
                if item.fate in {Fate.STUCK, Fate.NO_ROOM}:
                    # What was short is there again, and ECS goes on by itself.
                    item.fate = self.world._natural_fate(
                        item.digest, self.world.architecture_of(item.task_definition_arn)
                    )
        self.world.script_alarm("web-errors", "OK")
        self.world.pass_time(timedelta(hours=1))
