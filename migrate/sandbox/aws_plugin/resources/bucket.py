"""``aws:s3/bucket:Bucket``: a name and tags, enough to stand beside a service in a program.

What else a bucket has (versioning, encryption) has resource types of its own since pulumi-aws 7; the stand-in has none
of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.sandbox.aws_plugin import tags
from migrate.sandbox.aws_plugin.errors import ApiError, PluginError
from migrate.sandbox.aws_plugin.schema import Table, flag, length, mapping, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.sandbox.aws_plugin.resource import Session, Update
    from migrate.sandbox.aws_plugin.values import Props

_GONE = ("NoSuchBucket", "404", "NotFound")
_US_EAST_1 = "us-east-1"
"""The one region that CreateBucket must not name (S3 API, CreateBucketConfiguration)."""

TABLE = Table(
    token="aws:s3/bucket:Bucket",  # noqa: S106 - a resource type's token
    tagged=True,
    properties={
        "bucket": text(length(3, 63), required=True, replace=True),
        "forceDestroy": flag(),
        "region": text(computed=True, replace=True),
        "tags": mapping(),
        "tagsAll": mapping(computed=True),
        "arn": text(output=True),
    },
)


class Bucket:
    """A bucket."""

    table = TABLE

    def problems(self, _state: Props | None, _planned: Props) -> list[str]:
        """Find nothing beyond the schema."""
        return []

    def create(self, session: Session, planned: Props, keep: Callable[[str], None]) -> tuple[str, Props]:
        """CreateBucket, then PutBucketTagging."""
        name = str(planned["bucket"])
        place = None if session.region == _US_EAST_1 else {"LocationConstraint": session.region}
        try:
            session.call("s3", "CreateBucket", Bucket=name, CreateBucketConfiguration=place)
            keep(name)
            _put_tags(session, name, planned.get("tagsAll") or {})
        except ApiError as error:
            raise PluginError(f"creating S3 Bucket ({name}): {error.what}") from error
        return name, {}

    def import_id(self, _session: Session, given: str) -> tuple[str, Props]:
        """Take the bucket's name."""
        return given, {}

    def read(self, session: Session, resource_id: str, state: Props) -> tuple[str, Props] | None:
        """HeadBucket and GetBucketTagging; missing is gone."""
        try:
            session.call("s3", "HeadBucket", Bucket=resource_id)
        except ApiError as error:
            if error.code in _GONE:
                return None
            raise PluginError(f"reading S3 Bucket ({resource_id}): {error.what}") from error
        found: Props = {"bucket": resource_id, "arn": f"arn:aws:s3:::{resource_id}", "region": session.region}
        held = tags.state_of(session.aws.configuration, "s3", _tags(session, resource_id))
        return resource_id, {**state, **found, **held}

    def update(self, session: Session, update: Update) -> None:
        """Write the tags, which are one document."""
        if update.touches("tagsAll"):
            _put_tags(session, update.id, update.planned.get("tagsAll") or {})

    def delete(self, session: Session, resource_id: str, _state: Props) -> None:
        """DeleteBucket."""
        try:
            session.call("s3", "DeleteBucket", Bucket=resource_id)
        except ApiError as error:
            if error.code not in _GONE:
                raise PluginError(f"deleting S3 Bucket ({resource_id}): {error.what}") from error


def _tags(session: Session, name: str) -> list[dict[str, str]]:
    try:
        found: list[dict[str, str]] = session.call("s3", "GetBucketTagging", Bucket=name)["TagSet"]
    except ApiError as error:
        if error.code == "NoSuchTagSet":
            return []
        raise PluginError(f"reading S3 Bucket ({name}) tags: {error.what}") from error
    return found


def _put_tags(session: Session, name: str, wanted: Props) -> None:
    written = tags.to_api("s3", wanted)
    if written:
        session.call("s3", "PutBucketTagging", Bucket=name, Tagging={"TagSet": written})
    else:
        session.call("s3", "DeleteBucketTagging", Bucket=name)
