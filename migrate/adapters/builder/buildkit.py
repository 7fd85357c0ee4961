"""What a BuildKit can execute, asked of itself: ``ListWorkers`` of its control service over a socket.

Source: BuildKit 0.34, api/services/control/control.proto, api/types/worker.proto, solver/pb/ops.proto. Only the fields
that are read are described; protobuf passes the others by. The platforms are those that BuildKit has tried out, its
own first, and not those that the kernel was told of (util/archutil; case C24).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from migrate.core.image.names import Platform

_PACKAGE = "migrate.buildkit"
_METHOD = "/moby.buildkit.v1.Control/ListWorkers"
_SECONDS = 5.0
_OPTIONS = (("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", 4 << 20))


class UnreachableBuilderError(Exception):
    """The BuildKit could not be asked; the text says why."""


def asks_directly(endpoint: str) -> bool:
    """Tell whether an endpoint is one that can be dialled without Docker's help."""
    return urlsplit(endpoint).scheme in {"unix", "tcp"}


def executable_platforms(endpoint: str, options: Mapping[str, str]) -> tuple[Platform, ...]:
    """Return what the workers behind ``unix://`` or ``tcp://`` can execute, their own platform first.

    ``options`` are the remote driver's: ``cacert``, ``cert``, ``key``, ``servername``. Raises UnreachableBuilderError.
    """
    try:
        with _channel(endpoint, options) as channel:
            ask = channel.unary_unary(_METHOD, request_serializer=bytes, response_deserializer=_response().FromString)
            answer = ask(b"", timeout=_SECONDS)
    except grpc.RpcError as error:
        # A failed call is an RpcError and a Call at once; only the latter tells.
        details = getattr(error, "details", str)()
        raise UnreachableBuilderError(details or str(error)) from error
    except (OSError, ValueError) as error:
        raise UnreachableBuilderError(str(error)) from error
    found = [
        Platform(item.OS, item.Architecture, item.Variant).canonical
        for record in answer.record
        for item in record.platforms
    ]
    return tuple(dict.fromkeys(found))


def _channel(endpoint: str, options: Mapping[str, str]) -> grpc.Channel:
    address = urlsplit(endpoint)
    if address.scheme == "unix":
        if not Path(address.path).exists():
            raise OSError(f"there is no socket {address.path}")
        return grpc.insecure_channel(f"unix:{address.path}", options=_OPTIONS)
    if "cacert" not in options:
        return grpc.insecure_channel(address.netloc, options=_OPTIONS)
    key, cert = (Path(options[name]).read_bytes() if name in options else None for name in ("key", "cert"))
    credentials = grpc.ssl_channel_credentials(Path(options["cacert"]).read_bytes(), key, cert)
    name = options.get("servername") or address.hostname or ""
    return grpc.secure_channel(
        address.netloc, credentials, options=(*_OPTIONS, ("grpc.ssl_target_name_override", name))
    )


def _response() -> Any:
    """Return the message class of ListWorkersResponse."""
    file = descriptor_pb2.FileDescriptorProto(name="migrate/buildkit.proto", package=_PACKAGE, syntax="proto3")
    texts = {"Architecture": 1, "OS": 2, "Variant": 3}
    _message(file, "Platform", [(name, number, "") for name, number in texts.items()])
    _message(file, "WorkerRecord", [("platforms", 3, "Platform")])
    _message(file, "ListWorkersResponse", [("record", 1, "WorkerRecord")])
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.ListWorkersResponse"))


def _message(file: descriptor_pb2.FileDescriptorProto, name: str, fields: list[tuple[str, int, str]]) -> None:
    message = file.message_type.add(name=name)
    kinds = descriptor_pb2.FieldDescriptorProto
    for field, number, of in fields:
        if of:
            kind, label, type_name = kinds.TYPE_MESSAGE, kinds.LABEL_REPEATED, f".{_PACKAGE}.{of}"
            message.field.add(name=field, number=number, type=kind, label=label, type_name=type_name)
        else:
            message.field.add(name=field, number=number, type=kinds.TYPE_STRING, label=kinds.LABEL_OPTIONAL)
