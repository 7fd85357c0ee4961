"""Who else manages a service: the marks that other tools leave on it, and how sure each of them is.

A mark is certain when only that tool, or AWS itself, can have set it: tags of the reserved prefix ``aws:`` and those
that Copilot writes on everything it makes. Tags that people choose, names and principals only suggest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from migrate.core.documents import Json, fields
from migrate.core.facts import Service, TaskDefinition
from migrate.core.service_settings import child, children, service_tags
from migrate.core.task_definition import containers


class Owner(StrEnum):
    """A tool that describes services in files of its own, or AWS managing one itself."""

    CDK = "AWS CDK"
    CLOUDFORMATION = "CloudFormation"
    COPILOT = "AWS Copilot"
    PROTON = "AWS Proton"
    BEANSTALK = "Elastic Beanstalk"
    EXPRESS_MODE = "ECS Express Mode"
    TERRAFORM = "Terraform"
    PULUMI = "Pulumi"
    ECSPRESSO = "ecspresso"
    ECS_CLI = "the Amazon ECS CLI"
    PIPELINE = "a deployment pipeline"


@dataclass(frozen=True, slots=True)
class OwnerMark:
    """One mark: whose, how sure, and where it stands (a name and what is there)."""

    owner: Owner
    certain: bool
    evidence: tuple[str, str]


_CERTAIN_TAGS = {
    "aws:cloudformation:stack-name": Owner.CLOUDFORMATION,
    "aws:cloudformation:stack-id": Owner.CLOUDFORMATION,
    "copilot-application": Owner.COPILOT,
    "copilot-service": Owner.COPILOT,
    "aws:proton:service": Owner.PROTON,
    "aws:proton:environment": Owner.PROTON,
    "elasticbeanstalk:environment-name": Owner.BEANSTALK,
    "aws:servicecatalog:provisionedProductArn": Owner.CLOUDFORMATION,
}
_LOGICAL_ID = "aws:cloudformation:logical-id"
_CDK_LOGICAL_ID = re.compile(r".*[0-9A-F]{8}")
"""The CDK ends every logical id with eight digits of a hash of the construct's path (CDK guide, "Identifiers")."""

_SUGGESTIVE_KEYS = (
    (re.compile(r"aws-cdk(?::|$)|cdk(?::|$)", re.IGNORECASE), Owner.CDK),
    (re.compile(r"pulumi(?::|-|$)|sst:(?:app|stage)$", re.IGNORECASE), Owner.PULUMI),
    (re.compile(r"(?:terraform|opentofu|terragrunt|tf)(?:[:_-]|$)|yor_trace$", re.IGNORECASE), Owner.TERRAFORM),
    (re.compile(r"ecspresso(?::|-|$)", re.IGNORECASE), Owner.ECSPRESSO),
)
_KEYS_OF_A_MANAGER = re.compile(
    r"(?:managed|provisioned|deployed|created|maintained)[ _:-]?(?:by|with|using)|provisioner|iac(?:[ _-]?tool)?|tool",
    re.IGNORECASE,
)
_NAMES = (
    (re.compile(r"terraform|opentofu|terragrunt|atlantis|spacelift", re.IGNORECASE), Owner.TERRAFORM),
    (re.compile(r"pulumi", re.IGNORECASE), Owner.PULUMI),
    (re.compile(r"copilot", re.IGNORECASE), Owner.COPILOT),
    (re.compile(r"(?:^|\W|_)cdk(?:\W|_|$)", re.IGNORECASE), Owner.CDK),
    (re.compile(r"cloud[ _-]?formation", re.IGNORECASE), Owner.CLOUDFORMATION),
    (re.compile(r"ecspresso", re.IGNORECASE), Owner.ECSPRESSO),
)
_PIPELINES = re.compile(
    r"git[ _-]?hub|gitlab|jenkins|codebuild|codepipeline|circle[ _-]?ci|buildkite|bitbucket|azure[ _-]?devops|spinnaker"
    r"|pipecd|(?<![a-z])(?:drone|argo|harness)(?![a-z])",
    re.IGNORECASE,
)
_FALSE = frozenset({"false", "no", "0", "none", ""})


