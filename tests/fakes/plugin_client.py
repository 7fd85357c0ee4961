"""Talks to the stand-in aws plugin over its gRPC interface, as the engine does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from migrate.sandbox.aws_plugin.servicer import Servicer
from migrate.sandbox.aws_plugin.serving import start
from migrate.sandbox.aws_plugin.values import Props, from_struct, to_struct

_KINDS = ("add", "add-replace", "delete", "delete-replace", "update", "update-replace")


@dataclass(frozen=True)
class Difference:
    """A Diff answer: path to kind, whether a replacement removes first."""

    changes: dict[str, str]
    replaces: list[str]
    delete_first: bool


@dataclass
class Made:
    """A resource as the engine keeps it."""

    token: str
    id: str
    inputs: Props
    state: Props = field(default_factory=dict)


@dataclass
class PluginClient:
    """One configured provider."""

    stub: Any

    def urn(self, token: str, name: str = "res") -> str:
        """Make a URN of a resource of this type."""
        return f"urn:pulumi:s::p::{token}::{name}"

    def configure(self, **settings: Any) -> None:
        """Configure with settings as they are."""
        self.stub.Configure(provider_pb2.ConfigureRequest(args=to_struct(settings)))

    def check(
        self, token: str, news: Props, olds: Props | None = None, name: str = "res"
    ) -> tuple[Props, list[tuple[str, str]]]:
        """Give inputs and failures."""
        request = provider_pb2.CheckRequest(
            urn=self.urn(token, name), olds=to_struct(olds or {}), news=to_struct(news), randomSeed=b"seed"
        )
        answered = self.stub.Check(request)
        return from_struct(answered.inputs), [(item.property, item.reason) for item in answered.failures]

    def checked(self, token: str, news: Props, olds: Props | None = None) -> Props:
        """Give inputs that nothing is wrong with."""
        inputs, failures = self.check(token, news, olds)
        assert failures == []
        return inputs

    def diff(self, made: Made, news: Props, *ignored: str) -> Difference:
        """Compare a resource with a program's properties."""
        inputs = self.checked(made.token, news, made.inputs)
        answered = self.stub.Diff(
            provider_pb2.DiffRequest(
                id=made.id,
                urn=self.urn(made.token),
                olds=to_struct(made.state),
                news=to_struct(inputs),
                old_inputs=to_struct(made.inputs),
                ignoreChanges=ignored,
            )
        )
        changes = {path: _KINDS[item.kind] for path, item in answered.detailedDiff.items()}
        assert bool(changes) == (answered.changes == provider_pb2.DiffResponse.DIFF_SOME)
        return Difference(changes, list(answered.replaces), answered.deleteBeforeReplace)

    def create(self, token: str, news: Props, *, preview: bool = False, timeout: float = 0) -> Made:
        """Check and create."""
        inputs = self.checked(token, news)
        request = provider_pb2.CreateRequest(
            urn=self.urn(token), properties=to_struct(inputs), preview=preview, timeout=timeout
        )
        answered = self.stub.Create(request)
        return Made(token, answered.id, inputs, from_struct(answered.properties))

    def update(self, made: Made, news: Props, *ignored: str, preview: bool = False) -> Made:
        """Check and update."""
        inputs = self.checked(made.token, news, made.inputs)
        answered = self.stub.Update(
            provider_pb2.UpdateRequest(
                id=made.id,
                urn=self.urn(made.token),
                olds=to_struct(made.state),
                news=to_struct(inputs),
                old_inputs=to_struct(made.inputs),
                ignoreChanges=ignored,
                preview=preview,
            )
        )
        return Made(made.token, made.id, inputs, from_struct(answered.properties))

    def refresh(self, made: Made, *, timeout: float = 0) -> Made | None:
        """Read a known resource; None when it is gone."""
        return self._read(made.token, made.id, made.state, made.inputs, timeout)

    def adopt(self, token: str, resource_id: str) -> Made | None:
        """Import a resource."""
        return self._read(token, resource_id, {}, {}, 0)

    def _read(self, token: str, resource_id: str, state: Props, inputs: Props, timeout: float) -> Made | None:
        answered = self.stub.Read(
            provider_pb2.ReadRequest(
                id=resource_id,
                urn=self.urn(token),
                properties=to_struct(state),
                inputs=to_struct(inputs),
                timeout=timeout,
            )
        )
        if not answered.id:
            return None
        return Made(token, answered.id, from_struct(answered.inputs), from_struct(answered.properties))

    def delete(self, made: Made, *, timeout: float = 0) -> None:
        """Delete."""
        self.stub.Delete(
            provider_pb2.DeleteRequest(
                id=made.id, urn=self.urn(made.token), properties=to_struct(made.state), timeout=timeout
            )
        )

    def invoke(self, token: str, **args: Any) -> Props:
        """Call a function."""
        answered = self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=to_struct(args)))
        assert list(answered.failures) == []
        return from_struct(getattr(answered, "return"))


@contextmanager
def plugin(environment: dict[str, str]) -> Iterator[PluginClient]:
    """Serve a plugin in this process with an environment of its own, not configured yet."""
    server, port = start(Servicer(environment))
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    try:
        yield PluginClient(provider_pb2_grpc.ResourceProviderStub(channel))
    finally:
        channel.close()
        server.stop(None).wait()
