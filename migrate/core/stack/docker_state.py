"""From pulumi-docker to docker-build in the exported state of a team's stack: a document in, a document out.

What the old package's resources do when they are dropped from the code (pulumi-docker provider/provider.go, hybrid.go):
``docker:index/image:Image`` of version 4 and later deletes nothing, and ``docker:image:Image`` of version 3 is a
component with nothing behind it; ``RegistryImage`` takes the image out of the registry unless ``keepRemotely`` is set.
docker-build's ``Image`` takes tag@digest out of the registry (facts F37), unless it is retained on delete.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from migrate.core.stack import docker_build_entry
from migrate.core.stack.docker_build_entry import NEW_IMAGE, PROVIDER_TYPE
from migrate.errors import BlockedError, SettingsError

OLD_IMAGE = "docker:index/image:Image"
OLD_COMPONENT = "docker:image:Image"
REGISTRY_IMAGE = "docker:index/registryImage:RegistryImage"
_OLD_PROVIDER = "pulumi:providers:docker"
_VERSIONS = frozenset({3, 4})
"""Versions of the export (pulumi 3.274, apitype.DeploymentSchemaVersionCurrent and the one with features)."""

Resource = dict[str, Any]
"""One entry of ``deployment.resources`` (pulumi 3.274, apitype.ResourceV3)."""


class Fate(StrEnum):
    """What becomes of one image in the state."""

    ADOPTED = "adopted"
    RETAINED = "retained"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class ImageFate:
    """An image in the state: its URN and type now, what becomes of it and why, its tag and digest where they are known.

    ``becomes`` is the URN afterwards, the same where the entry is not adopted. ``notes`` are for the code part.
    """

    urn: str
    type: str
    fate: Fate
    text: str
    becomes: str
    tag: str = ""
    digest: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Adoption:
    """The state as it shall be, and what becomes of each image in it."""

    stack: str
    state: Mapping[str, Any]
    images: tuple[ImageFate, ...]

    @property
    def changes(self) -> bool:
        """Whether the state is to be written at all."""
        return any(image.fate is not Fate.LEFT for image in self.images)


def adoption(exported: object, version: str) -> Adoption:
    """Return what adopting the images of an exported state comes to; what is given is not changed.

    ``version`` is that of docker-build's provider where the state has none yet. Every other entry, and every secret,
    stays as it is, but for references to what is adopted.

    Raises SettingsError for what is no exported state, BlockedError for one that is not at rest.
    """
    state: Any = copy.deepcopy(exported)
    resources = _resources(state)
    _at_rest(state["deployment"], resources)
    fates = tuple(fate for fate in (_fate(entry, resources) for entry in resources) if fate is not None)
    adopted = {fate.urn for fate in fates if fate.fate is Fate.ADOPTED}
    retained = {fate.urn for fate in fates if fate.fate is Fate.RETAINED}
    for entry in resources:
        if entry["urn"] in retained:
            entry["retainOnDelete"] = True
    if adopted:
        state["deployment"]["resources"] = _moved(resources, adopted, version)
    return Adoption(_stack(resources), state, fates)


def _resources(state: Any) -> list[Resource]:
    deployment = state.get("deployment") if isinstance(state, dict) else None
    if not isinstance(deployment, dict) or state.get("version") not in _VERSIONS:
        raise SettingsError(
            "This is no state that Pulumi has exported.",
            why="It has no `deployment`, or is of a version that is not known.",
            then="Give what `pulumi stack export` writes.",
            runbook="errors#state-file",
        )
    resources = deployment.get("resources") or []
    if not all(isinstance(entry, dict) and _is_urn(entry.get("urn")) and "type" in entry for entry in resources):
        raise SettingsError(
            "An entry of this state has no URN or no type.",
            then="Give what `pulumi stack export` writes, as it was written.",
            runbook="errors#state-file",
        )
    return list(resources)


def _is_urn(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"urn:pulumi:.+::.+::.+::.+", value, re.DOTALL) is not None


def _at_rest(deployment: Mapping[str, Any], resources: Iterable[Resource]) -> None:
    """Refuse a state in the middle of something: whoever renames in it would lose what is under way."""
    ours = [entry["urn"] for entry in resources if entry["type"] in (OLD_IMAGE, REGISTRY_IMAGE) and entry.get("delete")]
    if not ours and not deployment.get("pending_operations"):
        return
    raise BlockedError(
        "An earlier run of this stack did not come to its end.",
        why=f"{ours[0]} waits to be deleted." if ours else "The state holds pending operations.",
        then="Bring it to rest by `pulumi refresh`, then `pulumi up` with the program as it was; then run this again.",
        runbook="docker-build#adopt-the-state",
    )


def _fate(entry: Resource, resources: Sequence[Resource]) -> ImageFate | None:
    urn = entry["urn"]
    match entry["type"]:
        case "docker:index/image:Image":
            return _fate_of_image(entry, resources)
        case "docker:image:Image":
            text = "A component of pulumi-docker 3: nothing stands behind it, so that its removal touches no registry."
        case "docker:index/registryImage:RegistryImage":
            if _inputs(entry).get("keepRemotely") is True or entry.get("retainOnDelete") is True:
                text = "A RegistryImage that is kept: its removal touches no registry."
            else:
                text = "A RegistryImage: its removal would delete the image. From now on it is retained."
                return ImageFate(urn, entry["type"], Fate.RETAINED, text, urn, *docker_build_entry.pushed(entry))
        case "docker-build:index:Image" | "docker-build:index:Index":
            kept = entry.get("retainOnDelete") is True
            text = "docker-build's already. " + (
                "Its removal touches no registry." if kept else "Its removal deletes its tags: set retain_on_delete."
            )
        case _:
            return None
    return ImageFate(urn, entry["type"], Fate.LEFT, text, urn, *docker_build_entry.pushed(entry))


def _fate_of_image(entry: Resource, resources: Sequence[Resource]) -> ImageFate:
    urn, (tag, digest) = entry["urn"], docker_build_entry.pushed(entry)
    becomes = _as_type(urn, NEW_IMAGE)
    if entry.get("external"):
        why = "It is only read, not managed."
    elif _inputs(entry).get("skipPush") is True:
        why = "It was never pushed (skipPush), so that no registry holds it."
    elif not (tag and digest):
        why = "The state does not say in plain text which tag and digest were pushed."
    elif any(other["urn"] == becomes for other in resources):
        why = "A docker-build Image of the same name is in the state already."
    else:
        text = "Becomes a docker-build Image of the same name, with the digest that was pushed, retained on delete."
        return ImageFate(
            urn, entry["type"], Fate.ADOPTED, text, becomes, tag, digest, docker_build_entry.left_behind(entry)
        )
    return ImageFate(urn, entry["type"], Fate.LEFT, f"{why} Its removal touches no registry.", urn, tag, digest)


def _moved(resources: Sequence[Resource], adopted: set[str], version: str) -> list[Resource]:
    """Return all entries with those of ``adopted`` as docker-build's, their references renamed, and its provider."""
    renamed = _renamings(resources, adopted)
    provider = _provider(resources, version)
    reference = f"{provider['urn']}::{provider['id']}"
    moved: list[Resource] = []
    for entry in resources:
        if entry["urn"] in adopted:
            if provider not in moved:
                # The engine takes no entry whose provider comes after it.
                moved.append(provider)
            moved.append(_renaming(docker_build_entry.adopted(entry, reference), renamed))
        elif entry["urn"] != provider["urn"]:
            moved.append(_renaming(entry, renamed))
        elif provider not in moved:
            moved.append(provider)
    return _without_idle_provider(moved)


