"""``aws:ecr/lifecyclePolicy:LifecyclePolicy`` (reference/provider.md section 8)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from migrate.sandbox.aws_plugin.errors import ApiError, PluginError
from migrate.sandbox.aws_plugin.schema import Table, text
from migrate.sandbox.aws_plugin.values import Props

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.sandbox.aws_plugin.resource import Session, Update

_GONE = ("LifecyclePolicyNotFoundException", "RepositoryNotFoundException")
_RULE = ("action", "description", "rulePriority", "selection")
_SELECTION = (
    "countNumber",
    "countType",
    "countUnit",
    "storageClass",
    "tagPatternList",
    "tagPrefixList",
    "tagStatus",
)


def _is_json(value: Any) -> str | None:
    try:
        json.loads(value)
    except ValueError as error:
        return f"contains an invalid JSON: {error}"
    return None


def normalised(document: str) -> Props:
    """Give the policy reduced to what it means: rules by priority, known keys, sorted tag lists."""
    parsed = json.loads(document) if document.strip() else {}
    rules = []
    for rule in sorted(parsed.get("rules") or [], key=lambda item: item.get("rulePriority") or 0):
        kept = {name: rule[name] for name in _RULE if rule.get(name) is not None}
        selection = {name: item for name, item in (kept.get("selection") or {}).items() if name in _SELECTION}
        for name in ("tagPatternList", "tagPrefixList"):
            if name in selection:
                selection[name] = sorted(selection[name] or [])
        kept["selection"] = {name: item for name, item in selection.items() if item not in ([], None)}
        rules.append(kept)
    return {"rules": rules} if rules else {}


def _equivalent(old: Any, new: Any, _planned: Props) -> bool:
    try:
        return normalised(old) == normalised(new)
    except (AttributeError, TypeError, ValueError):
        return False


TABLE = Table(
    token="aws:ecr/lifecyclePolicy:LifecyclePolicy",  # noqa: S106 - a resource type's token
    delete_first=True,
    properties={
        "policy": text(_is_json, required=True, replace=True, equal=_equivalent),
        "repository": text(required=True, replace=True),
        "region": text(computed=True, replace=True),
        "registryId": text(output=True),
    },
)


class LifecyclePolicy:
    """The one lifecycle policy of a repository."""

    table = TABLE

    def problems(self, _state: Props | None, _planned: Props) -> list[str]:
        """Find nothing beyond the schema."""
        return []

    def create(self, session: Session, planned: Props, keep: Callable[[str], None]) -> tuple[str, Props]:
        """PutLifecyclePolicy."""
        name = str(planned["repository"])
        try:
            session.call("ecr", "PutLifecyclePolicy", repositoryName=name, lifecyclePolicyText=planned["policy"])
        except ApiError as error:
            raise PluginError(f"creating ECR Lifecycle Policy ({name}): {error.what}") from error
        keep(name)
        return name, {}

    def import_id(self, _session: Session, given: str) -> tuple[str, Props]:
        """Take the repository's name."""
        return given, {}

    def read(self, session: Session, resource_id: str, state: Props) -> tuple[str, Props] | None:
        """GetLifecyclePolicy; an equivalent text keeps the state's."""
        try:
            answered = session.call("ecr", "GetLifecyclePolicy", repositoryName=resource_id)
        except ApiError as error:
            if error.code in _GONE:
                return None
            raise PluginError(f"reading ECR Lifecycle Policy ({resource_id}): {error.what}") from error
        written, kept = answered["lifecyclePolicyText"], state.get("policy")
        same = kept is not None and _equivalent(kept, written, {})
        found = {
            "policy": kept if same else json.dumps(json.loads(written), separators=(",", ":"), sort_keys=True),
            "repository": answered["repositoryName"],
            "registryId": answered["registryId"],
            "region": session.region,
        }
        return resource_id, {**state, **found}

    def update(self, session: Session, update: Update) -> None:
        """Have nothing to change: every difference is a replacement."""

    def delete(self, session: Session, resource_id: str, _state: Props) -> None:
        """DeleteLifecyclePolicy."""
        try:
            session.call("ecr", "DeleteLifecyclePolicy", repositoryName=resource_id)
        except ApiError as error:
            if error.code not in _GONE:
                raise PluginError(f"deleting ECR Lifecycle Policy ({resource_id}): {error.what}") from error
