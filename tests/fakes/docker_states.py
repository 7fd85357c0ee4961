"""States of a team's stack with images of pulumi-docker in them, as `pulumi stack export` writes them."""

from __future__ import annotations

import json
from typing import Any

from migrate.core.stack.docker_state import OLD_IMAGE

DIGEST = f"sha256:{'ab' * 32}"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:kZ3=:v1:Fw+/9="}
"""A value that the passphrase of the stack has encrypted."""
STACK = "urn:pulumi:prod::shop"
_PROVIDER = "pulumi:providers:docker"


def docker_provider(prefix: str = STACK) -> dict[str, Any]:
    """Return pulumi-docker's default provider."""
    urn = f"{prefix}::{_PROVIDER}::default_4_5_8"
    inputs = {"version": "4.5.8"}
    return {"urn": urn, "custom": True, "id": "1f6a", "type": _PROVIDER, "inputs": inputs, "outputs": inputs}


def old_image(tag: str, digest: str, prefix: str = STACK, **build: Any) -> dict[str, Any]:
    """Return an image as pulumi-docker 4 writes it: repoDigest is what was pushed, __inputs are kept as a secret."""
    server, repository = tag.partition("/")[0], tag.rpartition(":")[0]
    provider = docker_provider(prefix)
    return {
        "urn": f"{prefix}::{OLD_IMAGE}::image",
        "custom": True,
        "id": tag,
        "type": OLD_IMAGE,
        "inputs": {
            "build": {"context": "app", "contextDigest": "77aa", "platform": "linux/amd64", **build},
            "buildOnPreview": False,
            "imageName": tag,
            "registry": {"server": server, "username": "AWS", "password": SECRET},
            "skipPush": False,
        },
        "outputs": {
            "__inputs": SECRET,
            "baseImageName": tag,
            "context": "app",
            "dockerfile": "Dockerfile",
            "imageName": tag,
            "platform": "linux/amd64",
            "registryServer": server,
            "repoDigest": f"{repository}@{digest}",
        },
        "provider": f"{provider['urn']}::{provider['id']}",
        "propertyDependencies": {"build": [], "imageName": [], "registry": []},
        "created": "2026-01-02T03:04:05Z",
        "modified": "2026-01-02T03:04:05Z",
    }


def exported(*resources: dict[str, Any], prefix: str = STACK, **deployment: Any) -> dict[str, Any]:
    """Return an exported state: the stack's own entry, then the others."""
    stack = f"{prefix}::pulumi:pulumi:Stack::shop-prod"
    root = {"urn": stack, "custom": False, "type": "pulumi:pulumi:Stack", "outputs": {"token": SECRET}}
    manifest = {"time": "2026-01-02T03:04:05Z", "magic": "", "version": "v3.274.1"}
    return {"version": 3, "deployment": {"manifest": manifest, "resources": [root, *resources], **deployment}}


def with_old_image(state: str, tag: str, digest: str) -> str:
    """Return a state that was really exported, with an image of pulumi-docker in it; its secret is its own."""
    read = json.loads(state)
    resources = read["deployment"]["resources"]
    root = resources[0]
    prefix = "::".join(root["urn"].split("::")[:2])
    image = {**old_image(tag, digest, prefix), "parent": root["urn"]}
    image["inputs"]["registry"]["password"] = image["outputs"]["__inputs"] = root["outputs"]["token"]
    resources += [docker_provider(prefix), image]
    return json.dumps(read)
