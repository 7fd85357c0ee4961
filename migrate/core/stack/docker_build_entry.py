"""One image of pulumi-docker as the entry that docker-build would have in the state (its Image, 0.0.22)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

NEW_IMAGE = "docker-build:index:Image"
PROVIDER_TYPE = "pulumi:providers:docker-build"

_SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Key that marks a secret, an asset or a reference in place of a plain value (pulumi 3.274, resource/sig)."""
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_GONE = ("sourcePosition", "stackTrace", "additionalSecretOutputs", "initErrors", "replaceOnChanges", "customTimeouts")
"""What the engine notes about an entry's code: that of the old package does not hold for the new one."""
_NOT_CARRIED_OVER = ("cacheFrom", "builderVersion")
_CARRIED_BY = {
    "imageName": ("tags",),
    "registry": ("registries",),
    "build": ("context", "dockerfile", "platforms", "buildArgs", "addHosts"),
}


def pushed(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Return tag and digest that an entry of either package says it has pushed; empty what it does not say plainly."""
    outputs = entry.get("outputs") or {}
    if entry["type"].startswith("docker-build:"):
        tags = outputs.get("tags") or [outputs.get("tag", "")]
        return _text(tags[0]), _digest(outputs.get("digest") or outputs.get("ref"))
    name = outputs.get("imageName") or outputs.get("name") or (entry.get("inputs") or {}).get("imageName")
    return _text(name), _digest(outputs.get("repoDigest") or outputs.get("sha256Digest"))


def left_behind(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what of a pulumi-docker image the code part has to say anew."""
    inputs = entry.get("inputs") or {}
    build, registry = _shape(inputs.get("build")), _shape(inputs.get("registry"))
    notes = [f"build.{name} is not carried over." for name in _NOT_CARRIED_OVER if build.get(name)]
    if isinstance(registry.get("password"), str):
        notes.append("The registry's password stands in the state as plain text: it is left out.")
    secret = [name for name in ("build", "registry") if _is_secret(inputs.get(name))]
    notes += [f"{name} is encrypted as a whole, and so not carried over." for name in secret]
    if not str(entry.get("provider", "")).split("::", 3)[-1].startswith("default"):
        notes.append("Its own provider (host, registries) is not carried over.")
    return tuple(notes)


def adopted(entry: Mapping[str, Any], provider: str) -> dict[str, Any]:
    """Return the entry as docker-build's, retained on delete; ``provider`` is the reference to its provider (URN::id).

    Values that are encrypted are carried over as they are. The hash of the build context is not known, so that the
    first preview tells of an update in place, and never of a replacement (facts F36).
    """
    tag, digest = pushed(entry)
    inputs = _inputs(entry["inputs"])
    outputs = {**inputs, "contextHash": "", "digest": digest, "ref": f"{_with_tag(tag)}@{digest}"}
    kept = {key: value for key, value in entry.items() if key not in _GONE}
    told = {
        new: urns
        for old, urns in (entry.get("propertyDependencies") or {}).items()
        for new in _CARRIED_BY.get(old, ())
        if new in inputs
    }
    return {
        **kept,
        "id": digest,
        "type": NEW_IMAGE,
        "inputs": inputs,
        "outputs": outputs,
        "provider": provider,
        "propertyDependencies": told,
        "retainOnDelete": True,
    }


def provider(prefix: str, version: str) -> dict[str, Any]:
    """Return a default provider as the engine makes it; ``prefix`` is ``urn:pulumi:STACK::PROJECT``."""
    urn = f"{prefix}::{PROVIDER_TYPE}::default_{version.replace('.', '_')}"
    half = hashlib.sha256(urn.encode()).hexdigest()
    identifier = "-".join((half[:8], half[8:12], half[12:16], half[16:20], half[20:32]))
    inputs = {"host": "", "version": version}
    return {"urn": urn, "custom": True, "id": identifier, "type": PROVIDER_TYPE, "inputs": inputs, "outputs": inputs}


def _inputs(old: Mapping[str, Any]) -> dict[str, Any]:
    """Return docker-build's inputs, with the defaults that its Check writes out (0.0.22, seen in a state)."""
    build, registry = _shape(old.get("build")), _shape(old.get("registry"))
    location = build.get("context") or "."
    file = build.get("dockerfile") or (f"{location}/Dockerfile" if isinstance(location, str) else "Dockerfile")
    address, login = registry.get("server"), {}
    if _is_secret(registry.get("password")) and registry.get("username"):
        login = {"username": registry["username"], "password": registry["password"]}
    return {
        "buildOnPreview": False,
        "context": {"location": location},
        "dockerfile": {"inline": "", "location": file},
        "exec": False,
        "load": False,
        "network": build.get("network") or "default",
        "noCache": False,
        "pull": False,
        "push": True,
        "tags": [old["imageName"]],
        "target": build.get("target") or "",
        **({"platforms": [build["platform"]]} if build.get("platform") else {}),
        **({"buildArgs": build["args"]} if build.get("args") else {}),
        **({"addHosts": build["addHosts"]} if build.get("addHosts") else {}),
        **({"registries": [{"address": address, **login}]} if address else {}),
    }


def _shape(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) and _SIGNATURE not in value else {}


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and _SIGNATURE in value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _digest(value: Any) -> str:
    found = _DIGEST.search(_text(value))
    return found[0] if found else ""


def _with_tag(name: str) -> str:
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"
