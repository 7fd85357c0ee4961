"""``aws:ecr/repository:Repository`` (reference/provider.md section 7, facts F30)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.sandbox.aws_plugin import tags
from migrate.sandbox.aws_plugin.errors import ApiError, PluginError
from migrate.sandbox.aws_plugin.schema import Table, block, blocks, flag, length, mapping, matching, one_of, text
from migrate.sandbox.aws_plugin.values import UNKNOWN
from migrate.sandbox.aws_plugin.waiting import MINUTE, Goal

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from migrate.sandbox.aws_plugin.resource import Session, Update
    from migrate.sandbox.aws_plugin.values import Props

_MOST_WILDCARDS = 2


def _wildcards(value: Any) -> str | None:
    if str(value).count("*") <= _MOST_WILDCARDS:
        return None
    return "Image tag mutability exclusion filter can contain a maximum of 2 wildcards (*)"


_WITH_EXCLUSION = ("IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION")
_FILTER = {
    "filter": text(
        length(1, 128),
        matching(r"^[a-zA-Z0-9._*-]+$", "must contain only letters, numbers, and special characters (._*-)"),
        _wildcards,
        required=True,
    ),
    "filterType": text(one_of("WILDCARD"), required=True),
}
_ENCRYPTION = {
    "encryptionType": text(one_of("AES256", "KMS", "KMS_DSSE"), default="AES256", replace=True),
    "kmsKey": text(computed=True, replace=True),
}
TABLE = Table(
    token="aws:ecr/repository:Repository",  # noqa: S106 - a resource type's token
    named=True,
    tagged=True,
    properties={
        "name": text(required=True, replace=True),
        "imageTagMutability": text(one_of("MUTABLE", "IMMUTABLE", *_WITH_EXCLUSION), default="MUTABLE"),
        "imageTagMutabilityExclusionFilters": blocks(_FILTER, ordered=True, at_most=5),
        "imageScanningConfiguration": block({"scanOnPush": flag(required=True)}, lenient=True),
        "encryptionConfigurations": blocks(_ENCRYPTION, ordered=True, replace=True, lenient=True),
        "forceDelete": flag(),
        "region": text(computed=True, replace=True),
        "tags": mapping(),
        "tagsAll": mapping(computed=True),
        "arn": text(output=True),
        "registryId": text(output=True),
        "repositoryUrl": text(output=True),
    },
)
_DELETE_SECONDS = 20 * MINUTE
_WRONG_MODE = (
    "image_tag_mutability_exclusion_filter can only be used when image_tag_mutability is set to "
    "IMMUTABLE_WITH_EXCLUSION or MUTABLE_WITH_EXCLUSION"
)


class Repository:
    """An ECR repository."""

    table = TABLE

    def problems(self, _state: Props | None, planned: Props) -> list[str]:
        """Check that filters are given only in the modes that take them."""
        mutability, filters = planned.get("imageTagMutability"), planned.get("imageTagMutabilityExclusionFilters")
        if filters and filters is not UNKNOWN and mutability not in (*_WITH_EXCLUSION, UNKNOWN):
            return [_WRONG_MODE]
        return []

    def create(self, session: Session, planned: Props, keep: Callable[[str], None]) -> tuple[str, Props]:
        """CreateRepository."""
        name = str(planned["name"])
        encryption = next(iter(planned.get("encryptionConfigurations") or []), None)
        try:
            session.call(
                "ecr",
                "CreateRepository",
                repositoryName=name,
                imageTagMutability=planned.get("imageTagMutability"),
                imageTagMutabilityExclusionFilters=planned.get("imageTagMutabilityExclusionFilters") or None,
                imageScanningConfiguration=planned.get("imageScanningConfiguration"),
                encryptionConfiguration=encryption,
                tags=tags.to_api("ecr", planned.get("tagsAll")),
            )
        except ApiError as error:
            raise PluginError(f"creating ECR Repository ({name}): {error.what}") from error
        keep(name)
        return name, {}

    def import_id(self, _session: Session, given: str) -> tuple[str, Props]:
        """Take the repository's name."""
        return given, {}

    def read(self, session: Session, resource_id: str, state: Props) -> tuple[str, Props] | None:
        """DescribeRepositories and ListTagsForResource; missing is gone."""
        repository = find_repository(session, resource_id)
        if repository is None:
            return None
        arn = repository["repositoryArn"]
        answered = session.call("ecr", "ListTagsForResource", resourceArn=arn)
        found: Props = {
            "name": repository["repositoryName"],
            "arn": arn,
            "registryId": repository["registryId"],
            "repositoryUrl": repository["repositoryUri"],
            "imageTagMutability": repository["imageTagMutability"],
            "imageTagMutabilityExclusionFilters": repository.get("imageTagMutabilityExclusionFilters") or [],
            "imageScanningConfiguration": repository.get("imageScanningConfiguration"),
            "encryptionConfigurations": encryption_state(repository),
            "region": session.region,
            **tags.state_of(session.aws.configuration, "ecr", answered.get("tags") or []),
        }
        return resource_id, {**state, **found}

    def update(self, session: Session, update: Update) -> None:
        """Write mutability and scanning by their own operations, and the tags."""
        planned = update.planned
        try:
            if update.touches("imageTagMutability", "imageTagMutabilityExclusionFilters"):
                session.call(
                    "ecr",
                    "PutImageTagMutability",
                    repositoryName=update.id,
                    imageTagMutability=planned.get("imageTagMutability"),
                    imageTagMutabilityExclusionFilters=planned.get("imageTagMutabilityExclusionFilters") or None,
                )
            if update.touches("imageScanningConfiguration"):
                scanning = planned.get("imageScanningConfiguration") or {"scanOnPush": False}
                session.call(
                    "ecr",
                    "PutImageScanningConfiguration",
                    repositoryName=update.id,
                    imageScanningConfiguration=scanning,
                )
        except ApiError as error:
            raise PluginError(f"updating ECR Repository ({update.id}): {error.what}") from error
        if update.touches("tagsAll"):
            old, new = update.state.get("tagsAll") or {}, planned.get("tagsAll") or {}
            tags.write_changes(session, "ecr", str(update.state["arn"]), old, new)

    def delete(self, session: Session, resource_id: str, state: Props) -> None:
        """DeleteRepository with the state's forceDelete, then wait until it is gone."""
        try:
            session.call("ecr", "DeleteRepository", repositoryName=resource_id, force=bool(state.get("forceDelete")))
        except ApiError as error:
            if error.code == "RepositoryNotFoundException":
                return
            if error.code == "RepositoryNotEmptyException":
                message = f"ECR Repository ({resource_id}) not empty, consider using force_delete: {error.what}"
                raise PluginError(message) from error
            raise PluginError(f"deleting ECR Repository ({resource_id}): {error.what}") from error

        def look() -> tuple[Props | None, str]:
            return find_repository(session, resource_id), "exists"

        session.waiter.until(Goal("", ("exists",), session.timeout or _DELETE_SECONDS), look)


def find_repository(session: Session, name: str, registry: str | None = None) -> Props | None:
    """Give the repository; None when there is none."""
    try:
        answered = session.call("ecr", "DescribeRepositories", repositoryNames=[name], registryId=registry)
    except ApiError as error:
        if error.code == "RepositoryNotFoundException":
            return None
        raise
    found: Props | None = next(iter(answered.get("repositories") or []), None)
    return found


def encryption_state(repository: Props) -> list[Props]:
    """Give the encryption as a list; without a key the provider stores an empty text."""
    encryption = repository.get("encryptionConfiguration")
    if not encryption:
        return []
    return [{"encryptionType": encryption["encryptionType"], "kmsKey": encryption.get("kmsKey", "")}]
