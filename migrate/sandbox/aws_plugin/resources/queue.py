"""``aws:sqs/queue:Queue``: a name, its visibility timeout and tags, enough to stand beside a service in a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrate.sandbox.aws_plugin.errors import ApiError, PluginError
from migrate.sandbox.aws_plugin.schema import Table, between, mapping, text, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.sandbox.aws_plugin.resource import Session, Update
    from migrate.sandbox.aws_plugin.values import Props

_GONE = ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")
_DEFAULT_SECONDS = 30
_MOST_SECONDS = 12 * 60 * 60

TABLE = Table(
    token="aws:sqs/queue:Queue",  # noqa: S106 - a resource type's token
    named=True,
    tagged=True,
    properties={
        "name": text(required=True, replace=True),
        "visibilityTimeoutSeconds": whole(between(0, _MOST_SECONDS), default=_DEFAULT_SECONDS),
        "region": text(computed=True, replace=True),
        "tags": mapping(),
        "tagsAll": mapping(computed=True),
        "arn": text(output=True),
        "url": text(output=True),
    },
)


class Queue:
    """A queue."""

    table = TABLE

    def problems(self, _state: Props | None, _planned: Props) -> list[str]:
        """Find nothing beyond the schema."""
        return []

    def create(self, session: Session, planned: Props, keep: Callable[[str], None]) -> tuple[str, Props]:
        """CreateQueue with its attributes and tags."""
        name = str(planned["name"])
        try:
            made = session.call(
                "sqs",
                "CreateQueue",
                QueueName=name,
                Attributes=_attributes(planned),
                tags=planned.get("tagsAll") or None,
            )
        except ApiError as error:
            raise PluginError(f"creating SQS Queue ({name}): {error.what}") from error
        url = str(made["QueueUrl"])
        keep(url)
        return url, {}

    def import_id(self, _session: Session, given: str) -> tuple[str, Props]:
        """Take the queue's URL."""
        return given, {}

    def read(self, session: Session, resource_id: str, state: Props) -> tuple[str, Props] | None:
        """GetQueueAttributes and ListQueueTags; missing is gone."""
        try:
            answered = session.call("sqs", "GetQueueAttributes", QueueUrl=resource_id, AttributeNames=["All"])
            tagged = session.call("sqs", "ListQueueTags", QueueUrl=resource_id).get("Tags") or {}
        except ApiError as error:
            if error.code in _GONE:
                return None
            raise PluginError(f"reading SQS Queue ({resource_id}): {error.what}") from error
        attributes = answered["Attributes"]
        configuration = session.aws.configuration
        everything = configuration.without_ignored(tagged)
        defaults = configuration.default_tags
        found: Props = {
            "name": attributes["QueueArn"].rpartition(":")[2],
            "arn": attributes["QueueArn"],
            "url": resource_id,
            "region": session.region,
            "visibilityTimeoutSeconds": int(attributes["VisibilityTimeout"]),
            "tags": {name: value for name, value in everything.items() if defaults.get(name) != value},
            "tagsAll": everything,
        }
        return resource_id, {**state, **found}

    def update(self, session: Session, update: Update) -> None:
        """SetQueueAttributes, TagQueue and UntagQueue."""
        if update.touches("visibilityTimeoutSeconds"):
            session.call("sqs", "SetQueueAttributes", QueueUrl=update.id, Attributes=_attributes(update.planned))
        if update.touches("tagsAll"):
            old, new = update.state.get("tagsAll") or {}, update.planned.get("tagsAll") or {}
            gone = [name for name in old if name not in new]
            if gone:
                session.call("sqs", "UntagQueue", QueueUrl=update.id, TagKeys=gone)
            if new:
                session.call("sqs", "TagQueue", QueueUrl=update.id, Tags=new)

    def delete(self, session: Session, resource_id: str, _state: Props) -> None:
        """DeleteQueue."""
        try:
            session.call("sqs", "DeleteQueue", QueueUrl=resource_id)
        except ApiError as error:
            if error.code not in _GONE:
                raise PluginError(f"deleting SQS Queue ({resource_id}): {error.what}") from error


def _attributes(planned: Props) -> dict[str, Any]:
    return {"VisibilityTimeout": str(int(planned["visibilityTimeoutSeconds"]))}
