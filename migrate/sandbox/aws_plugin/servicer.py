"""The provider protocol over :mod:`.operations`: structs in and out, errors as the engine expects them."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
from google.protobuf import empty_pb2

from migrate.sandbox.aws_plugin.configuration import config_failures, decoded, read_configuration
from migrate.sandbox.aws_plugin.difference import Act
from migrate.sandbox.aws_plugin.errors import PartialCreateError, PluginError
from migrate.sandbox.aws_plugin.protocol import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2
from migrate.sandbox.aws_plugin.values import from_struct, to_struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrate.sandbox.aws_plugin.difference import Change
    from migrate.sandbox.aws_plugin.operations import Operations, Plan

VERSION = "7.51.1"
"""The version of the SDK ``pulumi_aws`` that the project installs: the engine matches the two."""

_KINDS = {
    (Act.ADD, False): provider_pb2.PropertyDiff.ADD,
    (Act.ADD, True): provider_pb2.PropertyDiff.ADD_REPLACE,
    (Act.DELETE, False): provider_pb2.PropertyDiff.DELETE,
    (Act.DELETE, True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    (Act.UPDATE, False): provider_pb2.PropertyDiff.UPDATE,
    (Act.UPDATE, True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


def _kind_and_name(request: Any) -> tuple[str, str]:
    """Give the type token and the logical name: of the request, else of its URN."""
    parts = request.urn.split("::")
    token = request.type or parts[2].rpartition("$")[2]
    return token, request.name or parts[-1]


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the engine."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self._operations: Operations | None = None
        self._stopping = threading.Event()

    # The method names below are the protocol's.

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Say what this provider accepts: plain values only, the engine marks secrets by itself."""
        return provider_pb2.ProviderHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Give the version."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def Attach(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Accept a debugger's engine."""
        return empty_pb2.Empty()

    def GetSchema(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Give a schema that names the package; its types live in the SDK."""
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": "aws", "version": VERSION}))

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Check the provider's settings."""
        failures = [
            provider_pb2.CheckFailure(property=name, reason=reason)
            for name, reason in config_failures(from_struct(request.news))
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Compare two sets of settings; none of them makes another provider."""
        old, new = decoded(from_struct(request.old_inputs or request.olds)), decoded(from_struct(request.news))
        changed = sorted(name for name in {*old, *new} if old.get(name) != new.get(name) and name != "version")
        state = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=state, diffs=changed)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Take the settings; refuse an endpoint off loopback and credentials that do not work."""
        from migrate.sandbox.aws_plugin.clients import Aws
        from migrate.sandbox.aws_plugin.operations import Operations
        from migrate.sandbox.aws_plugin.waiting import Waiter

        try:
            aws = Aws(read_configuration(from_struct(request.args), self._environment))
            aws.validate()
        except PluginError as error:
            _abort(context, error)
        self._operations = Operations(aws, Waiter(self._pause))
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def _pause(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise PluginError("operation was canceled")

    def _do(self, context: Any) -> Operations:
        if self._operations is None:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "the aws provider is not configured")
            raise AssertionError
        return self._operations

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Check a resource's inputs."""
        token, name = _kind_and_name(request)
        olds, news = from_struct(request.olds), from_struct(request.news)
        try:
            inputs, failures = self._do(context).check(token, name, request.randomSeed, olds, news)
        except PluginError as error:
            _abort(context, error)
        told = [provider_pb2.CheckFailure(property=item.path, reason=item.reason) for item in failures]
        return provider_pb2.CheckResponse(inputs=to_struct(inputs), failures=told)

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Compare a resource's state with its inputs."""
        token, _ = _kind_and_name(request)
        state, inputs = from_struct(request.olds), from_struct(request.news)
        old_inputs = from_struct(request.old_inputs)
        try:
            plan = self._do(context).diff(token, state, old_inputs, inputs, list(request.ignoreChanges))
        except PluginError as error:
            _abort(context, error)
        return _diff_response(plan)

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Make a resource."""
        token, _ = _kind_and_name(request)
        inputs = from_struct(request.properties)
        try:
            resource_id, state = self._do(context).create(
                token, inputs, preview=request.preview, timeout=request.timeout or None
            )
        except PartialCreateError as error:
            _abort_partial(context, error, request.properties)
        except PluginError as error:
            _abort(context, error)
        return provider_pb2.CreateResponse(id=resource_id, properties=to_struct(state))

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Refresh or import a resource; an empty id says that it is gone."""
        token, _ = _kind_and_name(request)
        state, inputs = from_struct(request.properties), from_struct(request.inputs)
        try:
            found = self._do(context).read(token, request.id, state, inputs, request.timeout or None)
        except PluginError as error:
            _abort(context, error)
        if found is None:
            return provider_pb2.ReadResponse(id="")
        resource_id, properties, read_inputs = found
        return provider_pb2.ReadResponse(
            id=resource_id, properties=to_struct(properties), inputs=to_struct(read_inputs)
        )

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Change a resource in place."""
        token, _ = _kind_and_name(request)
        state, inputs = from_struct(request.olds), from_struct(request.news)
        try:
            updated = self._do(context).update(
                token,
                request.id,
                state,
                inputs,
                list(request.ignoreChanges),
                preview=request.preview,
                timeout=request.timeout or None,
            )
        except PluginError as error:
            _abort(context, error)
        return provider_pb2.UpdateResponse(properties=to_struct(updated))

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Take a resource away."""
        token, _ = _kind_and_name(request)
        state = from_struct(request.properties)
        try:
            self._do(context).delete(token, request.id, state, request.timeout or None)
        except PluginError as error:
            _abort(context, error)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Call a function."""
        try:
            result, failures = self._do(context).invoke(request.tok, from_struct(request.args))
        except PluginError as error:
            message = f"invoking {request.tok}: {error.what}" if request.tok.startswith("aws:") else error.what
            context.abort(grpc.StatusCode.UNKNOWN, message)
            raise
        told = [provider_pb2.CheckFailure(property=item.path, reason=item.reason) for item in failures]
        answered = provider_pb2.InvokeResponse(failures=told)
        getattr(answered, "return").CopyFrom(to_struct(result))
        return answered

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """End all waits."""
        self._stopping.set()
        return empty_pb2.Empty()


def _diff_response(plan: Plan) -> Any:
    changes: tuple[Change, ...] = plan.changes
    replaces = sorted({item.top for item in changes if item.replace})
    some = provider_pb2.DiffResponse.DIFF_SOME if changes else provider_pb2.DiffResponse.DIFF_NONE
    return provider_pb2.DiffResponse(
        changes=some,
        replaces=replaces,
        diffs=sorted({item.top for item in changes}),
        detailedDiff={
            item.path: provider_pb2.PropertyDiff(kind=_KINDS[item.act, item.replace], inputDiff=True)
            for item in changes
        },
        hasDetailedDiff=True,
        deleteBeforeReplace=bool(replaces) and plan.delete_first,
    )


def _abort(context: Any, error: PluginError) -> NoReturn:
    context.abort(grpc.StatusCode.UNKNOWN, error.what)
    raise error


def _abort_partial(context: Any, error: PartialCreateError, inputs: Any) -> NoReturn:
    """Tell the engine that the resource exists although its creation failed: it keeps it in the state."""
    code = grpc.StatusCode.UNKNOWN
    details = provider_pb2.ErrorResourceInitFailed(
        id=error.resource_id, properties=to_struct(error.properties), reasons=[error.what], inputs=inputs
    )
    status = status_pb2.Status(code=code.value[0], message=error.what)
    status.details.add().Pack(details)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, error.what)
    raise error
