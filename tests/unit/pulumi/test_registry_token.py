"""Case C28: a token of a registry is never older than the operation that uses it, and a refusal never means "gone"."""

from __future__ import annotations

import base64
import json
from itertools import count
from pathlib import Path

import pytest
from pulumi.automation import EngineEvent

from migrate.adapters.pulumi.credentials import docker_configuration
from migrate.adapters.pulumi.events import EventCollector
from migrate.adapters.pulumi.failure import Failure
from migrate.adapters.pulumi.failures import translate_failure
from migrate.core.stack.preview import IMAGE
from migrate.errors import AccessError

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
DENIED = 'unexpected status from HEAD request to https://x/v2/app/manifests/tag1: 403 Forbidden {"code":"DENIED"}'


def test_c28_every_operation_gets_a_token_of_its_own(tmp_path: Path) -> None:
    numbers = count(1)
    seen = []
    for _ in range(2):
        fresh = {ECR: ("AWS", f"token{next(numbers)}")}
        with docker_configuration(ECR, fresh.get, {"HOME": str(tmp_path)}, tmp_path) as login:
            auths = json.loads((Path(login["DOCKER_CONFIG"]) / "config.json").read_text())["auths"]
            seen.append(base64.b64decode(auths[ECR]["auth"]).decode())
    assert seen == ["AWS:token1", "AWS:token2"]


@pytest.mark.parametrize("verb", ["update", "refresh", "preview"])
def test_c28_a_403_is_credentials_and_not_image_gone(verb: str) -> None:
    error = translate_failure(Failure("image", verb, (f"error: {DENIED}",), ""))
    assert isinstance(error, AccessError)
    assert "credentials" in error.what
    assert "exist" not in error.what


def test_c28_an_image_that_a_refresh_would_drop_is_known_before_it_is_dropped() -> None:
    collector = EventCollector()
    urn = f"urn:pulumi:stack::project::{IMAGE}::image"
    old = {"type": IMAGE, "urn": urn, "outputs": {}}
    step = {"metadata": {"op": "refresh", "urn": urn, "type": IMAGE, "provider": "", "old": old}}
    collector(EngineEvent.from_json({"sequence": 1, "timestamp": 1, "resOutputsEvent": step}))
    assert collector.gone == ("image",)
