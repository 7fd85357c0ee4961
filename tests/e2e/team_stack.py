"""A stack of a team's own in the sandbox, with an image of pulumi-docker in its state."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.e2e.conftest import Operator
from tests.fakes.docker_states import DIGEST, docker_provider, exported, old_image


def make_team_stack(operator: Operator, path: Path, stack: str) -> None:
    """Make a program's folder and its stack; the program itself is not there, its state is."""
    path.mkdir()
    (path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n", encoding="utf-8")

    def pulumi(*arguments: str, given: str | None = None) -> str:
        command = ["pulumi", *arguments]
        environment = operator.environment
        told = subprocess.run(
            command, cwd=path, env=environment, input=given, capture_output=True, text=True, check=True
        )
        return told.stdout

    pulumi("stack", "init", stack, "--non-interactive")
    read = json.loads(pulumi("stack", "export"))
    prefix = f"urn:pulumi:{stack}::shop"
    image = old_image("registry.example.com/shop/web:tag1", DIGEST, prefix)
    # What another passphrase has encrypted no engine takes.
    image["inputs"].pop("registry")
    image["outputs"].pop("__inputs")
    resources = exported(docker_provider(prefix), image, prefix=prefix)["deployment"]["resources"]
    resources[0].pop("outputs")
    read["deployment"]["resources"] = resources
    pulumi("stack", "import", given=json.dumps(read))
