"""Tags: one shape in programs, another in every API, and their own operations for changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate.sandbox.aws_plugin.configuration import ProviderConfiguration
    from migrate.sandbox.aws_plugin.resource import Session
    from migrate.sandbox.aws_plugin.values import Props

# Service name to the spelling of a tag's two members.
_SPELLING = {"ecs": ("key", "value"), "ecr": ("Key", "Value"), "s3": ("Key", "Value")}


def to_api(service: str, tags: Props | None) -> list[dict[str, str]] | None:
    """Give the tags for a create call, None when there are none."""
    key, value = _SPELLING[service]
    return [{key: name, value: text} for name, text in (tags or {}).items()] or None


def state_of(configuration: ProviderConfiguration, service: str, answered: Iterable[Any]) -> Props:
    """Give ``tags`` and ``tagsAll`` as a read stores them (reference/provider.md section 1)."""
    key, value = _SPELLING[service]
    found = {item[key]: item[value] for item in answered if not item[key].startswith("aws:")}
    everything = configuration.without_ignored(found)
    defaults = configuration.default_tags
    own = {name: text for name, text in everything.items() if defaults.get(name) != text}
    return {"tags": own, "tagsAll": everything}


def write_changes(session: Session, service: str, arn: str, old: Props, new: Props) -> None:
    """Bring the tags of ``arn`` from ``old`` to ``new`` with TagResource and UntagResource."""
    gone = [name for name in old if name not in new]
    added = {name: text for name, text in new.items() if old.get(name) != text}
    if gone:
        session.call(service, "UntagResource", resourceArn=arn, tagKeys=gone)
    if added:
        session.call(service, "TagResource", resourceArn=arn, tags=to_api(service, added))