def _renamings(resources: Iterable[Resource], adopted: set[str]) -> dict[str, str]:
    """Return the new URN of each adopted entry and of all that is below it: a URN holds the types of its parents."""
    renamed: dict[str, str] = {}
    for entry in resources:
        urn, parent = entry["urn"], entry.get("parent")
        if urn in adopted:
            urn = _below(urn, parent, renamed)
            renamed[entry["urn"]] = _as_type(urn, NEW_IMAGE)
        elif parent in renamed:
            renamed[urn] = _below(urn, parent, renamed)
    return renamed


def _below(urn: str, parent: str | None, renamed: Mapping[str, str]) -> str:
    if parent is None or parent not in renamed:
        return urn
    before, now = _types(parent), _types(renamed[parent])
    return urn.replace(f"::{before}$", f"::{now}$", 1)


def _types(urn: str) -> str:
    return urn.split("::", 3)[2]


def _as_type(urn: str, kind: str) -> str:
    stack, project, types, name = urn.split("::", 3)
    parents, separator, _ = types.rpartition("$")
    return "::".join((stack, project, f"{parents}{separator}{kind}", name))


def _renaming(value: Any, renamed: Mapping[str, str]) -> Any:
    """Return a value in which every URN, and every provider reference (URN::id), is the new one."""
    if isinstance(value, dict):
        return {key: _renaming(item, renamed) for key, item in value.items()}
    if isinstance(value, list):
        return [_renaming(item, renamed) for item in value]
    if not isinstance(value, str) or not value.startswith("urn:pulumi:"):
        return value
    urn, _, identifier = value.rpartition("::")
    return renamed.get(value) or (f"{renamed[urn]}::{identifier}" if urn in renamed else value)


def _provider(resources: Iterable[Resource], version: str) -> Resource:
    """Return docker-build's default provider that is there, the last one, or a new one."""
    there = [entry for entry in resources if entry["type"] == PROVIDER_TYPE and _is_default(entry)]
    return there[-1] if there else docker_build_entry.provider(_prefix(resources), version)


def _is_default(entry: Resource) -> bool:
    return str(entry["urn"]).split("::", 3)[3].startswith("default")


def _without_idle_provider(resources: list[Resource]) -> list[Resource]:
    """Leave out pulumi-docker's default providers that nothing uses: the engine would ask for their plugin."""
    used = {str(entry.get("provider", "")).rpartition("::")[0] for entry in resources}
    return [
        entry for entry in resources if entry["type"] != _OLD_PROVIDER or not _is_default(entry) or entry["urn"] in used
    ]


def _prefix(resources: Iterable[Resource]) -> str:
    stack, project, *_ = str(next(iter(resources))["urn"]).split("::", 3)
    return f"{stack}::{project}"


def _stack(resources: Sequence[Resource]) -> str:
    if not resources:
        return ""
    stack, _, project = _prefix(resources).removeprefix("urn:pulumi:").partition("::")
    return f"{project}/{stack}"


def _inputs(entry: Resource) -> Mapping[str, Any]:
    inputs: Mapping[str, Any] = entry.get("inputs") or {}
    return inputs
