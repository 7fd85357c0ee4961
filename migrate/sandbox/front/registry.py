"""The registry protocol (``/v2/``): manifests and tags are kept here, blobs are MiniStack's."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from migrate.sandbox.front.binaries import entry_point, machine_of
from migrate.sandbox.front.http import AwsError, Request, Response
from migrate.sandbox.front.images import INDEX_TYPES, Manifest, Platform, Repository, content_digest

if TYPE_CHECKING:
    from migrate.sandbox.front.http import Json
    from migrate.sandbox.front.images import ImageStore
    from migrate.sandbox.front.settings import FrontSettings
    from migrate.sandbox.front.upstream import Upstream
    from migrate.sandbox.front.world import Clock

_MANIFEST = re.compile(r"^/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)$")
_BLOB = re.compile(r"^/v2/(?P<name>.+)/blobs/.*$")
_TAGS = re.compile(r"^/v2/(?P<name>.+)/tags/list$")
_VERSION = {"docker-distribution-api-version": "registry/2.0"}
_FOREIGN_LAYER = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
_ECR_USER = "AWS"
_OK = 200


def is_registry_path(path: str) -> bool:
    """Whether ``path`` belongs to the registry protocol; other AWS APIs share the prefix ``/v2/``."""
    return path in ("/v2", "/v2/") or any(shape.match(path) for shape in (_MANIFEST, _BLOB, _TAGS))


def _refusal(status: int, code: str, message: str) -> Response:
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return Response(status, {"content-type": "application/json", **_VERSION}, body)


class Registry:
    """Answers the registry protocol."""

    def __init__(self, store: ImageStore, upstream: Upstream, settings: FrontSettings, clock: Clock) -> None:
        self._store = store
        self._upstream = upstream
        self._settings = settings
        self.clock = clock

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        if self._settings.registry_auth and not _has_token(request):
            response = _refusal(401, "UNAUTHORIZED", "Not Authorized")
            realm = f'Basic realm="https://{self._settings.registry_host}/",service="ecr.amazonaws.com"'
            response.headers["www-authenticate"] = realm
            return response
        if request.path in ("/v2", "/v2/"):
            return Response(200, {"content-type": "application/json", **_VERSION}, b"{}")
        match = _MANIFEST.match(request.path) or _TAGS.match(request.path) or _BLOB.match(request.path)
        name = match["name"] if match else ""
        repository = self._store.by_name(name)
        if match is None or repository is None:
            message = f"The repository with name '{name}' does not exist in the registry with id "
            return _refusal(404, "NAME_UNKNOWN", f"{message}'{self._settings.default_account}'")
        if match.re is _MANIFEST:
            return await self._manifest(request, repository, match["reference"])
        if match.re is _TAGS:
            return _tags_page(request, repository)
        return await self._upstream.send(_for_upstream(request, repository))

    async def _manifest(self, request: Request, repository: Repository, reference: str) -> Response:
        if request.method == "PUT":
            return await self._put(request, repository, reference)
        manifest = repository.find(reference) if request.method == "DELETE" else repository.pullable(reference)
        if manifest is None:
            return _refusal(404, "MANIFEST_UNKNOWN", "Requested image not found")
        if request.method == "DELETE":
            return _delete(repository, reference, manifest)
        headers = {
            "content-type": manifest.media_type,
            "content-length": str(len(manifest.body)),
            "docker-content-digest": manifest.digest,
            **_VERSION,
        }
        return Response(200, headers, b"" if request.method == "HEAD" else manifest.body)

    async def _put(self, request: Request, repository: Repository, reference: str) -> Response:
        by_digest = reference.startswith("sha256:")
        try:
            manifest = await self.read(repository, request.body, request.headers.get("content-type", ""))
            if by_digest and manifest.digest != reference:
                return _refusal(400, "DIGEST_INVALID", "The provided digest does not match the manifest")
            repository.put(manifest, None if by_digest else reference)
        except AwsError as error:
            code = "TAG_INVALID" if error.code == "ImageTagAlreadyExistsException" else "MANIFEST_INVALID"
            return _refusal(400, code, error.message)
        headers = {"docker-content-digest": manifest.digest, "content-length": "0", **_VERSION}
        headers["location"] = f"/v2/{repository.name}/manifests/{manifest.digest}"
        return Response(201, headers)

    async def read(self, repository: Repository, body: bytes, media_type: str) -> Manifest:
        """Check a pushed manifest as ECR does and learn its platform.

        Raises InvalidParameterException for no JSON, ReferencedImagesNotFoundException for a missing child (facts
        F32), LayersNotFoundException for a missing blob.
        """
        try:
            document: Json = json.loads(body)
        except ValueError as error:
            raise AwsError("InvalidParameterException", "Invalid image manifest provided") from error
        digest, kind = content_digest(body), media_type or document.get("mediaType", "")
        if kind in INDEX_TYPES:
            missing = [entry["digest"] for entry in document["manifests"]]
            missing = [child for child in missing if child not in repository.manifests]
            if missing:
                message = f"Images with digests '{', '.join(missing)}' required for pushing image into repository "
                message += f"with name '{repository.name}' in the registry with id '{repository.scope.account}' do not"
                raise AwsError("ReferencedImagesNotFoundException", f"{message} exist")
            return Manifest(digest, kind, body, self.clock(), len(body))
        config = await self._config(repository, document)
        layers = [layer for layer in document.get("layers", []) if layer.get("mediaType") != _FOREIGN_LAYER]
        absent = [layer["digest"] for layer in layers if not await self._has_blob(repository, layer["digest"])]
        if absent:
            message = f"Layers with digests '{', '.join(absent)}' required for pushing image into repository"
            raise AwsError("LayersNotFoundException", f"{message} with name '{repository.name}' do not exist")
        size = len(body) + sum(int(layer.get("size", 0)) for layer in layers)
        platform = Platform(config.get("os", ""), config["architecture"]) if config.get("architecture") else None
        machine = await self._machine(repository, config, layers) if platform is not None else None
        return Manifest(digest, kind, body, self.clock(), size, platform, machine)

    async def _config(self, repository: Repository, document: Json) -> Json:
        """Return the image configuration; empty for an artifact's."""
        config = document.get("config", {}).get("digest")
        if not config:
            return {}
        response = await self._blob(repository, config, "GET")
        if response.status != _OK:
            raise AwsError("LayersNotFoundException", f"Layers with digests '{config}' do not exist")
        try:
            described: Any = json.loads(response.body)
        except ValueError:
            return {}
        return described if isinstance(described, dict) else {}

    async def _machine(self, repository: Repository, config: Json, layers: list[Json]) -> str | None:
        path = entry_point(config)
        if path is None:
            return None
        contents = [(await self._blob(repository, layer["digest"], "GET")).body for layer in layers]
        return await asyncio.to_thread(machine_of, path, contents)

    async def _has_blob(self, repository: Repository, digest: str) -> bool:
        return (await self._blob(repository, digest, "HEAD")).status == _OK

    async def _blob(self, repository: Repository, digest: str, method: str) -> Response:
        path = f"/v2/{repository.name}/blobs/{digest}"
        return await self._upstream.send(_for_upstream(Request(method, path), repository))


def _for_upstream(request: Request, repository: Repository) -> Request:
    """Return the request with a host name that tells MiniStack the account and region."""
    scope = repository.scope
    return replace(request, headers={**request.headers, "host": f"{scope.account}.dkr.ecr.{scope.region}.localhost"})


def _has_token(request: Request) -> bool:
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return False
    return kind == "Basic" and user == _ECR_USER and bool(password)


def _tags_page(request: Request, repository: Repository) -> Response:
    query = parse_qs(request.query)
    after, limit = query.get("last", [""])[0], int(query.get("n", ["1000"])[0])
    tags = [tag for tag in sorted(repository.tags) if tag > after][:limit]
    body = json.dumps({"name": repository.name, "tags": tags}).encode()
    return Response(200, {"content-type": "application/json", **_VERSION}, body)


def _delete(repository: Repository, reference: str, manifest: Manifest) -> Response:
    if not reference.startswith("sha256:"):
        del repository.tags[reference]
        return Response(202, dict(_VERSION))
    if repository.referrer_of(manifest.digest) is not None:
        return _refusal(400, "DENIED", "Requested image referenced by manifest list")
    repository.delete(manifest.digest)
    return Response(202, dict(_VERSION))
