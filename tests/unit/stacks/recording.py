"""Runs a Pulumi program under Pulumi's own mocks and returns what it asked the engine for, options included."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from google.protobuf import json_format
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks

REPOSITORY_URL = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/demo/app"


@dataclass(frozen=True, slots=True)
class Requested:
    """One resource as the engine is asked for it; ``inputs`` in camel case."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    import_id: str
    ignore_changes: tuple[str, ...]
    retained: bool
    protected: bool
    aliases: tuple[Mapping[str, Any], ...] = ()


class _Answers(Mocks):
    def __init__(self, outputs: Mapping[str, Mapping[str, Any]]) -> None:
        self._outputs = outputs

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        if args.token == "aws:ecr/getRepository:getRepository":
            return {"name": args.args["name"], "repositoryUrl": REPOSITORY_URL}, []
        if args.token == "aws:ecr/getAuthorizationToken:getAuthorizationToken":
            return {"userName": "AWS", "password": "token"}, []
        raise AssertionError(args.token)

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return f"{args.name}-id", {**args.inputs, **self._outputs.get(args.name, {})}


class _Monitor(MockMonitor):
    requested: list[Requested]

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name is gRPC's
        if request.type != "pulumi:pulumi:Stack":
            self.requested.append(
                Requested(
                    type=request.type,
                    name=request.name,
                    inputs=json_format.MessageToDict(request.object),
                    import_id=request.importId,
                    ignore_changes=tuple(request.ignoreChanges),
                    retained=request.retainOnDelete,
                    protected=request.protect,
                    aliases=tuple(json_format.MessageToDict(alias) for alias in request.aliases),
                )
            )
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


def _end_what_waits() -> None:
    """End what a failed program leaves waiting in the event loop, which Pulumi keeps from test to test."""
    loop = asyncio.get_event_loop_policy().get_event_loop()
    waiting = asyncio.all_tasks(loop)
    for task in waiting:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))


def requested_by(
    program: Callable[[], None],
    outputs: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    preview: bool = False,
    configuration: Mapping[str, str] | None = None,
) -> dict[str, Requested]:
    """Run ``program``; ``outputs`` are what the engine answers by logical name, beside the inputs.

    ``configuration`` is the stack's, by full key. A component and a child of the same name are one entry, the child's.
    """
    answers = _Answers(outputs or {})
    monitor = _Monitor(answers)
    monitor.requested = []
    pulumi.runtime.set_all_config(dict(configuration or {}))
    pulumi.runtime.set_mocks(answers, project="test", stack="test", preview=preview, monitor=monitor)
    try:
        pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    finally:
        _end_what_waits()
    return {item.name: item for item in monitor.requested}
