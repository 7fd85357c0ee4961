"""Tasks as real containers: each is started, watched, drained and stopped by one coroutine of its own.

The rollout decides as ever which tasks there are and which have to go; what a task really did it reads in
:class:`~migrate.sandbox.front.records.Live`.
"""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from migrate.sandbox.front.engine import ContainerError
from migrate.sandbox.front.records import Live, LiveContainer, Target, TargetState
from migrate.sandbox.front.world import wanted_platform

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.sandbox.front.engine import ContainerEngine
    from migrate.sandbox.front.http import Json
    from migrate.sandbox.front.records import Task
    from migrate.sandbox.front.world import World

_P = ParamSpec("_P")
_T = TypeVar("_T")

_AT_ONCE = 16
_LOOK_AGAIN_SECONDS = 0.25
_DRAINED_SECONDS = 0.05
# Five minutes: deregistration_delay.timeout_seconds of a target group, by default.
_DEREGISTRATION_LOOKS = int(300 / _DRAINED_SECONDS)
_STOP_SECONDS = 30  # stopTimeout of a container, by default
_EXITED = "Essential container in task exited"


class Containers:
    """All tasks that are containers."""

    def __init__(self, world: World, engine: ContainerEngine) -> None:
        self._world = world
        self._engine = engine
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="engine")
        self._following: dict[str, asyncio.Task[None]] = {}

    async def prepare(self) -> None:
        """Make ready what all containers need."""
        await self._call(self._engine.prepare)

    def follow(self) -> None:
        """Take up the tasks that are new since the last call."""
        for task in tuple(self._world.tasks.values()):
            if task.live is not None and task.arn not in self._following:
                self._following[task.arn] = asyncio.create_task(self._whole_life(task, task.live))

    def close(self) -> None:
        """Stop following; what runs goes on running."""
        for following in self._following.values():
            following.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _call(self, function: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
        future = asyncio.get_running_loop().run_in_executor(self._threads, lambda: function(*arguments, **named))
        return await future

    async def _whole_life(self, task: Task, live: Live) -> None:
        try:
            await self._start(task, live)
            await self._watch(task, live)
            await self._stop(task, live)
        except ContainerError as error:
            live.outcome = ("TaskFailedToStart", str(error))
        except Exception as error:  # noqa: BLE001 - a task that is followed by nobody would look as if it ran for ever
            live.outcome = ("TaskFailedToStart", f"InternalError: {error!r}")
            sys.stderr.write(f"task {task.id}: {error!r}\n")
        for container in live.containers.values():
            await self._call(self._engine.remove, container.id)
        live.status, live.ended = "STOPPED", self._world.clock()

    async def _start(self, task: Task, live: Live) -> None:
        platform = str(wanted_platform(task.definition, task.launch_type) or "")
        beside = ""
        for definition in task.definition["containerDefinitions"]:
            name = definition["name"]
            image = self._world.pinned(definition["image"], task.pulls[name])
            label = f"{task.id}-{name}"
            started = await self._call(self._engine.start, label, image, platform, definition, beside)
            live.containers[name] = LiveContainer(started.id, started.child)
            live.architecture = started.architecture
            if not beside:
                beside, task.address = started.id, started.address
        live.targets = {arn: Target(port) for arn, port in self._target_groups(task)}
        live.status = "RUNNING"

    def _target_groups(self, task: Task) -> list[tuple[str, int]]:
        owner = next(
            (
                service
                for service in self._world.services.values()
                if task.group == f"service:{service.name}" and task.cluster == service.cluster_arn
            ),
            None,
        )
        return owner.target_groups() if owner else []

    async def _watch(self, task: Task, live: Live) -> None:
        essential = {
            definition["name"]
            for definition in task.definition["containerDefinitions"]
            if definition.get("essential", True)
        }
        while task.alive and live.outcome is None:
            for name, container in live.containers.items():
                container.exit_code = await self._call(self._engine.exit_code, container.id)
                if container.exit_code is not None and name in essential and live.outcome is None:
                    container.reason = await self._call(self._engine.last_words, container.id)
                    live.outcome = ("EssentialContainerExited", _EXITED)
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def _stop(self, task: Task, live: Live) -> None:
        """Deregister, let what is being answered be answered, then SIGTERM: the order in which ECS does it."""
        live.status = "DEACTIVATING"
        for target in live.targets.values():
            target.state, target.reason = TargetState.DRAINING, "Target.DeregistrationInProgress"
        for _ in range(_DEREGISTRATION_LOOKS):
            if not any(target.in_flight for target in live.targets.values()):
                break
            await asyncio.sleep(_DRAINED_SECONDS)
        live.status = "STOPPING"
        await asyncio.gather(*(self._end(task, name, container) for name, container in live.containers.items()))
        live.targets = {}

    async def _end(self, task: Task, name: str, container: LiveContainer) -> None:
        if container.exit_code is None:
            await self._call(self._engine.stop, container.id, _patience(task.definition, name))
            container.exit_code = await self._call(self._engine.exit_code, container.id)


def _patience(definition: Json, name: str) -> int:
    found = next(item for item in definition["containerDefinitions"] if item["name"] == name)
    return int(found.get("stopTimeout") or _STOP_SECONDS)
