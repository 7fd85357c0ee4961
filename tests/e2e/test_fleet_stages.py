"""A fleet through the stages and back, on the real engine, builder and registry: each service with its own image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Operator
from tests.e2e.fleet_scene import FleetScene, a_fleet_of_two_accounts, a_fleet_with_images

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def services(operator: Operator, names: tuple[str, ...]) -> dict[str, Any]:
    found = operator.aws("ecs").describe_services(cluster="demo", services=list(names))["services"]
    return {service["serviceName"]: service for service in found}


def manifests(operator: Operator, names: tuple[str, ...]) -> dict[str, str]:
    repository = operator.seeded.image.partition("/")[2].partition(":")[0]
    wanted = [{"imageTag": name} for name in names]
    found = operator.aws("ecr").batch_get_image(repositoryName=repository, imageIds=wanted)["images"]
    return {image["imageId"]["imageTag"]: image["imageManifest"] for image in found}


def architectures(operator: Operator, name: str) -> list[str]:
    ecs = operator.aws("ecs")
    tasks = ecs.describe_tasks(cluster="demo", tasks=ecs.list_tasks(cluster="demo", serviceName=name)["taskArns"])
    return [task["attributes"][0]["value"] for task in tasks["tasks"] if task["lastStatus"] == "RUNNING"]


def done(scene: FleetScene, names: tuple[str, ...], *arguments: str) -> None:
    members = scene.done(*arguments)["members"]
    assert {item["service"]: item["exit_code"] for item in members} == dict.fromkeys(names, 0)


@pytest.mark.soak
@pytest.mark.parametrize(("last", "names"), [(1, ("cart", "web")), (3, ("api", "search"))])
def test_a_fleet_goes_up_to_a_stage_and_comes_back_byte_for_byte(
    operator: Operator, tmp_path: Path, last: int, names: tuple[str, ...]
) -> None:
    scene = a_fleet_with_images(operator, tmp_path, f"sqlite:///{tmp_path / 'fleet.sqlite'}", names)
    before, original = services(operator, names), manifests(operator, names)
    for stage in range(last + 1):
        done(scene, names, "apply", "--stage", f"{stage}")
    for name, manifest in manifests(operator, names).items():
        assert sorted(child["platform"]["architecture"] for child in json.loads(manifest)["manifests"]) == [
            "amd64",
            "arm64",
        ]
        assert architectures(operator, name) == [{1: "x86_64", 3: "arm64"}[last]]
    for service in services(operator, names).values():
        providers = {item["capacityProvider"] for item in service["capacityProviderStrategy"]}
        assert ("FARGATE_SPOT" in providers) is (last == 3)
    done(scene, names, "rollback", "--to", "original")
    assert manifests(operator, names) == original
    for name, service in services(operator, names).items():
        assert (service["launchType"], service["taskDefinition"]) == ("FARGATE", before[name]["taskDefinition"])
        assert [deployment["rolloutState"] for deployment in service["deployments"]] == ["COMPLETED"]
        assert architectures(operator, name) == ["x86_64"]


def test_a_fleet_reaches_its_services_in_another_account_by_a_role(operator: Operator, tmp_path: Path) -> None:
    theirs = "444455556666"
    scene = a_fleet_of_two_accounts(operator, tmp_path, f"sqlite:///{tmp_path / 'fleet.sqlite'}", theirs)
    members = scene.done("apply", "--stage", "0")["members"]
    ours = operator.service()["serviceArn"].split(":")[4]
    assert {item["account"]: item["exit_code"] for item in members} == {ours: 0, theirs: 0}
    for account in ("", theirs):
        service = operator.aws("ecs", account).describe_services(cluster="demo", services=["both"])["services"][0]
        assert [item["capacityProvider"] for item in service["capacityProviderStrategy"]] == ["FARGATE"]
