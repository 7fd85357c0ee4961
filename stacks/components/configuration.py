"""What stage a team's stack is at, as its configuration says: the contract that README.md puts into words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn, TypeVar

import pulumi

from migrate.core.facts import Architecture, Strategy, StrategyItem

NAMESPACE = "migrate"

_Choice = TypeVar("_Choice", bound=StrEnum)


class ImageState(StrEnum):
    """What has been made of the image: nothing yet, an index under a tag of its own, or that index under the tag."""

    ORIGINAL = "original"
    SHELVED = "shelved"
    INDEX = "index"


@dataclass(frozen=True, slots=True)
class StageConfiguration:
    """What the stack's configuration asks for; with every default the program stands as its team wrote it.

    ``original_digest`` (sha256:...) is the manifest that the service's tag had before. ``arm64_revision``: the ARM64
    revision has been made, and stays declared whatever runs. ``deployment``: another text forces a new deployment.
    """

    image: ImageState = ImageState.ORIGINAL
    original_digest: str | None = None
    architecture: Architecture | None = None
    arm64_revision: bool = False
    capacity: Strategy | None = None
    deployment: str | None = None


def read_stage(namespace: str = NAMESPACE) -> StageConfiguration:
    """Return what the running program's stack is configured for.

    Raises pulumi.RunError, which ends the program with a message and without a traceback, when a value is none of
    those that the contract knows.
    """
    config = pulumi.Config(namespace)
    return StageConfiguration(
        image=_choice(config, "image", ImageState) or ImageState.ORIGINAL,
        original_digest=config.get("originalDigest"),
        architecture=_choice(config, "architecture", Architecture),
        arm64_revision=config.get_bool("arm64Revision") or False,
        capacity=_capacity(config),
        deployment=config.get("deployment"),
    )


def _choice(config: pulumi.Config, key: str, kind: type[_Choice]) -> _Choice | None:
    text = config.get(key)
    if text is None:
        return None
    if text not in set(kind):
        _refuse(config, key, f"{text!r} is none of {', '.join(kind)}.")
    return kind(text)


def _capacity(config: pulumi.Config) -> Strategy | None:
    items = config.get_object("capacity")
    if items is None:
        return None
    try:
        return tuple(
            StrategyItem(item["capacityProvider"], weight=int(item.get("weight", 0)), base=int(item.get("base", 0)))
            for item in items
        )
    except (KeyError, TypeError, ValueError):
        _refuse(config, "capacity", 'It is no list such as [{"capacityProvider": "FARGATE", "base": 0, "weight": 1}].')


def _refuse(config: pulumi.Config, key: str, why: str) -> NoReturn:
    raise pulumi.RunError(
        f"The configuration {config.full_key(key)} cannot be used. {why} `pulumi config rm {config.full_key(key)}` "
        "lets the program stand as it was written."
    )
