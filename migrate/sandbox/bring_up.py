"""Starting what is missing of a sandbox and taking all of it down, under the lock that ``Sandbox`` holds."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from migrate.errors import EngineError
from migrate.sandbox import aws_endpoint, builder, docker_builder, engine, plugins, processes
from migrate.sandbox.state import SandboxState, load, save
from migrate.sandbox.toolchain.parts import ensure_buildkit, ensure_engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.sandbox.layout import Layout
    from migrate.sandbox.state import ProcessRecord
    from migrate.sandbox.toolchain.parts import Toolchain
    from migrate.sandbox.toolchain.progress import Progress

_READY_SECONDS = 60.0
_LOOK_AGAIN_SECONDS = 0.1
_LAST_LINES = 15


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a sandbox is to be like; see ``Sandbox.start``."""

    real_aws: bool = False
    containers: bool = False
    registry_host: str = ""


def bring_up(layout: Layout, tools: Toolchain, progress: Progress, wanted: Wanted) -> SandboxState:
    """Start what does not run, and return the state; a sandbox that cannot come up whole leaves nothing running.

    Raises EngineError naming the part.
    """
    state = load(layout.state)
    if state is not None and not _usable(state, layout, progress, containers=wanted.containers):
        clear(layout, state)
        state = None
    if state is None:
        # What Pulumi knows of an account that is gone would lead it to change what was never there.
        shutil.rmtree(layout.pulumi_state, ignore_errors=True)
        layout.pulumi_state.mkdir(parents=True)
    plugins.install(tools, layout, real_aws=wanted.real_aws)
    fresh = state is None
    state = replace(
        state or _new_state(tools, wanted),
        path_directories=(str(tools.pulumi.parent),),
        go=str(tools.go),
    )
    save(state, layout.state)
    Path(state.run_directory).mkdir(mode=0o700, exist_ok=True)
    try:
        return _Start(layout, tools, progress).run(state)
    except BaseException:
        if fresh:
            clear(layout, load(layout.state) or state)
        raise


def _usable(state: SandboxState, layout: Layout, progress: Progress, *, containers: bool) -> bool:
    """Whether what runs can be gone on with; says why not where somebody may miss what was in it."""
    why = ""
    if not aws_runs(state, layout):
        why = "AWS endpoint has ended" if state.process(aws_endpoint.NAME) is not None else "start was not finished"
    elif state.engine and not engine.answers(state.engine):
        why = "Docker engine has ended"
    elif containers and not state.engine:
        why = "tasks were no containers"
    if why:
        progress.say(f"The sandbox's {why}, and with it goes all that was in it: starting a new one.")
    return not why


def clear(layout: Layout, state: SandboxState) -> int:
    """End everything that ``state`` records or that carries its mark; return how many processes there were."""
    ended = engine.end(state)
    ended += processes.stop(state.processes, state.mark)
    if state.engine:
        engine.remove(state, layout)
    if state.docker_host:
        docker_builder.remove(state, layout)
        ended += 1
    shutil.rmtree(state.run_directory, ignore_errors=True)
    layout.state.unlink(missing_ok=True)
    return ended


def aws_runs(state: SandboxState, layout: Layout) -> bool:
    """Whether the AWS endpoint runs and answers."""
    return processes.alive(state.process(aws_endpoint.NAME)) and aws_endpoint.aws_answers(state, layout)


def builder_runs(state: SandboxState) -> bool:
    """Whether the builder runs and answers, be it a process of ours or a container of the engine."""
    if state.docker_host:
        return docker_builder.answers(state)
    return processes.alive(state.process(builder.NAME)) and builder.buildkit_answers(state)


def _new_state(tools: Toolchain, wanted: Wanted) -> SandboxState:
    port = processes.free_port()
    mark = uuid.uuid4().hex
    state = SandboxState(
        mark=mark,
        port=port,
        # The endpoint speaks plain HTTP and TLS on one port, so that this name works for buildx, which takes the first
        # for it, and for the client that reads back, which takes the second (facts F39).
        registry_host=wanted.registry_host or f"localhost:{port}",
        # Made after the state is saved, so that `down` finds it whenever `up` is killed; nobody can guess its name.
        run_directory=str(Path(tempfile.gettempdir()) / f"migrate-sandbox-{mark[:12]}"),
        docker_host=tools.docker_host or "",
        balancer_port=processes.free_port() if wanted.containers else 0,
    )
    return replace(state, engine=engine.find() or engine.own_address(state)) if wanted.containers else state


@dataclass(frozen=True, slots=True)
class _Start:
    """One attempt to have everything running."""

    layout: Layout
    tools: Toolchain
    progress: Progress

    def run(self, state: SandboxState) -> SandboxState:
        if state.engine == engine.own_address(state) and not processes.alive(state.process(engine.NAME)):
            programs = ensure_engine(self.progress)
            state = self._recorded(state, engine.start(programs, state, self.layout))
            self._await("the Docker engine", state, engine.NAME, lambda: engine.answers(state.engine))
        if not processes.alive(state.process(aws_endpoint.NAME)):
            state = self._recorded(state, aws_endpoint.start_aws(self.tools.ministack_python, state, self.layout))
            self._await("the AWS endpoint", state, aws_endpoint.NAME, lambda: aws_runs(state, self.layout))
        if builder_runs(state):
            return state
        if state.docker_host:
            state = self._in_engine(state)
        return state if state.docker_host else self._own_buildkit(state)

    def _in_engine(self, state: SandboxState) -> SandboxState:
        try:
            with self.progress.step("starting a builder in this machine's Docker engine", usually="20 s"):
                docker_builder.create(state, self.layout)
        except EngineError as error:
            self.progress.say(f"{error}\nA BuildKit of the sandbox's own takes its place.")
            docker_builder.remove(state, self.layout)
            state = replace(state, docker_host="")
            save(state, self.layout.state)
        return state

    def _own_buildkit(self, state: SandboxState) -> SandboxState:
        program = self.tools.buildkitd or ensure_buildkit(self.progress)
        state = self._recorded(state, builder.start_buildkit(program, state, self.layout))
        builder.write_buildx(state, self.layout)
        self._await("BuildKit", state, builder.NAME, lambda: builder_runs(state), builder.advice())
        return state

    def _recorded(self, state: SandboxState, record: ProcessRecord) -> SandboxState:
        state = state.with_process(record)
        save(state, self.layout.state)
        return state

    def _await(self, title: str, state: SandboxState, name: str, answers: Callable[[], bool], advice: str = "") -> None:
        record = state.process(name)
        with self.progress.step(f"starting {title}", usually="3 s"):
            again = Retrying(
                retry=retry_if_result(lambda done: not done),
                stop=stop_after_delay(_READY_SECONDS),
                wait=wait_fixed(_LOOK_AGAIN_SECONDS),
            )
            try:
                again(lambda: answers() or not processes.alive(record))
                how = "" if processes.alive(record) else "ended at once"
            except RetryError:
                how = f"did not answer within {_READY_SECONDS:.0f} s"
            if how:
                raise _not_up(title, how, self.layout.logs / f"{name}.log", advice)


def _not_up(title: str, how: str, log: Path, advice: str) -> EngineError:
    lines = log.read_text(errors="replace").splitlines()[-_LAST_LINES:] if log.exists() else []
    said = "\n".join(f"    {line}" for line in lines) or "    (it said nothing)"
    return EngineError(
        f"{title[0].upper()}{title[1:]} of the sandbox {how}.",
        why=f"Its last lines, from {log}:\n{said}\n",
        then=f"{advice}Put right what it names, then run `migrate sandbox up` again.",
    )