def owner_marks(service: Service, definition: TaskDefinition) -> tuple[OwnerMark, ...]:
    """Return every mark, each once, in the order in which they were looked for."""
    found = [
        *_tag_marks(service_tags(service.document), "service tag"),
        *_tag_marks(dict(definition.tags), "task definition tag"),
        *_express_mode(service),
        *_container_marks(definition),
        *_principal_marks(fields(service.document).get("createdBy"), "service createdBy"),
        *_principal_marks(fields(definition.document).get("registeredBy"), "task definition registeredBy"),
        *_name_marks(service, definition),
    ]
    return tuple(dict.fromkeys(found))


def certain_owner(marks: tuple[OwnerMark, ...]) -> Owner | None:
    """Return the owner that is certain, the tool before the CloudFormation that it works through; None: none is."""
    sure = [mark.owner for mark in marks if mark.certain]
    above = [owner for owner in sure if owner is not Owner.CLOUDFORMATION]
    return next(iter(above or sure), None)


def _tag_marks(tags: dict[str, str], where: str) -> Iterator[OwnerMark]:
    for key, value in sorted(tags.items()):
        evidence = (f"{where} {key}", value)
        if key in _CERTAIN_TAGS:
            yield OwnerMark(_CERTAIN_TAGS[key], certain=True, evidence=evidence)
        elif key == _LOGICAL_ID and _CDK_LOGICAL_ID.fullmatch(value):
            yield OwnerMark(Owner.CDK, certain=True, evidence=evidence)
        elif not key.startswith("aws:") and value.lower() not in _FALSE:
            yield from _suggestive_tag(key, value, evidence)


def _suggestive_tag(key: str, value: str, evidence: tuple[str, str]) -> Iterator[OwnerMark]:
    owner = next((owner for pattern, owner in _SUGGESTIVE_KEYS if pattern.match(key)), None)
    if owner is None and _KEYS_OF_A_MANAGER.fullmatch(key):
        owner = next((owner for pattern, owner in _NAMES if pattern.search(value)), None)
    if owner is not None:
        yield OwnerMark(owner, certain=False, evidence=evidence)


def _express_mode(service: Service) -> Iterator[OwnerMark]:
    if fields(service.document).get("resourceManagementType") == "ECS":
        yield OwnerMark(Owner.EXPRESS_MODE, certain=True, evidence=("service", "$.resourceManagementType ECS"))


def _container_marks(definition: TaskDefinition) -> Iterator[OwnerMark]:
    for index, container in enumerate(containers(definition.document)):
        path = f"$.containerDefinitions[{index}]"
        for place, item in enumerate(children(container, "environment")):
            if item.get("name") == "COPILOT_APPLICATION_NAME":
                evidence = ("task definition", f"{path}.environment[{place}]")
                yield OwnerMark(Owner.COPILOT, certain=False, evidence=evidence)
        options = child(child(container, "logConfiguration"), "options")
        if options.get("awslogs-stream-prefix") == "copilot":
            evidence = ("task definition", f"{path}.logConfiguration.options")
            yield OwnerMark(Owner.COPILOT, certain=False, evidence=evidence)


def _principal_marks(principal: Json, where: str) -> Iterator[OwnerMark]:
    if not isinstance(principal, str):
        return
    # The account's number says nothing; role and session names do.
    name = principal.rpartition(":")[2]
    owner = next((owner for pattern, owner in _NAMES if pattern.search(name)), None)
    if owner is not None:
        yield OwnerMark(owner, certain=False, evidence=(where, principal))
    elif _PIPELINES.search(name):
        yield OwnerMark(Owner.PIPELINE, certain=False, evidence=(where, principal))


def _name_marks(service: Service, definition: TaskDefinition) -> Iterator[OwnerMark]:
    if service.name.startswith("ecscompose-service-") or definition.family.startswith("ecscompose-"):
        yield OwnerMark(Owner.ECS_CLI, certain=False, evidence=("family", definition.family))
