"""``migrate stack image|service -- ...``: the real Pulumi command line, in the right place, on the same program."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2_grpc

from migrate.adapters.pulumi.credentials import RegistryCredentials, docker_configuration
from migrate.adapters.pulumi.engine import Engine
from migrate.adapters.pulumi.workspace import StackAddress, StackKind, StackWorkspaces
from migrate.errors import NotFoundError

_RUNS_THE_PROGRAM = frozenset({"preview", "pre", "up", "update", "upgrade", "refresh", "destroy", "down", "dn"})
"""Commands that need a language host (pulumi 3.274, pkg/cmd/pulumi/operations; ``--client`` since 3.181)."""


def run_stack_command(
    address: StackAddress,
    state: Path,
    environment: dict[str, str],
    stack: StackKind,
    arguments: Sequence[str],
    *,
    credentials: RegistryCredentials,
) -> int:
    """Run ``pulumi <arguments>`` on one stack, on the person's own terminal; return its exit status.

    Raises NotFoundError while the stack has never been written, EngineError without a usable Pulumi.
    """
    engine = Engine(environment)
    workspaces = StackWorkspaces(address, state, engine)
    if not workspaces.exists(stack):
        raise NotFoundError(
            f"There is no {stack.value} stack of {address.service} in {state}.",
            then="Run `migrate apply --stage 0` first: it makes both stacks.",
        )
    opened = workspaces.open(stack)
    registry = address.registry if stack is StackKind.IMAGE else ""
    login_for = docker_configuration(registry, credentials, environment, workspaces.directory(stack))
    with login_for as login, _served(stack, arguments) as served:
        child = subprocess.Popen(
            [engine.command, *served],
            cwd=opened.workspace.work_dir,
            env={**environment, **workspaces.environment, **login, "PULUMI_STACK": address.stack_name},
        )
        return _waited(child)


@contextmanager
def _served(stack: StackKind, arguments: Sequence[str]) -> Iterator[list[str]]:
    """Give the arguments, and serve the program to those commands that run it.

    The separate Python language host is not installed everywhere; the SDK's own, which the Automation API uses for
    inline programs, is (pulumi 3.272 SDK, Stack.up).
    """
    verb = next((argument for argument in arguments if not argument.startswith("-")), "")
    if verb not in _RUNS_THE_PROGRAM:
        yield list(arguments)
        return
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageServer(stack.program), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield with_program(arguments, f"127.0.0.1:{port}")
    finally:
        server.stop(None).wait()


def with_program(arguments: Sequence[str], address: str) -> list[str]:
    """Return the arguments with the program's address, before a ``--`` that ends the options."""
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    return [*arguments[:end], f"--client={address}", "--exec-kind", "auto.inline", *arguments[end:]]


def _waited(child: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            # The terminal gave the same signal to Pulumi, which now stops in its own way: its end is ours.
            continue
